"""Logging in: kubeconfigs with plugins, cluster Secrets as Argo CD writes them, tokens that expire or are refused.

Not tested: OIDC refresh and Google's provider, which kubernetes_asyncio does alone; a proxy in front of a cluster.
"""

import base64
import json
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from shared.clock import now, rfc3339
from shared.kube import Cluster, NoCluster, Unauthorized, Unavailable, connect, connect_secret
from shared.kube.credentials import from_pod
from tests.kube.tools import address, cluster_secret, service_account, token
from tests.parts.cluster import ClusterUnderTest

REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
EXEC = "client.authentication.k8s.io/v1"


async def who(api: Cluster) -> str:
    body = b'{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'
    found = orjson.loads(await api.request("POST", REVIEWS, body=body))
    return str(found["status"]["userInfo"]["username"])


def raw_user(cluster: ClusterUnderTest) -> dict[str, Any]:
    config = orjson.loads(cluster.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    found: dict[str, Any] = config["users"][0]["user"]
    return found


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


class Plugin:
    """An exec plugin: a shell that counts its runs and prints what is in a file."""

    def __init__(self, folder: Path) -> None:
        self._answer, self._runs = folder / "answer", folder / "runs"
        self.exec = {
            "apiVersion": EXEC,
            "command": "sh",
            "args": ["-c", f"echo run >> '{self._runs}'; cat '{self._answer}'"],
            "interactiveMode": "Never",
        }

    def answers(self, token: str, expires_in: float | None = None) -> None:
        status = {"token": token}
        if expires_in is not None:
            status["expirationTimestamp"] = rfc3339(now() + timedelta(seconds=expires_in))
        self.gives(status)

    def gives(self, status: dict[str, str]) -> None:
        self._answer.write_text(json.dumps({"apiVersion": EXEC, "kind": "ExecCredential", "status": status}))

    @property
    def runs(self) -> int:
        return self._runs.read_text().count("run")


def kubeconfig(folder: Path, cluster: ClusterUnderTest, user: dict[str, Any]) -> Path:
    server, tls = address(cluster)
    path = folder / "kubeconfig"
    config = {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": server, "certificate-authority-data": tls["caData"]}}],
        "users": [{"name": "it", "user": user}],
    }
    path.write_text(json.dumps(config))
    return path


@pytest.fixture
def plugin(tmp_path: Path) -> Plugin:
    return Plugin(tmp_path)


async def test_a_plugin_is_run_once_for_many_requests(
    cluster: ClusterUnderTest, namespace: str, plugin: Plugin, tmp_path: Path
) -> None:
    plugin.answers(token(cluster, namespace), expires_in=3600)
    async with connect(kubeconfig(tmp_path, cluster, {"exec": plugin.exec})) as api:
        assert [await who(api) for _ in range(3)] == [f"system:serviceaccount:{namespace}:default"] * 3
    assert plugin.runs == 1


async def test_a_token_that_the_server_refuses_is_asked_for_anew(
    cluster: ClusterUnderTest, namespace: str, plugin: Plugin, tmp_path: Path
) -> None:
    plugin.answers("revoked-token")
    async with connect(kubeconfig(tmp_path, cluster, {"exec": plugin.exec})) as api:
        plugin.answers(token(cluster, namespace))
        assert await who(api) == f"system:serviceaccount:{namespace}:default"
    assert plugin.runs == 2


async def test_a_token_is_renewed_before_it_expires(
    cluster: ClusterUnderTest, namespace: str, plugin: Plugin, tmp_path: Path
) -> None:
    plugin.answers("old-token", expires_in=-10)
    async with connect(kubeconfig(tmp_path, cluster, {"exec": plugin.exec})) as api:
        plugin.answers(token(cluster, namespace), expires_in=3600)
        await who(api)
        await who(api)
    assert plugin.runs == 2


async def test_a_plugin_may_give_a_client_certificate(
    cluster: ClusterUnderTest, plugin: Plugin, tmp_path: Path
) -> None:
    user = raw_user(cluster)
    pem = {name: base64.b64decode(user[f"client-{name}-data"]).decode() for name in ("certificate", "key")}
    plugin.gives({"clientCertificateData": pem["certificate"], "clientKeyData": pem["key"]})
    async with connect(kubeconfig(tmp_path, cluster, {"exec": plugin.exec})) as api:
        assert await who(api)
    assert plugin.runs == 1


async def test_a_plugin_that_keeps_giving_a_bad_token_is_not_run_for_every_request(
    cluster: ClusterUnderTest, plugin: Plugin, tmp_path: Path
) -> None:
    plugin.answers("revoked-token")
    async with connect(kubeconfig(tmp_path, cluster, {"exec": plugin.exec})) as api:
        for _ in range(5):
            with pytest.raises(Unauthorized):
                await who(api)
    assert plugin.runs == 2


async def test_a_plugin_that_fails_says_what_it_said(cluster: ClusterUnderTest, tmp_path: Path) -> None:
    failing = {"apiVersion": EXEC, "command": "sh", "args": ["-c", "echo please log in >&2; exit 3"]}
    with pytest.raises(NoCluster, match="please log in"):
        async with connect(kubeconfig(tmp_path, cluster, {"exec": failing})):
            pass


async def test_a_cluster_secret_with_a_token_logs_in(cluster: ClusterUnderTest, namespace: str) -> None:
    async with connect_secret(service_account(cluster, namespace)) as api:
        assert await who(api) == f"system:serviceaccount:{namespace}:default"


async def test_a_cluster_secret_with_a_client_certificate_logs_in_and_leaves_no_key_behind(
    cluster: ClusterUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    server, tls = address(cluster)
    user = raw_user(cluster)
    files = {"certData": user["client-certificate-data"], "keyData": user["client-key-data"]}
    async with connect_secret(cluster_secret(server, {"tlsClientConfig": tls | files})) as api:
        assert files_in(tmp_path) == []
        assert await who(api)


async def test_a_cluster_secret_with_a_plugin_logs_in(
    cluster: ClusterUnderTest, namespace: str, plugin: Plugin
) -> None:
    plugin.answers(token(cluster, namespace))
    server, tls = address(cluster)
    command = {"command": "sh", "args": plugin.exec["args"], "apiVersion": EXEC, "env": {"A": "b"}}
    async with connect_secret(cluster_secret(server, {"execProviderConfig": command, "tlsClientConfig": tls})) as api:
        assert await who(api) == f"system:serviceaccount:{namespace}:default"


async def test_a_certificate_of_an_unknown_authority_is_refused_with_advice(
    cluster: ClusterUnderTest, namespace: str
) -> None:
    server, _ = address(cluster)
    secret = cluster_secret(server, {"bearerToken": token(cluster, namespace)})
    async with connect_secret(secret) as api:
        with pytest.raises(Unavailable, match="correct the cluster's CA"):
            await who(api)


async def test_an_insecure_cluster_secret_trusts_any_certificate(cluster: ClusterUnderTest, namespace: str) -> None:
    server, _ = address(cluster)
    secret = cluster_secret(server, {"bearerToken": token(cluster, namespace), "tlsClientConfig": {"insecure": True}})
    async with connect_secret(secret) as api:
        assert await who(api)


async def test_a_token_file_that_was_rewritten_is_read_again(
    cluster: ClusterUnderTest, namespace: str, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("revoked-token")
    async with connect(kubeconfig(tmp_path, cluster, {"tokenFile": "token"})) as api:
        file.write_text(token(cluster, namespace) + "\n")
        assert await who(api) == f"system:serviceaccount:{namespace}:default"


async def test_a_kubeconfig_that_stands_in_for_somebody_does(cluster: ClusterUnderTest, tmp_path: Path) -> None:
    user = raw_user(cluster) | {"as": "jane", "as-groups": ["system:authenticated", "crew"]}
    async with connect(kubeconfig(tmp_path, cluster, user)) as api:
        assert await who(api) == "jane"


async def test_a_plugin_and_standing_in_go_together(cluster: ClusterUnderTest, plugin: Plugin, tmp_path: Path) -> None:
    user = raw_user(cluster)
    pem = {name: base64.b64decode(user[f"client-{name}-data"]).decode() for name in ("certificate", "key")}
    plugin.gives({"clientCertificateData": pem["certificate"], "clientKeyData": pem["key"]})
    async with connect(kubeconfig(tmp_path, cluster, {"exec": plugin.exec, "as": "jane"})) as api:
        assert await who(api) == "jane"


async def test_a_pod_uses_its_service_account(cluster: ClusterUnderTest, namespace: str, tmp_path: Path) -> None:
    server, tls = address(cluster)
    (tmp_path / "ca.crt").write_bytes(base64.b64decode(tls["caData"]))
    (tmp_path / "token").write_text("first\n")
    host, port = server.removeprefix("https://").rsplit(":", 1)
    environment = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
    way = await from_pod(environment, tmp_path)
    first = await way.current()
    assert (first.server, first.authorization) == (server, "Bearer first")
    (tmp_path / "token").write_text("second\n")
    assert await way.refused(first)
    assert (await way.current()).authorization == "Bearer second"


def test_a_kubeconfig_without_plugins_does_not_load_the_large_client(cluster: ClusterUnderTest) -> None:
    script = f"""
import asyncio, sys
from pathlib import Path
from shared.kube import connect

async def main():
    async with connect(Path({str(cluster.kubeconfig)!r})) as api:
        await api.request("GET", "/version")

asyncio.run(main())
assert "kubernetes_asyncio" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"{}", b'{"current-context": "a", "contexts": []}', base64.b64decode("/////w==")],
)
async def test_a_damaged_kubeconfig_is_one_clear_error(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "kubeconfig"
    path.write_bytes(damage)
    with pytest.raises(NoCluster):
        async with connect(path):
            pass


async def test_a_missing_file_or_context_is_named(cluster: ClusterUnderTest, tmp_path: Path) -> None:
    with pytest.raises(NoCluster, match=r"there is no kubeconfig at .*nowhere"):
        async with connect(tmp_path / "nowhere"):
            pass
    with pytest.raises(NoCluster, match="no-such-context"):
        async with connect(cluster.kubeconfig, "no-such-context"):
            pass
