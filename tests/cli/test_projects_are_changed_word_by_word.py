"""`proj`, `cert` and `gpg`, without a cluster: what each change makes of a spec or a file, and that all have help."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.core import TyperGroup

from services.cli.errors import CliError, Exit
from services.cli.options import Where
from services.cli.project import edit as editing
from services.cli.project import parts, view, written
from services.cli.project.change import added, in_role, listed, named, removed, rule_changed
from services.cli.project.store import KIND
from services.cli.project.wish import Wish, destination
from services.cli.root import app
from services.cli.trust.certificates import with_hosts
from services.cli.trust.keys import named as signer
from services.cli.trust.keys import same
from services.cli.trust.lines import NotSsh, parsed
from shared import yamlio

Obj = dict[str, Any]
GIT = "AAAAC3NzaC1lZDI1NTE5AAAAIJ6LkqHkPkJpH8OFvBC3iXiPbdmz8qTbQoqnwDdjlEEp"
OTHER = "AAAAC3NzaC1lZDI1NTE5AAAAIKq3nuoBsBpw0pZTHkmtTz9bGkzl4Ucm7q1Dz7WZVY0p"


def commands(group: TyperGroup, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, found in group.commands.items():
        if isinstance(found, TyperGroup):
            yield from commands(found, (*words, name))
        else:
            yield " ".join((*words, name)), found


def test_every_command_has_a_sentence_and_an_example() -> None:
    tree = typer.main.get_command(app)
    assert isinstance(tree, TyperGroup)
    found = {words: command for words, command in commands(tree) if words.split()[0] in {"proj", "cert", "gpg"}}
    assert len(found) >= 45
    for words, command in found.items():
        assert command.help, words
        assert f"tiphys {words}" in (command.epilog or ""), words


texts = st.text(min_size=1, max_size=8)


@given(st.lists(texts, max_size=4, unique=True), texts)
def test_what_is_added_can_be_removed_again(items: list[str], item: str) -> None:
    spec: Obj = {"sourceRepos": items, "description": "kept"}
    if item in items:
        with pytest.raises(CliError, match="already"):
            added(("sourceRepos",), item, item)(spec)
        return
    after = added(("sourceRepos",), item, item)(spec)
    assert removed(("sourceRepos",), lambda one: one == item, item)(after) == spec
    with pytest.raises(CliError) as raised:
        removed(("sourceRepos",), lambda one: one == item, item)(spec)
    assert raised.value.code is Exit.NOT_FOUND


KINDS: list[tuple[str, bool, list[Obj], list[Obj]]] = [
    ("clusterResourceWhitelist", True, [], [{"group": "", "kind": "Namespace"}]),
    ("clusterResourceWhitelist", True, [{"group": "", "kind": "Namespace"}], [{"group": "", "kind": "Namespace"}]),
    ("clusterResourceWhitelist", False, [{"group": "", "kind": "Namespace"}, {"kind": "X"}], [{"kind": "X"}]),
    ("namespaceResourceBlacklist", False, [{"kind": "Namespace"}], []),
    (
        "clusterResourceWhitelist",
        False,
        [{"group": "", "kind": "Namespace", "name": "a"}],
        [{"group": "", "kind": "Namespace", "name": "a"}],
    ),
]


@pytest.mark.parametrize(("field", "keep", "before", "after"), KINDS)
def test_lists_of_kinds(field: str, *, keep: bool, before: list[Obj], after: list[Obj]) -> None:
    assert rule_changed(field, {"group": "", "kind": "Namespace"}, keep=keep)({field: before})[field] == after


def test_an_entry_is_found_by_all_of_its_fields() -> None:
    is_it = named(server="a", namespace="")
    assert is_it({"server": "a"})
    assert not is_it({"server": "a", "namespace": "b"})


def test_a_role_that_is_not_there() -> None:
    with pytest.raises(CliError, match="no role dev"):
        in_role("dev", added(("groups",), "a", "a"))({"roles": [{"name": "ops"}]})


def test_a_policy_is_about_its_own_project() -> None:
    wanted = "p, proj:team:dev, applications, sync, team/web-*, allow"
    assert parts.policy_line("team", "dev", "applications", "sync", "web-*", "allow") == wanted
    assert parts.policy_line("team", "dev", "applications", "sync", "team/web-*", "allow") == wanted


def test_a_policy_of_source_integrity_is_edited() -> None:
    before = {"repos": [{"url": "*"}], "gpg": {"mode": "head", "keys": ["A", "B"]}}
    wish = parts.PolicyWish(mode="strict", add_urls=["!x"], drop_keys=["A"])
    assert wish.change(before) == {"repos": [{"url": "*"}, {"url": "!x"}], "gpg": {"mode": "strict", "keys": ["B"]}}


@pytest.mark.parametrize("window", [{"kind": "never", "applications": ["*"]}, {"kind": "allow"}])
def test_a_window_that_means_nothing_is_refused(window: Obj) -> None:
    with pytest.raises(CliError):
        parts.check_window({"schedule": "0 0 * * *", "duration": "1h", **window})


@pytest.mark.parametrize("word", ["https://a", ",ns", ""])
def test_a_destination_needs_both(word: str) -> None:
    with pytest.raises(CliError):
        destination(word)


def test_a_project_is_shown_with_what_is_wrong_with_it() -> None:
    project = {
        "metadata": {"name": "team"},
        "spec": {"sourceRepos": ["*", "!["], "destinations": [{"server": "a", "namespace": "b"}]},
    }
    assert view.list_row(project)[2:4] == ("a,b", "2")
    assert "'!['" in view.list_row(project)[-1]
    assert ("Orphaned resources", "disabled") in view.get_rows(project)


def test_ssh_lines_are_taken_apart() -> None:
    text = f'# a comment\n\ngit.example.org,10.0.0.1 ssh-ed25519 {GIT} me\nada namespaces="git" ssh-ed25519 {OTHER}\n'
    host, person = parsed(text)
    assert (host.names, host.kind, person.names) == ("git.example.org,10.0.0.1", "ssh-ed25519", "ada")
    assert host.fingerprint.startswith("SHA256:")
    assert len(host.fingerprint) == 50


@pytest.mark.parametrize("line", ["git.example.org", f"git ssh-rsa {GIT}", "git ssh-ed25519 AAAA", "x y z"])
def test_what_is_no_ssh_key(line: str) -> None:
    with pytest.raises(NotSsh, match="line 1"):
        parsed(line)


def test_host_keys_replace_others_only_when_asked() -> None:
    before = f"# kept\ngit.example.org ssh-ed25519 {GIT}\n"
    fresh = parsed(f"git.example.org ssh-ed25519 {OTHER}")
    with pytest.raises(CliError, match="another"):
        with_hosts(before, fresh, upsert=False)
    assert with_hosts(before, fresh, upsert=True) == f"# kept\ngit.example.org ssh-ed25519 {OTHER}\n"
    assert with_hosts(before, parsed(before), upsert=False) == before


def test_a_public_key_becomes_a_signer() -> None:
    (key,) = parsed(f"ssh-ed25519 {GIT} ada@laptop")
    assert key.names == ""
    assert signer(key, "ada@example.org").rest == f'ada@example.org namespaces="git" ssh-ed25519 {GIT}'
    with pytest.raises(CliError, match="whose key"):
        signer(key, "")


def test_key_ids_long_and_short() -> None:
    assert same("4AEE18F83AFDEB23", "0x4aee18f83afdeb23")
    assert same("4AEE18F83AFDEB23", "5DE3E0509C47EA3CF04A42D34AEE18F83AFDEB23")
    assert same("4AEE18F83AFDEB23", "3AFDEB23")
    assert not same("4AEE18F83AFDEB23", "EB23")


def test_an_empty_list_stays_one() -> None:
    assert listed({"a": {"b": None}}, ("a", "b")) == []


FILES = {
    "kind: AppProject\n---\nkind: AppProject\n": "has to hold one AppProject",
    "kind: Application\n": "has to hold one AppProject",
    "a: [": "project.yaml",
    "kind: AppProject\nspec: []\n": "spec has to be a mapping",
    "kind: AppProject\nmetadata: {name: other}\n": "is about project other, not team",
}


@pytest.mark.parametrize("text", FILES)
def test_a_file_that_is_no_project_is_said(tmp_path: Path, text: str) -> None:
    file = tmp_path / "project.yaml"
    file.write_text(text)
    with pytest.raises(CliError, match=FILES[text]):
        written.project_of("team", Wish(), file)


def test_what_the_api_server_wrote_into_a_file_is_left_out(tmp_path: Path) -> None:
    """As of a file that `proj get -o yaml` has made."""
    file = tmp_path / "team.yaml"
    servers = {"uid": "1-2", "resourceVersion": "7", "generation": 2, "creationTimestamp": "2026-11-29T00:00:00Z"}
    metadata = {"name": "team", "namespace": "argocd", "labels": {"a": "b"}}
    project = {**KIND, "metadata": {**metadata, **servers}, "spec": {"description": "Web"}}
    file.write_text(yamlio.dump({**project, "status": {}}))
    wanted = {**KIND, "metadata": metadata, "spec": {"description": "Web"}}
    assert written.project_of(None, Wish(), file) == wanted


def test_a_project_needs_a_name_and_a_file_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="has no name"):
        written.project_of(None, Wish(), None)
    with pytest.raises(CliError, match="can't be read"):
        written.project_of("team", Wish(), tmp_path / "none")
    with pytest.raises(CliError, match="can't be written"):
        written.generate(Where(tmp_path), written.project_of("team", Wish(), None), tmp_path)


def test_the_editor_is_the_one_that_kubectl_opens() -> None:
    assert editing.editor({}) == ["vi"]
    assert editing.editor({"EDITOR": " "}) == ["vi"]
    assert editing.editor({"EDITOR": "nano"}) == ["nano"]
    assert editing.editor({"EDITOR": "nano", "KUBE_EDITOR": "'/a b/code' --wait"}) == ["/a b/code", "--wait"]
    with pytest.raises(CliError, match="can't be read"):
        editing.editor({"EDITOR": "'"})


@given(st.text("# a:\n", max_size=20), st.text(max_size=20))
def test_the_spec_comes_back_from_the_page_as_it_was(body: str, trouble: str) -> None:
    after = editing.body_of(editing.page("team", body, trouble))
    assert body.endswith(after)
    assert not after.startswith("#")
