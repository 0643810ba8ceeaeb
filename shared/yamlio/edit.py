"""Changes single values of a YAML file and leaves every other byte: comments, order, quotes, line ends, the BOM.

In: a file's bytes; paths of keys and positions with the texts they shall have. Out: the new bytes, or `YamlError`.
Where a value stands comes from the parser's marks; a value is replaced within its span, in the quotes it had. What
comes out is read again: if anything but the intended values had changed, nothing would be written.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, NoReturn, TypeVar

import yaml

from shared.yamlio.load import YamlError, load_all, nodes
from shared.yamlio.scalars import plain

Step = str | int
Path = tuple[Step, ...]
BOM = b"\xef\xbb\xbf"
_SAFE = re.compile(r"[A-Za-z0-9_./+][A-Za-z0-9_./@:+=-]*")
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*[ \t]+)+")
_RESOLVER = yaml.SafeLoader("")
N = TypeVar("N", bound=yaml.Node)


class Edit(NamedTuple):
    """Characters `start` to `end` become `text`."""

    start: int
    end: int
    text: str


class YamlText:
    """A file that can be changed in places. Several documents are allowed; `root` is the only one that has content."""

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        self._bom = data.startswith(BOM)
        raw = data.removeprefix(BOM)
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise YamlError(name, 1, 1, "is UTF-16, which can be read but not edited: save it as UTF-8")
        load_all(data, name)  # says what is wrong with a file: duplicate keys, tabs, endless aliases
        self.roots = [root for root in nodes(raw, name) if root is not None]
        self.text = raw.decode()
        self.newline = "\r\n" if "\r\n" in self.text else "\n"

    @property
    def root(self) -> yaml.MappingNode | None:
        """The map of the only document; None for an empty file."""
        found = [root for root in self.roots if not (isinstance(root, yaml.ScalarNode) and not root.value)]
        if len(found) > 1:
            raise YamlError(self.name, 0, 0, f"holds {len(found)} documents: keep the values in one")
        if found and not isinstance(found[0], yaml.MappingNode):
            self.fail(found[0], "is no map of keys")
        return found[0] if found else None  # type: ignore[return-value]

    def fail(self, node: yaml.Node, problem: str) -> NoReturn:
        raise YamlError(self.name, node.start_mark.line + 1, node.start_mark.column + 1, problem)

    def edited(self, edits: Iterable[Edit]) -> bytes:
        """The file with these edits, which must not overlap."""
        parts, at = list[str](), 0
        for edit in sorted(set(edits)):
            if edit.start < at:
                raise YamlError(self.name, 0, 0, "two changes want the same place")
            parts += [self.text[at : edit.start], edit.text]
            at = edit.end
        return (BOM if self._bom else b"") + "".join((*parts, self.text[at:])).encode()

    def span(self, node: yaml.Node) -> tuple[int, int]:
        """Where a scalar itself stands, behind its anchor and tag."""
        start, end = node.start_mark.index, node.end_mark.index
        properties = _PROPERTIES.match(self.text, start, end)
        return (properties.end() if properties else start), end

    def replacement(self, node: yaml.ScalarNode, value: str) -> Edit:
        """A scalar becomes this text, in the quotes it had."""
        start, end = self.span(node)
        if node.style in ("'", '"'):
            return Edit(start, end, quoted(value, node.style))
        if node.style in ("|", ">"):
            written = self.text[start:end]
            return Edit(start, end, scalar(value) + (self.newline if written.endswith("\n") else ""))
        blank = " " if start == end and self.text[start - 1 : start] not in ("", " ") else ""
        return Edit(start, end, blank + scalar(value))


def scalar(value: str) -> str:
    """A text as plain scalar, or in double quotes where any reader of YAML could take it for something else."""
    return value if is_plain(value) else quoted(value, '"')


def is_plain(value: str) -> bool:
    if not _SAFE.fullmatch(value) or value.endswith(":"):
        return False
    found: str = _RESOLVER.resolve(yaml.ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]
    return found == "tag:yaml.org,2002:str" and plain(value) == value


def quoted(value: str, quote: str) -> str:
    if quote == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in escaped) + '"'


def child(node: yaml.Node | None, step: Step) -> yaml.Node | None:
    """What a map has under a key, or a list at a position; an alias is what it stands for."""
    if isinstance(node, yaml.MappingNode) and isinstance(step, str):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and 0 <= step < len(node.value):
        found: yaml.Node = node.value[step]
        return found
    return None


def find(node: yaml.Node | None, path: Path) -> yaml.Node | None:
    for step in path:
        node = child(node, step)
    return node


def set_texts(data: bytes, name: str, wanted: Sequence[tuple[Path, str]]) -> bytes:
    """The file with these values; a key that is missing is added at the end of the map it belongs to."""
    for path, value in wanted:
        data = _set(data, name, path, value)
    return data


def _set(data: bytes, name: str, path: Path, value: str) -> bytes:
    file = YamlText(data, name)
    root = file.root
    node = find(root, path)
    if isinstance(node, yaml.ScalarNode) and node.value == value and _means_text(node):
        return data
    if isinstance(node, yaml.ScalarNode):
        changed = file.edited([file.replacement(node, value)])
    elif node is not None:
        file.fail(node, f"{shown(path)} is a {'map' if isinstance(node, yaml.MappingNode) else 'list'}, not a value")
    else:
        changed = file.edited([_insertion(file, root, path, value)])
    _check(file, changed, path, value, replaced=isinstance(node, yaml.ScalarNode))
    return changed


def _means_text(node: yaml.ScalarNode) -> bool:
    return bool(node.style) or plain(node.value) == node.value


def _check(before: YamlText, after: bytes, path: Path, value: str, *, replaced: bool) -> None:
    """Nothing but the one value may have changed. Where an alias refers to it, it is one value all the same."""
    new = YamlText(after, before.name)
    if replaced:
        old, now = _scalars(before), _scalars(new)
        changed = sum(one != other for one, other in zip(old, now, strict=False))
        fine = (len(old), changed) == (len(now), 1) and _value(find(new.root, path)) == (value, True)
    else:
        known = load_all(before.text.encode(), before.name)
        fine = load_all(after, before.name) == [assigned(known[0] if known else {}, path, value), *known[1:]]
    if not fine:
        raise YamlError(
            before.name, 0, 0, f"{shown(path)} can't be changed without touching other values: write it plainly"
        )


def _value(node: yaml.Node | None) -> tuple[str, bool] | None:
    return (node.value, _means_text(node)) if isinstance(node, yaml.ScalarNode) else None


def _scalars(file: YamlText) -> list[tuple[str, bool] | None]:
    """Every scalar, keys too, in the order of the text; what aliases refer to only once."""
    found, seen = list[yaml.Node](), set[int]()
    pending: list[yaml.Node] = list(file.roots)
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            found.append(node)
        elif isinstance(node, yaml.MappingNode):
            pending += [part for pair in node.value for part in pair]
        else:
            pending += node.value
    return [_value(node) for node in sorted(found, key=lambda node: node.start_mark.index)]


def assigned(value: Any, path: Path, text: str) -> Any:
    """A copy in which the value at a path is this text; maps that are missing are made."""
    if not path:
        return text
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        items = list(value or ())
        items[step : step + 1] = [assigned(items[step] if step < len(items) else None, rest, text)]
        return items
    known = value or {}
    return {**known, step: assigned(known.get(step), rest, text)}


def shown(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _insertion(file: YamlText, root: yaml.Node | None, path: Path, value: str) -> Edit:
    """Add the missing keys to the deepest map of the path that is there."""
    parent, depth = root, 0
    while depth < len(path) and (found := child(parent, path[depth])) is not None:
        parent, depth = found, depth + 1
    rest = path[depth:]
    if any(isinstance(step, int) for step in rest):
        where = shown(path[: depth + 1])
        raise YamlError(file.name, 0, 0, f"there is no {where}: a list is not made longer; add the entry yourself")
    if parent is None:
        return Edit(len(file.text), len(file.text), _opened(file, len(file.text)) + block(rest, value, 0, file.newline))
    if isinstance(parent, yaml.ScalarNode) and not parent.style and plain(parent.value) is None:
        return _filled(file, parent, rest, value)
    if not isinstance(parent, yaml.MappingNode):
        file.fail(parent, f"{shown(path[:depth])} is no map, so {shown(rest)} can't be set in it")
    return in_flow(file, parent, rest, value) if parent.flow_style else _appended(file, parent, rest, value)


def _filled(file: YamlText, empty: yaml.ScalarNode, rest: Path, value: str) -> Edit:
    """A key without a value gets its first entry."""
    line = file.text.rfind("\n", 0, empty.start_mark.index) + 1
    before = file.text[line : empty.start_mark.index]
    indent = len(before) - len(before.lstrip(" -")) + 2
    start, end = file.span(empty)
    return Edit(start, end, file.newline + block(rest, value, indent, file.newline).removesuffix(file.newline))


def _appended(file: YamlText, parent: yaml.MappingNode, rest: Path, value: str) -> Edit:
    indent = parent.value[0][0].start_mark.column
    at = line_after(file, parent)
    return Edit(at, at, _opened(file, at) + block(rest, value, indent, file.newline))


def _opened(file: YamlText, at: int) -> str:
    """A line end, where what stands before has none."""
    return "" if at == 0 or file.text[at - 1] == "\n" else file.newline


def line_after(file: YamlText, node: yaml.Node) -> int:
    """The beginning of the line behind the last value in a node; trailing comments of the block stay below."""
    end = max(_ends(node))
    if file.text[end - 1 : end] == "\n":
        return end
    following = file.text.find("\n", end)
    return len(file.text) if following < 0 else following + 1


def _ends(node: yaml.Node) -> Iterator[int]:
    if isinstance(node, yaml.ScalarNode) or getattr(node, "flow_style", False):
        yield node.end_mark.index
    elif isinstance(node, yaml.MappingNode):
        key, last = node.value[-1]
        yield key.end_mark.index
        if last.start_mark.index >= key.start_mark.index:  # an alias stands for what is elsewhere
            yield from _ends(last)
    elif node.value:
        yield from _ends(node.value[-1])


def in_flow(file: YamlText, parent: yaml.MappingNode, rest: Path, value: str) -> Edit:
    at = parent.end_mark.index - 1
    inner = scalar(value)
    for step in reversed(rest):
        inner = f"{{{scalar(str(step))}: {inner}}}"
    content = inner[1:-1]
    used = file.text[:at].rstrip()
    at = len(used)
    return Edit(at, at, content if used.endswith("{") else f" {content}" if used.endswith(",") else f", {content}")


def block(rest: Path, value: str, indent: int, newline: str) -> str:
    lines = [f"{' ' * (indent + 2 * depth)}{scalar(str(step))}:" for depth, step in enumerate(rest)]
    return newline.join(lines) + f" {scalar(value)}{newline}"


def removal(file: YamlText, parent: yaml.MappingNode, key: str) -> Edit:
    """A key of a map goes, with the line it stands on alone."""
    at = next(at for at, (node, _) in enumerate(parent.value) if node.value == key)
    node, value = parent.value[at]
    start, end = node.start_mark.index, max(_ends(value), default=node.end_mark.index)
    line = file.text.rfind("\n", 0, start) + 1
    if not parent.flow_style and not file.text[line:start].strip():
        return Edit(line, line_after(file, value), "")
    if at + 1 < len(parent.value):
        return Edit(start, parent.value[at + 1][0].start_mark.index, "")
    return Edit(max(_ends(parent.value[at - 1][1])) if at else start, end, "")


def appended_item(file: YamlText, items: yaml.SequenceNode, fields: Sequence[tuple[str, str]]) -> Edit:
    """One more map at the end of a list, in the list's own style."""
    pairs = [f"{scalar(name)}: {scalar(value)}" for name, value in fields]
    if items.flow_style:
        at = len(file.text[: items.end_mark.index - 1].rstrip())
        comma = "" if file.text[at - 1] in "[," else ", "
        return Edit(at, at, f"{comma}{{{', '.join(pairs)}}}")
    at = line_after(file, items)
    return Edit(at, at, _opened(file, at) + item(pairs, items.start_mark.column, file.newline))


def item(pairs: Sequence[str], indent: int, newline: str) -> str:
    """A map as an item of a block list."""
    first, *others = pairs
    lines = [f"{' ' * indent}- {first}", *(f"{' ' * indent}  {one}" for one in others)]
    return newline.join(lines) + newline
