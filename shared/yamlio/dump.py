"""Writes YAML for people: blocks, long texts as they are, quotes only where a text could be misread."""

from typing import Any

import yaml

from shared.yamlio.scalars import plain

_TAG = "tag:yaml.org,2002:"


class _Dumper(yaml.CSafeDumper):
    """Quotes a string when Go's rules or YAML 1.1's would read it as anything else; never writes anchors."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        found: str = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        if kind is yaml.ScalarNode and implicit[0] and found == f"{_TAG}str" and not _stays_text(value):
            return f"{_TAG}null"
        return found


def _stays_text(value: str) -> bool:
    found = plain(value)
    return isinstance(found, str) and found == value


def _text(dumper: yaml.CSafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value.strip("\n") and _fits_block(value) else None
    return dumper.represent_scalar(f"{_TAG}str", value, style=style)


def _fits_block(value: str) -> bool:
    """A block can't hold lines that end in blanks or characters that need escapes."""
    lines = value.split("\n")
    return value.replace("\n", "").isprintable() and all(line == line.rstrip() for line in lines) and bool(lines[0])


_Dumper.add_representer(str, _text)


def dump(obj: Any) -> str:
    """Write a value in the order of its keys."""
    return str(
        yaml.dump(obj, Dumper=_Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True, width=1_000_000)
    )
