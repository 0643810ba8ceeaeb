"""Single values of YAML files are changed in place: every other byte stays, and reading gives what was meant."""

import difflib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.yamlio import YamlError, dump, load_all
from shared.yamlio.edit import Path, assigned, is_plain, scalar, set_texts

FILE = """\
# head
image: &main
  repository: "ghcr.io/acme/web"   # where
  tag: 1.20        # quoted when need be
single: 'a'
empty:
block: |
  text
flow: {tag: "1", list: [a, b]}
images:
- name: one
  tag: x
- {name: two, tag: y}
copy: *main
# tail
"""

CASES: list[tuple[Path, str, str, str]] = [
    (("image", "repository"), "new", '"ghcr.io/acme/web"   # where', '"new"   # where'),
    (("image", "tag"), "1.21", "1.20        #", '"1.21"        #'),
    (("image", "tag"), "v2", "1.20        #", "v2        #"),
    (("single",), "it's", "'a'", "'it''s'"),
    (("block",), "x", "|\n  text\n", "x\n"),
    (("flow", "tag"), "2", '"1"', '"2"'),
    (("flow", "list", 1), "c", "[a, b]", "[a, c]"),
    (("flow", "new"), "c", "[a, b]}", "[a, b], new: c}"),
    (("images", 0, "tag"), "2024-01-02", "tag: x", 'tag: "2024-01-02"'),
    (("images", 1, "tag"), "yes", "tag: y}", 'tag: "yes"}'),
    (("images", 0, "digest"), "sha256:ab", "  tag: x\n", "  tag: x\n  digest: sha256:ab\n"),
    (("empty", "a", "b"), "c", "empty:\n", "empty:\n  a:\n    b: c\n"),
    (("other", "tag"), "1.0", "copy: *main\n", 'copy: *main\nother:\n  tag: "1.0"\n'),
]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(("path", "value", "before", "after"), CASES)
def test_one_value_changes(path: Path, value: str, before: str, after: str, *, newline: str, bom: bytes) -> None:
    data = bom + FILE.replace("\n", newline).encode()
    assert FILE.count(before) == 1
    expected = bom + FILE.replace(before, after).replace("\n", newline).encode()
    assert set_texts(data, "f", [(path, value)]) == expected


def test_what_is_so_already_is_not_written() -> None:
    assert set_texts(FILE.encode(), "f", [(("image", "repository"), "ghcr.io/acme/web")]) == FILE.encode()


def test_a_number_that_looks_like_the_text_is_made_the_text() -> None:
    assert set_texts(b"tag: 1.20\n", "f", [(("tag",), "1.20")]) == b'tag: "1.20"\n'


def test_an_alias_of_a_value_changes_where_its_anchor_stands() -> None:
    assert set_texts(b"a: &t 1.0 # x\nb: *t\n", "f", [(("b",), "v2")]) == b"a: &t v2 # x\nb: *t\n"


def test_the_first_key_of_an_empty_file() -> None:
    assert set_texts(b"# nothing yet\n", "f", [(("image", "tag"), "v1")]) == b"# nothing yet\nimage:\n  tag: v1\n"


REFUSED = [
    (b"a: [1, 2\n", ("a",), "line 2"),
    (b"a: 1\na: 2\n", ("a",), "given twice"),
    (b"a: {b: 1}\n", ("a",), "is a map, not a value"),
    (b"a: [x]\n", ("a", 3), "there is no a[3]"),
    (b"a: text\n", ("a", "b"), "is no map"),
    (b"- a\n", ("a",), "is no map of keys"),
    (b"a: 1\n---\nb: 2\n", ("a",), "2 documents"),
    (b"a:\n\tb: 1\n", ("a", "b"), "tab"),
    ("a: 1\n".encode("utf-16"), ("a",), "UTF-16"),
    (b"base: &b {t: x}\nc: *b\nd: *b\n", ("c", "new"), "touching other values"),
    (b"a: " + b"[" * 600 + b"]" * 600, ("a",), "deeper"),
]


@pytest.mark.parametrize(("data", "path", "words"), REFUSED)
def test_what_can_not_be_done_is_said(data: bytes, path: Path, words: str) -> None:
    with pytest.raises(YamlError) as error:
        set_texts(data, "values.yaml", [(path, "v")])
    assert words in str(error.value)


@pytest.mark.parametrize(
    "text", ["1.20", "true", "yes", "null", "~", "1e3", "0x1f", "1_000", "2024-01-01", "", "a: b", "#x", "12:30"]
)
def test_what_could_be_misread_is_quoted(text: str) -> None:
    assert not is_plain(text)
    assert load_all(f"a: {scalar(text)}".encode(), "f") == [{"a": text}]


TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True)
TEXTS = st.one_of(
    TAGS, st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12), st.sampled_from(["1.20", "yes", "null"])
)
KEYS = st.from_regex(r"[a-z][a-zA-Z0-9-]{0,6}", fullmatch=True)
VALUES = st.recursive(
    st.one_of(TEXTS, st.integers(-9, 99), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


def scalars(value: Any, path: Path = ()) -> list[Path]:
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in scalars(inner, (*path, key))]
    if isinstance(value, list):
        return [found for at, inner in enumerate(value) for found in scalars(inner, (*path, at))]
    return [path] if path else []


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), st.data(), TEXTS, st.sampled_from(["\n", "\r\n"]))
def test_only_the_intended_value_changes(whole: dict[str, Any], data: st.DataObject, new: str, newline: str) -> None:
    text = "".join(
        f"{line}   # note {at}\n" if line.endswith(":") else f"{line}\n"
        for at, line in enumerate(dump(whole).splitlines())
    )
    before = text.replace("\n", newline).encode()
    read = load_all(before, "f")[0]
    paths = scalars(read)
    choices: list[Path] = [*paths, ("brandNew", "key")]
    path = data.draw(st.sampled_from(choices))
    after = set_texts(before, "f", [(path, new)])
    assert load_all(after, "f") == [assigned(read, path, new)]
    assert after.count(b"# note") == before.count(b"# note")
    old = find_value(read, path)
    most = (str(old).count("\n") + 2) if path in paths else 1
    assert len(touched(before, after)) <= most, touched(before, after)
    assert set_texts(after, "f", [(path, new)]) == after


def find_value(value: Any, path: Path) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else value[step] if value is not None else None
    return value


def touched(before: bytes, after: bytes) -> list[bytes]:
    """The lines of the file as it was that are gone."""
    one, other = before.splitlines(), after.splitlines()
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    return [line for tag, start, end, _, _ in matcher.get_opcodes() if tag != "equal" for line in one[start:end]]
