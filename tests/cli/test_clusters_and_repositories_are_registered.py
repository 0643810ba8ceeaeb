"""`cluster`, `repo` and `repocreds` against a running stack: the services log in with what they write, and no command
shows it.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest_asyncio

from shared.kube import verbs
from tests.parts.delivery import ARGO, Delivery, config_map, synced, synced_to
from tests.parts.gitserver import git_hosting
from tests.parts.stack import Ended

Obj = dict[str, Any]
CANARY = "canary-of-a-password"
NOT_FOUND = 3


@dataclass
class Terminal:
    """What a person types; everything that was printed is kept."""

    delivery: Delivery
    printed: str = ""
    context: str = ""
    made: list[tuple[str, ...]] = field(default_factory=list)

    async def __call__(self, *words: str) -> Ended:
        ended = await self.delivery.stack.tiphys(*words)
        self.printed += ended.out + ended.err
        return ended

    async def well(self, *words: str) -> str:
        ended = await self(*words)
        assert ended.code == 0, f"{words}: {ended.out}{ended.err}"
        return ended.out

    async def shown(self, *words: str) -> Any:
        return json.loads(await self.well(*words, "-o", "json"))

    async def add_cluster(self, *words: str) -> Ended:
        """The session's own cluster under its address; the account is made in the test's namespace."""
        kubeconfig = self.delivery.stack.state.kubeconfig
        place = ("--system-namespace", self.delivery.namespace)
        return await self(
            "cluster", "add", self.context, "--from", kubeconfig, "--name", self.delivery.app, *place, *words
        )

    async def secret(self) -> dict[str, str]:
        """What the cluster Secret of this test holds."""
        found = await self.delivery.stack.get("secret", "-n", ARGO, "-l", "argocd.argoproj.io/secret-type=cluster")
        texts = [
            {key: base64.b64decode(value).decode() for key, value in one["data"].items()} for one in found["items"]
        ]
        return next(one for one in texts if one["server"] == self.server)

    @property
    def server(self) -> str:
        return str(self.made[0][0])

    async def token(self) -> str:
        return str(json.loads((await self.secret())["config"])["bearerToken"])


async def logs_in(delivery: Delivery, token: str) -> bool:
    """What the API server thinks of a token."""
    review = await delivery.discovery.resource("authentication.k8s.io", "TokenReview")
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "metadata": {}, "spec": {"token": token}}
    return bool((await verbs.create(delivery.cluster, review, asked))["status"].get("authenticated"))


@pytest_asyncio.fixture
async def terminal(delivery: Delivery) -> AsyncIterator[Terminal]:
    kubectl = delivery.stack.kubectl
    view = json.loads((await kubectl("config", "view", "--minify", "-o", "json")).out)
    assert (await kubectl("create", "namespace", delivery.namespace)).code == 0
    yield Terminal(delivery, context=view["contexts"][0]["name"], made=[(view["clusters"][0]["cluster"]["server"],)])
    await kubectl("delete", "application", delivery.app, "-n", ARGO, "--ignore-not-found")
    await delivery.stack.tiphys("cluster", "rm", view["clusters"][0]["cluster"]["server"])
    await kubectl(
        "delete",
        "clusterrole,clusterrolebinding",
        "argocd-manager-role",
        "argocd-manager-role-binding",
        "--ignore-not-found",
    )


async def test_an_application_syncs_to_a_cluster_that_was_added_and_goes_on_with_new_credentials(
    terminal: Terminal,
) -> None:
    delivery = terminal.delivery
    added = await terminal.add_cluster("--label", "tier=gold", "--annotation", "note=x")
    assert added.code == 0, added.err
    assert "is registered already" in (await terminal.add_cluster()).err
    delivery.begin({"app/a.json": config_map("a", v="1")})
    app = delivery.application(destination={"name": delivery.app, "namespace": delivery.namespace}, automated={})
    app["metadata"]["finalizers"] = []
    await delivery.apply(app)
    await delivery.until(synced)
    (entry,) = [one for one in await terminal.shown("cluster", "list") if one["server"] == terminal.server]
    assert (entry["name"], entry["connectionState"]["status"]) == (delivery.app, "Successful")
    assert entry["connectionState"]["serverVersion"] == await delivery.discovery.version()
    assert (entry["labels"]["tier"], entry["annotations"]["note"]) == ("gold", "x")
    assert entry["info"]["applications"] == 1

    first = await terminal.token()
    await terminal.well("cluster", "rotate-auth", delivery.app)
    second = await terminal.token()
    assert await logs_in(delivery, second)
    async with asyncio.timeout(60):
        while await logs_in(delivery, first):  # noqa: ASYNC110 - the API server remembers whom it let in
            await asyncio.sleep(1)
    await delivery.until(synced_to(await delivery.push({"app/a.json": config_map("a", v="2")})), seconds=60)

    await terminal.well("cluster", "set", terminal.server, "--name", f"{delivery.app}-new", "--label", "tier=silver")
    shown = await terminal.shown("cluster", "get", f"{delivery.app}-new")
    assert (shown["server"], shown["labels"]["tier"]) == (terminal.server, "silver")
    await terminal.well("cluster", "rm", terminal.server)
    assert (await terminal("cluster", "get", terminal.server)).code == NOT_FOUND
    assert await delivery.get("ConfigMap", "a"), "what was delivered stays"
    assert not [token for token in (first, second) if token in terminal.printed]


async def test_a_cluster_may_be_added_for_some_namespaces_only(terminal: Terminal) -> None:
    home = terminal.delivery.namespace
    added = await terminal.add_cluster("--managed-namespace", home, "--project", "default")
    assert added.code == 0, added.err
    texts = await terminal.secret()
    assert (texts["namespaces"], texts["project"]) == (home, "default")
    kubectl = terminal.delivery.stack.kubectl
    who = ("--as", f"system:serviceaccount:{home}:argocd-manager")
    async with asyncio.timeout(60):  # the API server learns of roles a moment later
        while (await kubectl("auth", "can-i", "delete", "secrets", "-n", home, *who)).out.strip() != "yes":
            pass
    assert (await kubectl("auth", "can-i", "get", "secrets", "-n", "kube-system", *who)).out.strip() == "no"
    await terminal.well(
        "cluster", "set", terminal.delivery.app, "--managed-namespace", home, "--managed-namespace", "x"
    )
    assert (await terminal.secret())["namespaces"] == f"{home},x"
    assert (await terminal.shown("cluster", "get", terminal.delivery.app))["namespaces"] == [home, "x"]


async def test_what_cannot_be_added_is_refused_before_anything_is_written(terminal: Terminal, tmp_path: Path) -> None:
    server = "https://127.0.0.1:1"
    broken = {
        "apiVersion": "v1",
        "kind": "Config",
        "contexts": [{"name": "away", "context": {"cluster": "away", "user": "away"}}],
        "clusters": [{"name": "away", "cluster": {"server": server}}],
        "users": [{"name": "away", "user": {"token": CANARY}}],
    }
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(broken))
    unknown = await terminal("cluster", "add", "nothing", "--from", str(file))
    assert (unknown.code, "no usable context" in unknown.err) == (NOT_FOUND, True)
    away = await terminal("cluster", "add", "away", "--from", str(file))
    assert away.code == 5, away.err
    assert server not in json.dumps(await terminal.shown("cluster", "list"))
    assert CANARY not in terminal.printed


async def test_a_private_repository_is_read_with_what_was_registered(terminal: Terminal, tmp_path: Path) -> None:
    delivery = terminal.delivery
    async with git_hosting(tmp_path / "host", users={"ci": CANARY}) as host:
        repository = host.repository("private")
        repository.commit({"app/a.json": config_map("a", v="1")})
        url = repository.url
        wrong = await terminal("repo", "add", url, "--username", "ci", "--password", "no")
        assert (wrong.code, "can't be read" in wrong.err) == (1, True), wrong.err
        login = ("--username", "ci", "--password", CANARY)
        await terminal.well("repo", "add", url, *login, "--upsert")
        (entry,) = [one for one in await terminal.shown("repo", "list") if one["repo"] == url]
        assert (entry["login"], entry["username"], entry["connectionState"]["status"]) == (
            "password",
            "ci",
            "Successful",
        )
        delivery.repo = url
        app = delivery.application(automated={})
        app["metadata"]["finalizers"] = []
        await delivery.apply(app)
        await delivery.until(synced)
        await terminal.well("repo", "rm", url)
        assert (await terminal("repo", "get", url)).code == NOT_FOUND
    assert CANARY not in terminal.printed


async def test_credentials_count_for_all_repositories_below_their_url(terminal: Terminal, tmp_path: Path) -> None:
    async with git_hosting(tmp_path / "host", users={"ci": CANARY}) as host:
        repository = host.repository("team/private")
        repository.commit({"a": b"1"})
        prefix = f"{host.server.url}/team"
        assert "nothing to log in with" in (await terminal("repocreds", "add", prefix)).err
        await terminal.well("repocreds", "add", prefix, "--username", "ci", "--password", CANARY)
        (entry,) = [one for one in await terminal.shown("repocreds", "list") if one["url"] == prefix]
        assert (entry["login"], entry["username"]) == ("password", "ci")
        await terminal.well("repo", "add", repository.url)
        shows = ("repo", "get", repository.url, "--refresh")
        shown = await terminal.shown(*shows)
        assert shown["connectionState"] == {"status": "Successful", "message": ""}
        await terminal.well("repocreds", "rm", prefix)
        async with asyncio.timeout(60):  # the service learns of it a moment later
            while (await terminal.shown(*shows))["connectionState"]["status"] != "Failed":
                pass
        await terminal.well("repo", "rm", repository.url)
    assert CANARY not in terminal.printed
