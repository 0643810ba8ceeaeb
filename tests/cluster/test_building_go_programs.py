"""Go programs are built once per machine, again when their sources change, and failures say what to do."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.engines.build import BuildError, GoMissing, ensure_go_binary
from tests.parts.cluster import quiet

_MAIN = 'package main\n\nvar word = "unset"\n\nfunc main() { print(word) }\n'


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIPHYS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "go.mod").write_text("module hello\n\ngo 1.22\n")
    (folder / "main.go").write_text(_MAIN)
    return folder


def test_a_program_is_built_with_its_variables_and_kept(source: Path) -> None:
    said: list[str] = []
    binary = ensure_go_binary(source, "hello", report=said.append, variables={"main.word": "set"})
    assert subprocess.run([binary], capture_output=True, text=True, check=True).stderr == "set"
    assert "built in" in said[-1]
    assert ensure_go_binary(source, "hello", report=pytest.fail, variables={"main.word": "set"}) == binary


def test_changed_sources_are_built_again(source: Path) -> None:
    first = ensure_go_binary(source, "hello", report=quiet)
    (source / "main.go").write_text(_MAIN.replace("unset", "changed"))
    second = ensure_go_binary(source, "hello", report=quiet)
    assert second != first
    assert subprocess.run([second], capture_output=True, text=True, check=True).stderr == "changed"


def test_of_two_that_ask_at_once_one_builds(source: Path) -> None:
    said: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(ensure_go_binary, source, "hello", report=said.append) for _ in range(2)]
    assert asked[0].result() == asked[1].result()
    assert sum("built in" in line for line in said) == 1


def test_a_program_that_does_not_compile_shows_the_compilers_words(source: Path) -> None:
    (source / "main.go").write_text("package main\n\nfunc main() { missing() }\n")
    with pytest.raises(BuildError, match="undefined: missing"):
        ensure_go_binary(source, "hello", report=quiet)


def test_without_go_it_says_where_to_get_it(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(GoMissing, match="install Go"):
        ensure_go_binary(source, "hello", report=quiet)


def test_a_ready_binary_needs_no_go(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hello").write_text("#!/bin/sh\n")
    (tmp_path / "hello").chmod(0o755)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("TIPHYS_BIN", str(tmp_path))
    assert ensure_go_binary(source, "hello", report=pytest.fail) == tmp_path / "hello"


def test_a_cache_that_cannot_be_written_is_named(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TIPHYS_CACHE", str(tmp_path / "file"))
    with pytest.raises(BuildError, match="set TIPHYS_CACHE"):
        ensure_go_binary(source, "hello", report=quiet)
