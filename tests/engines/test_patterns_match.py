"""RE2: matching, groups, replacing; agreement with Python's `re` on the syntax that both have."""

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.engines import regex
from shared.engines.client import Engines
from shared.engines.errors import EngineError

TEXTS = st.lists(st.text("ab1-_ ä", max_size=12), min_size=1, max_size=20)
ATOMS = st.sampled_from(["a", "b", "1", "-", "_", ".", "[ab]", "[^a]", "[a-z0-9]", "ä"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        inner.map(lambda each: f"({each})"),
        st.tuples(inner.map(lambda each: f"(?:{each})"), st.sampled_from(["?", "{1,2}", "{2}"])).map("".join),
    ),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("pattern", "text", "groups"),
    [
        (r"(?P<major>\d+)\.(?P<minor>\d+)", "v1.22-x", ("1.22", "1", "22")),
        (r"^(a)?b", "b", ("b", None)),
        (r"(?i)MAIN", "main", ("main",)),
        (r"\bx\b", "a x b", ("x",)),
        (r"(?s)a.b", "a\nb", ("a\nb",)),
        (r"[[:alpha:]]+", "12ab", ("ab",)),
        (r"", "x", ("",)),
    ],
)
async def test_the_first_match_and_its_groups(
    engines: Engines, pattern: str, text: str, groups: tuple[str | None, ...]
) -> None:
    (found,) = await regex.first(engines, pattern, [text])
    assert found is not None
    assert found.groups == groups


async def test_groups_have_names(engines: Engines) -> None:
    found = await regex.first(engines, r"(?P<a>x)(y)(?P<b>z)?", ["xy", "nothing"])
    assert found == [regex.Match(("xy", "x", "y", None), {"a": "x", "b": None}), None]


@pytest.mark.parametrize(
    ("pattern", "replacement", "expected"),
    [
        ("a+", "-", "b-b"),
        ("(a+)(b)", "$2$1", "bbaa"),
        ("(?P<x>a)", "<${x}>", "b<a><a>b"),
        ("z", "-", "baab"),
        ("a", "$$", "b$$b"),
    ],
)
async def test_replacing(engines: Engines, pattern: str, replacement: str, expected: str) -> None:
    assert await regex.replaced(engines, pattern, replacement, ["baab", ""]) == [expected, ""]


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", "a{1001}", "[z-a]", "(?<!a)b", "*"])
async def test_a_bad_pattern_is_named(engines: Engines, pattern: str) -> None:
    with pytest.raises(EngineError, match="error parsing regexp") as caught:
        await regex.matches(engines, pattern, ["x"])
    assert caught.value.reason == "PatternInvalid"


@settings(max_examples=200, deadline=None)
@given(pattern=PATTERNS, texts=TEXTS)
async def test_matches_agree_with_python(engines: Engines, pattern: str, texts: list[str]) -> None:
    assert await regex.matches(engines, pattern, texts) == [re.search(pattern, text) is not None for text in texts]


@settings(max_examples=200, deadline=None)
@given(pattern=PATTERNS, texts=TEXTS)
async def test_first_matches_agree_with_python(engines: Engines, pattern: str, texts: list[str]) -> None:
    expected = [re.search(pattern, text) for text in texts]
    found = await regex.first(engines, pattern, texts)
    assert [each and each.groups for each in found] == [each and (each[0], *each.groups()) for each in expected]


@settings(max_examples=100, deadline=None)
@given(pattern=PATTERNS, texts=TEXTS)
async def test_replacing_agrees_with_python(engines: Engines, pattern: str, texts: list[str]) -> None:
    assume(re.search(pattern, "") is None)  # empty matches are counted differently
    expected = [re.sub(pattern, r"<\g<0>>", text) for text in texts]
    assert await regex.replaced(engines, pattern, "<$0>", texts) == expected
