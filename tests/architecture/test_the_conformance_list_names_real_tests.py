"""docs/conformance.md says which test shows a feature: each file that it names exists, and each test of it too.

A file is named by its path or its own name; `word` = test_file.py gives it a short name for one section, and
`word::name` is the test `test_name` of that file.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIST = ROOT / "docs" / "conformance.md"
PATH = re.compile(r"\btests/[\w/]+(?:\.\w+)?")
FILE = re.compile(r"(?<![\w/])test_\w+\.\w+")
SHORT = re.compile(r"`(\w+)` =\s+(test_\w+\.py)")
TEST = re.compile(r"`(\w+)::(\w+)`")


def files() -> dict[str, Path]:
    return {path.name: path for path in (ROOT / "tests").rglob("test_*.py")}


def functions_of(path: Path) -> set[str]:
    functions = (
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return {node.name for node in functions if node.name.startswith("test_")}


def wrong(text: str) -> Iterator[str]:
    """What is named and does not exist."""
    known = files()
    yield from (name for name in PATH.findall(text) if not (ROOT / name).exists())
    yield from (name for name in FILE.findall(text) if name not in known)
    for section in text.split("\n## "):
        short = dict(SHORT.findall(section))
        for word, name in TEST.findall(section):
            path = known.get(short.get(word, ""))
            if path is None or f"test_{name}" not in functions_of(path):
                yield f"{word}::{name}"


def test_every_test_that_the_list_names_exists() -> None:
    assert sorted(set(wrong(LIST.read_text()))) == []


def test_a_test_that_is_not_there_is_found() -> None:
    here = f"\n## a\n`me` = {Path(__file__).name} `me::a_test_that_is_not_there_is_found` `me::nothing`"
    there = "\n## b\n`me::nothing_else` test_no.py tests/no"
    assert sorted(wrong(here + there)) == ["me::nothing", "me::nothing_else", "test_no.py", "tests/no"]
