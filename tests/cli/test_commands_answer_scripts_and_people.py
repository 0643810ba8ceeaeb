"""The command as a script meets it: exit codes, words on stderr, help; run as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

APP = "list get diff sync wait refresh history rollback delete manifests render"
COMMANDS = (
    *["up", "run", "down", "status", "doctor", "demo", "bench", "trace"],
    "events tail",
    *(f"app {verb}" for verb in APP.split()),
    *(f"cluster {verb}" for verb in ["up", "down", "status", "kubeconfig"]),
)


def tiphys(*words: str, data: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TIPHYS_DATA": str(data), "KUBECONFIG": "/nonexistent", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "services.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(command: str, tmp_path: Path) -> None:
    shown = tiphys(*command.split(), "--help", data=tmp_path)
    assert shown.returncode == 0
    assert "Examples:" in shown.stdout
    assert f"tiphys {command}" in shown.stdout


def test_help_documents_the_exit_codes(tmp_path: Path) -> None:
    shown = tiphys("--help", data=tmp_path)
    assert "Exit codes:" in shown.stdout
    assert "5  the cluster, the bus or the stack cannot be reached" in shown.stdout


def test_help_imports_nothing_heavy() -> None:
    """That is what makes it quick; how quick depends on what else the machine does."""
    script = """
import sys
sys.argv = ["tiphys", "--help"]
try:
    from services.cli.root import main
    main()
except SystemExit:
    heavy = {"aiohttp", "docker", "kubernetes_asyncio", "nats", "pydantic", "pygit2", "rich", "sqlalchemy", "yaml"}
    print("heavy:", sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("heavy: []\n"), done.stdout[-200:]


@pytest.mark.parametrize("words", [["app", "list"], ["app", "get", "web"], ["trace", "abcdef1"], ["status"]])
def test_without_a_stack_nothing_else_is_chosen(words: list[str], tmp_path: Path) -> None:
    ended = tiphys(*words, data=tmp_path)
    assert ended.returncode == 5
    assert "tiphys up --detach" in ended.stderr
    assert len(ended.stderr.splitlines()) <= 2


@pytest.mark.parametrize("words", [["app", "sync"], ["app", "get", "web", "-o", "xml"], ["nonsense"]])
def test_wrong_usage_is_exit_code_2(words: list[str], tmp_path: Path) -> None:
    assert tiphys(*words, data=tmp_path).returncode == 2


def test_a_missing_kubeconfig_is_said_in_two_lines(tmp_path: Path) -> None:
    ended = tiphys("app", "list", "--kubeconfig", str(tmp_path / "none"), data=tmp_path)
    assert ended.returncode == 5
    assert "Traceback" not in ended.stderr


def test_an_api_server_that_is_down_is_exit_code_5(tmp_path: Path) -> None:
    config = tmp_path / "kubeconfig"
    config.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n"
        "users: [{name: u, user: {}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n"
    )
    ended = tiphys("app", "list", "--kubeconfig", str(config), data=tmp_path)
    assert ended.returncode == 5
    assert "Traceback" not in ended.stderr


def test_down_without_a_stack_is_no_error(tmp_path: Path) -> None:
    ended = tiphys("down", data=tmp_path)
    assert ended.returncode == 0
    assert "no stack runs" in ended.stderr


def test_debugging_shows_the_traceback(tmp_path: Path) -> None:
    environment = {**os.environ, "TIPHYS_DATA": str(tmp_path), "TIPHYS_DEBUG": "1"}
    command = [sys.executable, "-m", "services.cli", "status"]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert "Traceback" in ended.stderr
