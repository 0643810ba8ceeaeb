"""`proj`, `cert` and `gpg` against a running stack: what they write is what kubectl shows and the services act on."""

import base64
import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from joserfc import jwt
from joserfc.jwk import OctKey

from services.cli.errors import CliError
from services.cli.options import Output, Where
from services.cli.project import parts, read, rules, store, tokens, written
from services.cli.project.edit import edit
from services.cli.project.wish import Wish
from services.cli.trust import certificates, keys
from services.stack import cluster
from tests.parts.gitserver import make_key
from tests.parts.signing import signers
from tests.parts.stack import Stack

Obj = dict[str, Any]
KEY = "4AEE18F83AFDEB23"
SERVER = "https://kubernetes.default.svc"


@dataclass
class Project:
    """A project of its own, and where it is."""

    stack: Stack
    name: str

    @property
    def where(self) -> Where:
        return Where(self.stack.data)

    async def create(self, **wish: Any) -> None:
        await store.create(self.where, written.project_of(self.name, Wish(**wish), None), upsert=False)

    async def spec(self) -> Obj:
        found: Obj = (await self.stack.get("appproject", self.name, "-n", "argocd"))["spec"]
        return found


@pytest.fixture
def project(stack: Stack, unique: str) -> Project:
    return Project(stack, unique)


async def test_the_rules_of_a_project(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("-s", "https://git/*", "-d", f"{SERVER},web", "--description", "Web")
    assert (await project.stack.tiphys("proj", "create", project.name, *words)).code == 0
    at = (project.where, project.name)
    await rules.text(*at, "sourceRepos", "https://other/*", add=True)
    await rules.text(*at, "sourceRepos", "https://git/*", add=False)
    await rules.text(*at, "sourceNamespaces", "team-*", add=True)
    await rules.place(*at, "prod", "team-*", by_name=True, add=True)
    await rules.account(*at, {"server": SERVER, "namespace": "*", "defaultServiceAccount": "deployer"})
    kind = {"group": "", "kind": "Namespace", "name": "team-*"}
    await rules.kinds(*at, "cluster", kind, allow=True, in_list="allow")
    assert (await project.stack.tiphys("proj", "deny-namespace-resource", project.name, "", "Secret")).code == 0
    await rules.orphaned(*at, {"kind": "ConfigMap", "name": "own-*"}, add=True)
    assert await project.spec() == {
        "description": "Web",
        "sourceRepos": ["https://other/*"],
        "sourceNamespaces": ["team-*"],
        "destinations": [{"server": SERVER, "namespace": "web"}, {"name": "prod", "namespace": "team-*"}],
        "destinationServiceAccounts": [{"server": SERVER, "namespace": "*", "defaultServiceAccount": "deployer"}],
        "clusterResourceWhitelist": [{"group": "", "kind": "Namespace", "name": "team-*"}],
        "namespaceResourceBlacklist": [{"group": "", "kind": "Secret"}],
        "orphanedResources": {"ignore": [{"kind": "ConfigMap", "name": "own-*"}]},
    }
    await read.show(*at)
    await read.show_list(project.where)
    shown = capsys.readouterr().out
    assert "prod,team-*" in shown
    assert "Web" in shown
    await store.delete(project.where, [project.name])
    assert (await project.stack.tiphys("proj", "get", project.name)).code == 3


async def test_a_change_that_makes_a_project_invalid_is_refused(project: Project) -> None:
    await project.create()
    refused = await project.stack.tiphys("proj", "add-source", project.name, "![")
    assert refused.code == 1
    assert "this would make the project invalid" in refused.err
    assert "sourceRepos" not in await project.spec()


def editor(monkeypatch: pytest.MonkeyPatch, folder: Path, *turns: str) -> Path:
    """An editor that is a shell: each time it is opened it does its next turn with the file "$1"."""
    script, shown = folder / "editor", folder / "shown"
    cases = "\n".join(f"{at}) {turn} ;;" for at, turn in enumerate(turns, 1))
    script.write_text(f'cat "$1" >> {shown}; echo >> {folder}/n; case $(wc -l < {folder}/n) in\n{cases}\nesac\n')
    monkeypatch.setenv("KUBE_EDITOR", f"sh '{script}'")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return shown


def left(folder: Path) -> list[Path]:
    """The files that were typed into and are still there."""
    return list(folder.glob("tiphys-*"))


async def test_a_spec_is_edited_until_it_can_be_written(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await project.create(description="Web")
    invalid = """printf 'sourceRepos: ["!["]\n' > "$1\""""
    shown = editor(monkeypatch, tmp_path, invalid, 'echo "sourceRepos: [" > "$1"', 'echo "description: Shop" > "$1"')
    await edit(project.where, project.name)
    assert await project.spec() == {"description": "Shop"}
    first, _, second = shown.read_text().partition("description: Web\n")
    assert "this would make the project invalid" not in first
    assert "# this would make the project invalid" in second
    assert 'sourceRepos: ["!["]' in second
    assert "# the spec, line 2" in second
    assert not left(tmp_path)


@pytest.mark.parametrize("turn", ["true", 'echo "# nothing" > "$1"', 'rm "$1"'])
async def test_what_is_left_as_it_is_or_empty_changes_nothing(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turn: str
) -> None:
    await project.create(description="Web")
    editor(monkeypatch, tmp_path, turn)
    await edit(project.where, project.name)
    assert await project.spec() == {"description": "Web"}
    assert not left(tmp_path)


async def test_what_was_typed_is_kept_when_it_can_not_be_written(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await project.create(description="Web")
    kubectl = f"{cluster.kubectl_path(lambda _line: None)} --kubeconfig {project.stack.state.kubeconfig} -n argocd"
    meanwhile = f"""{kubectl} patch appproject {project.name} --type merge -p '{{"spec":{{"description":"Else"}}}}'"""
    editor(monkeypatch, tmp_path, f'echo "description: Shop" > "$1"; {meanwhile} >&2')
    with pytest.raises(CliError, match="somebody else changed the project meanwhile"):
        await edit(project.where, project.name)
    [kept] = left(tmp_path)
    assert kept.read_text() == "description: Shop\n"
    assert f"kept in {kept}" in capsys.readouterr().err
    assert await project.spec() == {"description": "Else"}
    monkeypatch.setenv("KUBE_EDITOR", "/nonexistent/editor")
    with pytest.raises(CliError, match="can't be started"):
        await edit(project.where, project.name)
    assert left(tmp_path) == [kept]


async def test_a_project_is_made_of_a_file_and_options(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "project.yaml"
    generated = await project.stack.tiphys("proj", "generate-spec", project.name, "-s", "https://git/*")
    file.write_text(generated.out)
    assert yaml.safe_load(generated.out) == {
        "metadata": {"name": project.name},
        "spec": {"sourceRepos": ["https://git/*"]},
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
    }
    again = await project.stack.tiphys("proj", "generate-spec", "-f", str(file), "-i", "--description", "Web")
    assert (again.code, again.out) == (0, "")
    file.write_text(file.read_text().replace("metadata:", "metadata:\n  labels: {team: web}"))
    assert (await project.stack.tiphys("proj", "create", "-f", str(file))).code == 0
    found = await project.stack.get("appproject", project.name, "-n", "argocd")
    assert found["metadata"]["labels"] == {"team": "web"}
    assert found["spec"] == {"sourceRepos": ["https://git/*"], "description": "Web"}
    words = ("-f", str(file), "--upsert", "--description", "Shop")
    changed = await project.stack.tiphys("proj", "create", *words)
    assert (changed.code, changed.err) == (0, f"project {project.name} changed\n")
    assert (await project.spec())["description"] == "Shop"


async def test_roles_windows_and_policies(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    await project.create()
    at = (project.where, project.name)
    await parts.add_role(*at, "dev", "")
    wanted = ("role", "add-policy", project.name, "dev", "-a", "sync", "--object", "web-*")
    assert (await project.stack.tiphys("proj", *wanted)).code == 0
    await parts.group(*at, "dev", "org:web", add=True)
    wanted = ("--kind", "deny", "--schedule", "0 22 * * *", "--duration", "8h", "--applications", "*")
    assert (await project.stack.tiphys("proj", "windows", "add", project.name, *wanted)).code == 0
    await parts.change_window(*at, 0, parts.Window(manual_sync=True, duration="2h"))
    await parts.add_policy(*at, ["*"], "head", [KEY])
    await parts.change_policy(*at, 0, parts.PolicyWish(mode="strict"))
    spec = await project.spec()
    line = f"p, proj:{project.name}:dev, applications, sync, {project.name}/web-*, allow"
    assert spec["roles"] == [{"name": "dev", "policies": [line], "groups": ["org:web"]}]
    window = {"kind": "deny", "schedule": "0 22 * * *", "duration": "2h", "applications": ["*"], "manualSync": True}
    assert spec["syncWindows"] == [window]
    gpg = {"mode": "strict", "keys": [KEY]}
    assert spec["sourceIntegrity"] == {"git": {"policies": [{"repos": [{"url": "*"}], "gpg": gpg}]}}
    await read.show_role(*at, "dev")
    await read.show_windows(*at)
    shown = capsys.readouterr().out
    assert "org:web" in shown
    assert "manual" in shown
    await parts.delete_policy(*at, 0)
    await parts.delete_window(*at, 0)
    await parts.delete_role(*at, "dev")
    left = await project.spec()
    assert "sourceIntegrity" not in left
    assert (left["roles"], left["syncWindows"]) == ([], [])


async def test_hosts_certificates_and_keys(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where, unique = replace(project.where, output=Output.JSON), project.name
    host, file = f"{unique}.example.org", tmp_path / "lines"
    file.write_text(f"{host} {make_key()[1]}\n")
    assert (await project.stack.tiphys("cert", "add-ssh", "--from", str(file))).code == 0
    await certificates.show(where, None)
    found = json.loads(capsys.readouterr().out)
    assert [one["subtype"] for one in found if one["hostname"] == host] == ["ssh-ed25519"]
    await certificates.remove(where, host, None, None)
    assert (await project.stack.tiphys("cert", "rm", host)).code == 3

    with signers() as signing:
        key = signing.gpg_key(unique)
        file.write_text(key.armored)
        assert (await project.stack.tiphys("gpg", "add", "--from", str(file))).code == 0
        public = signing.ssh_key("carol").file.with_suffix(".key.pub")
        await keys.add_signers(where, str(public), unique)
    capsys.readouterr()
    await keys.show_list(where)
    rows = json.loads(capsys.readouterr().out)
    mine = {row["keyID"]: (row["type"], row["identity"]) for row in rows if unique in row["identity"]}
    assert mine.pop(key.id) == ("ed25519", f"{unique} <{unique}@example.org>")
    (fingerprint,) = mine
    await keys.show(where, key.id)
    assert "BEGIN PGP PUBLIC KEY" in capsys.readouterr().out
    for name in (key.id, fingerprint):
        await keys.remove(where, name)
    assert (await project.stack.tiphys("gpg", "get", key.id)).code == 3


async def test_a_private_key_is_never_taken(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "private"
    file.write_text("-----BEGIN PGP PRIVATE KEY BLOCK-----\ncanary\n")
    refused = await stack.tiphys("gpg", "add", "--from", str(file))
    assert refused.code == 1
    assert "canary" not in refused.err


async def test_tokens_of_roles_are_signed_as_argo_cd_does_and_shown_once(project: Project) -> None:
    at = (project.where, project.name)
    await project.create()
    await parts.add_role(*at, "ci", "")
    key = base64.b64encode(b"a key of thirty-two bytes, or more").decode()
    metadata = {"name": "argocd-secret", "namespace": "argocd"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"server.secretkey": key}}
    words = ("proj", "role", "create-token", project.name, "ci", "--expires-in", "1h", "--id", "one")
    assert "no server.secretkey" in (await project.stack.tiphys(*words)).err
    await project.stack.kubectl("apply", "-f", "-", stdin=json.dumps(secret))
    made = await project.stack.tiphys(*words)
    claims = jwt.decode(made.out.strip(), OctKey.import_key(key), algorithms=["HS256"]).claims
    assert (claims["iss"], claims["sub"], claims["jti"]) == ("argocd", f"proj:{project.name}:ci", "one")
    assert claims["exp"] - claims["iat"] == 3600
    entry = {"id": "one", "iat": claims["iat"], "exp": claims["exp"]}
    found = await project.stack.get("appproject", project.name, "-n", "argocd")
    assert found["spec"]["roles"][0]["jwtTokens"] == [entry]
    assert found["status"]["jwtTokensByRole"] == {"ci": {"items": [entry]}}
    assert made.out.strip() not in json.dumps(found)
    again = await project.stack.tiphys(*words)
    assert (again.code, "there is a token one already" in again.err) == (1, True)
    await tokens.delete(*at, "ci", str(claims["iat"]))
    left = await project.stack.get("appproject", project.name, "-n", "argocd")
    assert (left["spec"]["roles"][0]["jwtTokens"], left["status"]["jwtTokensByRole"]["ci"]["items"]) == ([], [])
    await project.stack.kubectl("delete", "secret", "argocd-secret", "-n", "argocd")


@pytest.mark.parametrize("text", ["soon", "-1h", "0.5s"])
def test_a_lifetime_that_can_not_be_is_refused(text: str) -> None:
    with pytest.raises(CliError, match="--expires-in"):
        tokens.lifetime(text)
