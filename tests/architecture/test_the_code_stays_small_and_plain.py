"""The size rules, each of which a reader feels: short functions, short files, docstrings that say what a module is for.

Tests count for nothing here but the length of their files. Import rules are import-linter's (`make lint`).
"""

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST_FUNCTION, LONGEST_FILE = 60, 350
FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|misc|manager)(_|$)")


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts)


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1


def test_functions_are_short() -> None:
    lengths = dict(one for path in sources("services", "shared") for one in functions(path))
    assert [name for name, length in lengths.items() if length > LONGEST_FUNCTION] == []
    assert statistics.median(lengths.values()) <= 8
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= 30


def test_files_are_short() -> None:
    long = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in sources("services", "shared")}
    assert {name: lines for name, lines in long.items() if lines > LONGEST_FILE} == {}


def test_every_module_says_what_it_is_for() -> None:
    written = [path for path in sources("services", "shared") if path.read_text().strip()]
    assert [path.name for path in written if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_modules_are_named_for_what_they_are() -> None:
    assert [path.name for path in sources("services", "shared") if FORBIDDEN_NAMES.search(path.stem)] == []


def test_services_have_the_same_face() -> None:
    for name in (
        "gateway",
        "git_watcher",
        "renderer",
        "reconciler",
        "registry_watcher",
        "image_updater",
        "rollout_manager",
    ):
        present = {path.name for path in (ROOT / "services" / name).glob("*.py")}
        assert present >= {"__init__.py", "__main__.py", "settings.py", "app.py", "handlers.py"}, name


def test_no_file_names_this_machine_or_a_package_host() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    hosts = re.compile(r"files\.pythonhosted|registry\.npmjs|proxy\.golang|/root/|/home/[a-z]+/")
    here = Path(__file__).name
    texts = ((name, ROOT / name) for name in listed if Path(name).name != here and (ROOT / name).is_file())
    assert [name for name, path in texts if hosts.search(path.read_text(errors="ignore"))] == []


def test_test_files_have_names_of_their_own() -> None:
    """Pytest takes two modules of one name for the same one, and stops."""
    names = [path.name for path in sources("tests") if path.name.startswith("test_")]
    assert sorted({name for name in names if names.count(name) > 1}) == []
