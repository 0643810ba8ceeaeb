"""Printing: tables with colour on a terminal, JSON and YAML for machines. Nothing here decides what is said.

A table is rows of strings; a cell's colour follows from its word (Synced, Degraded, ...), so every command colours
the same way.
"""

import sys
from collections.abc import Sequence
from typing import Any

from services.cli.options import Output

COLOURS = {
    "Synced": "green", "Healthy": "green", "Succeeded": "green", "ready": "green", "✓": "green",
    "OutOfSync": "yellow", "Progressing": "cyan", "Running": "cyan", "Suspended": "magenta", "Missing": "yellow",
    "Degraded": "red", "Failed": "red", "Error": "red", "Unknown": "red", "✗": "red", "Terminating": "yellow",
}  # fmt: skip


def emit(output: Output, data: Any, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The data for machines, or its table for people."""
    if output is Output.TABLE:
        table(header, rows)
    else:
        emit_data(output, data)


def emit_data(output: Output, data: Any) -> None:
    if output is Output.YAML:
        from shared import yamlio

        sys.stdout.write(yamlio.dump(data))
        return
    import orjson

    sys.stdout.write(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode() + "\n")


def emit_one(output: Output, data: Any) -> None:
    """One of a stream: a line of JSON, or a YAML document, seen at once."""
    if output is Output.YAML:
        print("---")
        emit_data(output, data)
    else:
        import orjson

        sys.stdout.write(orjson.dumps(data).decode() + "\n")
    sys.stdout.flush()


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print(aligned(header, rows, colour=sys.stdout.isatty()))


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], *, colour: bool) -> str:
    """Columns as wide as their widest cell, two blanks between, as kubectl prints them."""
    lines = [header, *rows] if header else list(rows)
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))] if lines else []
    return "\n".join(
        "  ".join(_cell(text, width, colour=colour) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


_ANSI = {"red": 31, "green": 32, "yellow": 33, "magenta": 35, "cyan": 36}


def _cell(text: str, width: int, *, colour: bool) -> str:
    padded = text.ljust(width)
    name = COLOURS.get(text)
    return f"\033[{_ANSI[name]}m{padded}\033[0m" if colour and name else padded


def paint(text: str, name: str) -> str:
    return f"\033[{_ANSI[name]}m{text}\033[0m" if sys.stdout.isatty() else text


def note(text: str) -> None:
    """For people, beside the output: never on stdout, so pipes stay clean."""
    print(text, file=sys.stderr)
