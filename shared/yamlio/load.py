"""Reads YAML and JSON files into plain values.

The C parser of PyYAML builds the nodes; what they mean is decided here, as Go decides it (`scalars`). Every mistake
in a file is a `YamlError` with line and column, counted from 1. Limits: bytes, nesting, and the number of values after
aliases.
"""

import base64
import binascii
import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

from shared.yamlio.scalars import Scalar, key_text, plain, resolve, settled

LARGEST = 64 * 1024 * 1024
DEEPEST = 500
MOST_VALUES = 10_000_000
ALIAS_VALUES = 500_000
_TAG = "tag:yaml.org,2002:"
_PLAIN, _STRING = "plain", f"{_TAG}str"
_MERGE = "<<"


class YamlError(ValueError):
    """A file that can't be read, with the place in it. `line` and `column` count from 1; 0 where there is no place."""

    def __init__(self, name: str, line: int, column: int, problem: str) -> None:
        place = f"{name}, line {line}, column {column}" if line else name
        super().__init__(f"{place}: {problem}")
        self.name = name
        self.line = line
        self.column = column
        self.problem = problem


class _Deep(Exception):
    """Nested too deep; a signal within this module."""


class _Loader(yaml.CSafeLoader):
    """Composes nodes without Python's resolver: a scalar is plain or a string, and its depth is watched.

    The C composer recurses without bound and would take the process down with it.
    """

    depth = 0

    def resolve(self, kind: type[yaml.Node], _value: Any, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            return _PLAIN if implicit[0] else _STRING
        return ""

    def descend_resolver(self, _node: Any, _index: Any) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise _Deep

    def ascend_resolver(self) -> None:
        self.depth -= 1


def load_all(data: bytes, name: str, *, largest: int = LARGEST) -> list[Any]:
    """Read every document of a file; empty documents are left out. Raises YamlError."""
    if len(data) > largest:
        raise YamlError(name, 0, 0, f"the file has {len(data)} bytes; at most {largest} are read")
    text = _utf8(data, name)
    if text[:1] in {b"{", b"["} or text.lstrip()[:1] in {b"{", b"["}:
        found = _json(text)
        if found is not None:
            return found
    return [document for document in _documents(text, name) if document is not None]


def _utf8(data: bytes, name: str) -> bytes:
    """Drop byte order marks: the C parser counts columns wrong with one."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16").encode()
        except UnicodeError as error:
            raise YamlError(name, 1, 1, f"is no UTF-16 text: {error}") from error
    return data.removeprefix(b"\xef\xbb\xbf")


class _NotPlainJson(Exception):
    """A file that JSON's reader must not decide about; a signal within this module."""


def _json(text: bytes) -> list[Any] | None:
    """Read a JSON file; None when it is something else, which the YAML reader will then explain."""
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_int=_json_int, parse_float=_json_float, parse_constant=_constant
        )
    except (ValueError, _NotPlainJson, RecursionError):
        return None
    return [value]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotPlainJson
    return found


def _json_int(text: str) -> int | float:
    return settled(int(text)) if len(text) < 40 else _json_float(text)


def _json_float(text: str) -> int | float:
    value = float(text)
    if math.isinf(value):
        raise _NotPlainJson
    return settled(value)


def _constant(_: str) -> NoReturn:
    raise _NotPlainJson


def _documents(text: bytes, name: str) -> Iterator[Any]:
    builder = _Builder(name)
    return (builder.document(node) for node in nodes(text, name))


def nodes(text: bytes, name: str) -> Iterator[yaml.Node | None]:
    """The root of each document of a file in UTF-8 without a byte order mark. Raises YamlError."""
    loader = _Loader(text)
    try:
        while loader.check_node():
            yield loader.get_node()
    except _Deep as error:
        raise YamlError(name, 0, 0, f"is nested deeper than {DEEPEST} levels") from error
    except yaml.MarkedYAMLError as error:
        raise _explained(error, name, text) from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count(b"\n") + 1 if isinstance(error.position, int) else 0
        raise YamlError(name, line, 1, f"has a character that YAML does not allow: {error.reason}") from error
    except UnicodeDecodeError as error:
        raise YamlError(name, text[: error.start].count(b"\n") + 1, 1, "is no UTF-8 text") from error
    finally:
        loader.dispose()


def _explained(error: yaml.MarkedYAMLError, name: str, text: bytes) -> YamlError:
    mark = error.problem_mark or error.context_mark
    problem = " ".join(part for part in (error.problem, error.context) if part)
    if mark is None:
        return YamlError(name, 0, 0, problem)
    line = text.split(b"\n", mark.line + 1)[mark.line : mark.line + 1]
    if line and b"\t" in line[0][: mark.column + 1] and not line[0][: mark.column].strip():
        problem = "a tab can't indent in YAML: use spaces"
    return YamlError(name, mark.line + 1, mark.column + 1, problem)


class _Builder:
    """Turns nodes into values. An alias is built anew each time, so that no two places share one value."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._values = 0
        self._inside: set[int] = set()
        self._built: set[int] = set()
        self._again = 0

    def document(self, root: yaml.Node | None) -> Any:
        if root is None:
            return None
        self._values = self._again = 0
        self._built.clear()
        return self.value(root)

    def fail(self, node: yaml.Node, problem: str) -> NoReturn:
        raise YamlError(self._name, node.start_mark.line + 1, node.start_mark.column + 1, problem)

    def value(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        place = id(node)
        if place in self._inside:
            self.fail(node, "an alias refers to what it is inside of")
        self._inside.add(place)
        self._count(node, place)
        found = self.mapping(node) if isinstance(node, yaml.MappingNode) else [self.value(item) for item in node.value]
        self._inside.discard(place)
        return found

    def _count(self, node: yaml.Node, place: int) -> None:
        self._values += 1 + len(node.value)
        if place in self._built:
            self._again += 1 + len(node.value)
        else:
            self._built.add(place)
        if self._again > ALIAS_VALUES or self._values > MOST_VALUES:
            self.fail(node, f"aliases make more than {ALIAS_VALUES} values of this file")

    def scalar(self, node: yaml.ScalarNode) -> Scalar:
        tag, text = node.tag, node.value
        if tag == _STRING:
            return str(text)
        found = plain(text) if tag == _PLAIN else self.tagged(node, tag.removeprefix(_TAG), text)
        if isinstance(found, float) and not math.isfinite(found):
            self.fail(node, f"{text!r} is no number that JSON can hold")
        return found

    def tagged(self, node: yaml.ScalarNode, tag: str, text: str) -> Scalar:
        """Resolve a scalar whose type is written before it; tags of others mean a string, as in Go."""
        if tag == "binary":
            try:
                return base64.b64decode("".join(text.split()), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                self.fail(node, "!!binary data is no base64 of a text")
        expected: dict[str, type | tuple[type, ...]] = {
            "bool": bool,
            "int": int,
            "float": (int, float),
            "null": type(None),
        }
        if tag not in expected:
            return text
        found = plain(text)
        if not isinstance(found, expected[tag]) or (isinstance(found, bool) and tag != "bool"):
            self.fail(node, f"cannot decode {text!r} as a !!{tag}")
        return found

    def mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        found: dict[str, Any] = {}
        own: set[str] = set()
        for key_node, value_node in node.value:
            if key_node.value == _MERGE and key_node.tag in {_PLAIN, f"{_TAG}merge"}:
                self.merge(value_node, found)
                continue
            key = self.key(key_node)
            if key in own:
                self.fail(key_node, f"key {key!r} is given twice")
            own.add(key)
            found[key] = self.value(value_node)
        return found

    def key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self.fail(node, "a map or list can't be a key")
        if node.tag == _STRING:
            return str(node.value)
        key = key_text(resolve(node.value) if node.tag == _PLAIN else self.scalar(node))
        if key is None:
            self.fail(node, f"{node.value!r} can't be a key")
        return key

    def merge(self, node: yaml.Node, into: dict[str, Any]) -> None:
        """Take over the fields of other maps. As in Go, what is written later wins; of a list, the first."""
        sources = reversed(node.value) if isinstance(node, yaml.SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                self.fail(source, "map merge requires map or sequence of maps as the value")
            into.update(self.value(source))
