"""Files are read as Kubernetes reads them. The expected values were checked against sigs.k8s.io/yaml v1.6.0.

Not tested: anchors that are defined twice, which the C parser refuses and Go accepts.
"""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.yamlio import YamlError, dump, load_all

SCALARS: list[tuple[str, Any]] = [
    *[(word, True) for word in ("y", "Yes", "ON", "true", "TRUE")],
    *[(word, False) for word in ("n", "no", "OFF", "False")],
    *[(word, None) for word in ("~", "null", "NULL", "")],
    *[(word, word) for word in ("tRue", "nULL", "12:30", "2024-01-01", "2024-01-01T00:00:00Z", "1.2.3", "0x", "1e5x")],
    ("0o17", 15),
    ("017", 15),
    ("08", 8),
    ("0x1F", 31),
    ("-0x1F", -31),
    ("0b101", 5),
    ("1_000", 1000),
    ("1.0", 1),
    ("1.5", 1.5),
    ("1e3", 1000),
    ("1e-3", 0.001),
    (".5", 0.5),
    ("9223372036854775807", 9223372036854775807),
    ("9223372036854775808", 9223372036854775808.0),
    ("1e400", "1e400"),
    ("'yes'", "yes"),
    ('"1"', "1"),
    ("!!str 1", "1"),
    ("!!int '1'", 1),
    ("!!binary aGk=", "hi"),
    ("!custom 1", "1"),
]
KEYS = [
    ("1", "1"),
    ("y", "true"),
    ("1.5", "1.5"),
    ("3.0e10", "3e+10"),
    ("'on'", "on"),
    ("0x10", "16"),
    (".inf", ".inf"),
]
MISTAKES: list[tuple[bytes, int, int, str]] = [
    (b"a: 1\nb: 2\na: 3\n", 3, 1, "key 'a' is given twice"),
    (b"1: a\n'1': b\n", 2, 1, "key '1' is given twice"),
    (b'{"a": 1,\n "a": 2}', 2, 2, "key 'a' is given twice"),
    (b"a:\n\tb: 1\n", 2, 1, "a tab can't indent in YAML: use spaces"),
    (b"a: b: c\n", 1, 5, "mapping values are not allowed in this context"),
    (b"a: *nope\n", 1, 4, "found undefined alias"),
    (b"\xef\xbb\xbfa: b: c\n", 1, 5, "mapping values"),
    (b"a: .nan\n", 1, 4, "'.nan' is no number that JSON can hold"),
    (b"? [a]\n: b\n", 1, 3, "a map or list can't be a key"),
    (b"~: x\n", 1, 1, "can't be a key"),
    (b"x: 1\ny: \xff\n", 2, 1, "YAML does not allow"),
    (b"a: !!int x\n", 1, 4, "cannot decode 'x' as a !!int"),
    (b"a: &a [*a]\n", 1, 4, "an alias refers to what it is inside of"),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_a_scalar_means_what_it_means_to_go(text: str, value: Any) -> None:
    (document,) = load_all(f"a: {text}\n".encode(), "f.yaml")
    assert (document["a"], type(document["a"])) == (value, type(value))


@pytest.mark.parametrize(("text", "key"), KEYS)
def test_keys_become_the_strings_that_go_makes_of_them(text: str, key: str) -> None:
    assert load_all(f"{text}: x\n".encode(), "f.yaml") == [{key: "x"}]


@pytest.mark.parametrize(("data", "line", "column", "problem"), MISTAKES)
def test_a_mistake_is_reported_with_its_place(data: bytes, line: int, column: int, problem: str) -> None:
    with pytest.raises(YamlError, match=r"^apps/web\.yaml, line") as caught:
        load_all(data, "apps/web.yaml")
    assert (caught.value.line, caught.value.column) == (line, column)
    assert problem in caught.value.problem


def test_merged_fields_are_taken_over_and_later_ones_win() -> None:
    text = b"base: &b {a: 1, b: 2}\nfirst:\n  <<: *b\n  a: 9\nlate:\n  a: 9\n  <<: *b\nlist: {<<: [*b, {a: 5, c: 6}]}\n"
    (found,) = load_all(text, "f.yaml")
    assert found["first"] == {"a": 9, "b": 2}
    assert found["late"] == {"a": 1, "b": 2}
    assert found["list"] == {"a": 1, "b": 2, "c": 6}


def test_an_alias_gives_a_value_of_its_own() -> None:
    (found,) = load_all(b"a: &x [1]\nb: *x\n", "f.yaml")
    found["a"].append(2)
    assert found["b"] == [1]


def test_empty_documents_are_left_out_whatever_the_line_ends() -> None:
    assert load_all(b"# head\r\n---\r\na: 1\r\n---\r\n---\r\nb: |\r\n  x\r\n...\r\n", "f.yaml") == [
        {"a": 1},
        {"b": "x\n"},
    ]
    assert load_all(b"", "f.yaml") == []


def test_json_files_may_be_indented_by_tabs() -> None:
    assert load_all(b'{\n\t"a": [1, 2.0, 1e2, null]\n}', "f.json") == [{"a": [1, 2, 100, None]}]


def test_utf_16_is_read() -> None:
    assert load_all("a: ü".encode("utf-16"), "f.yaml") == [{"a": "ü"}]


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, '{"a":' * 100_000])
def test_deep_nesting_is_refused_before_it_can_end_the_process(text: str) -> None:
    with pytest.raises(YamlError, match="nested deeper"):
        load_all(text.encode(), "f.yaml")


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]" for at in range(1, 10)]
    with pytest.raises(YamlError, match="aliases make more than"):
        load_all("\n".join(lines).encode(), "f.yaml")


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    with pytest.raises(YamlError, match="has 11 bytes; at most 10 are read"):
        load_all(b"a: 12345678", "f.yaml", largest=10)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer())
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="ascii")), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON.filter(lambda value: value is not None))
def test_what_is_written_is_read_back(value: Any) -> None:
    assert load_all(dump(value).encode(), "f.yaml") == [value]


@given(JSON.filter(lambda value: value is not None))
def test_json_is_read_as_it_is(value: Any) -> None:
    assert load_all(json.dumps({"x": value}).encode(), "f.json") == [{"x": value}]


@given(st.binary(max_size=200) | st.text("a:-[]{}*&!|>'\"\n \t#%,?<", max_size=60).map(str.encode))
def test_no_bytes_do_worse_than_a_yaml_error(data: bytes) -> None:
    with suppress(YamlError):
        assert isinstance(load_all(data, "f.yaml"), list)
