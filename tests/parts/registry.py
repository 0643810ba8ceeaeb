"""A real OCI registry (Debian's docker-registry) on a free port: open, with a password, or with tokens; and pushing."""

import asyncio
import base64
import hashlib
import io
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio
import yaml
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import RSAKey

from shared.clock import now
from tests.parts.certificates import Pair

USER, PASSWORD = "puller", "secret-of-the-puller"
HTPASSWD = "puller:$2y$05$abcdefghijklmnopqrstuu9jNlK8A8QWYSzK.cO.9h.b0mg9G5aD.\n"
CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json"
TAR_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_LISTENING = re.compile(rb"listening on (127\.0\.0\.1:\d+)")


@dataclass(frozen=True)
class RunningRegistry:
    """`headers` let a test push."""

    host: str
    headers: Mapping[str, str] = field(default_factory=dict)

    async def push(
        self, name: str, tag: str, content: bytes, *, layer: str = CHART_LAYER, config: str = CHART_CONFIG
    ) -> str:
        """One artifact with one layer; gives the manifest's digest."""
        async with aiohttp.ClientSession(headers=self.headers) as client:
            blobs = [await self.blob(client, name, data) for data in (b"{}", content)]
            manifest = orjson.dumps(
                {
                    "schemaVersion": 2,
                    "mediaType": MANIFEST,
                    "config": {"mediaType": config, "digest": blobs[0], "size": 2},
                    "layers": [{"mediaType": layer, "digest": blobs[1], "size": len(content)}],
                }
            )
            url = f"http://{self.host}/v2/{name}/manifests/{tag}"
            async with client.put(url, data=manifest, headers={"Content-Type": MANIFEST}) as response:
                assert response.status == 201, await response.text()
        return f"sha256:{hashlib.sha256(manifest).hexdigest()}"

    async def blob(self, client: aiohttp.ClientSession, name: str, data: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        async with client.post(f"http://{self.host}/v2/{name}/blobs/uploads/") as response:
            assert response.status == 202, await response.text()
            location = response.headers["Location"]
        async with client.put(f"{location}&digest={digest}", data=io.BytesIO(data)) as response:
            assert response.status == 201, await response.text()
        return digest


@asynccontextmanager
async def running_registry(
    folder: Path, auth: Mapping[str, Any] | None = None, *, webhook: str = "", secret: str = "", tls: Pair | None = None
) -> AsyncIterator[RunningRegistry]:
    """Starts the registry and reads from its own log where it listens. `webhook`: it tells of pushes there."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a test's own folder
    config: dict[str, Any] = {
        "version": 0.1,
        "log": {"level": "info"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": "127.0.0.1:0"},
    }
    if auth:
        config["auth"] = dict(auth)
    if webhook:
        endpoint = {"name": "tiphys", "url": webhook, "headers": {"Authorization": [secret]}, "timeout": "5s"}
        config["notifications"] = {"endpoints": [endpoint | {"threshold": 5, "backoff": "1s"}]}
    if tls:
        (folder / "tls.crt").write_text(tls.certificate)
        (folder / "tls.key").write_text(tls.key)
        config["http"]["tls"] = {"certificate": str(folder / "tls.crt"), "key": str(folder / "tls.key")}
    path = folder / "config.yml"
    path.write_text(yaml.safe_dump(config))
    process = await asyncio.create_subprocess_exec(
        "docker-registry", "serve", str(path), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        host = await asyncio.wait_for(_listening(process.stderr), 60)
        drain = asyncio.create_task(process.stderr.read())
        try:
            yield RunningRegistry(host)
        finally:
            process.terminate()
            await drain
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _listening(lines: asyncio.StreamReader) -> str:
    seen = b""
    while line := await lines.readline():
        seen += line
        if match := _LISTENING.search(line):
            return match[1].decode()
    raise AssertionError(f"the registry did not start: {seen.decode(errors='replace')[-2000:]}")


@pytest_asyncio.fixture(scope="session")
async def registry(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningRegistry]:
    """An open registry for the session; tests keep apart by repository names."""
    async with running_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@asynccontextmanager
async def registry_with_password(folder: Path) -> AsyncIterator[RunningRegistry]:
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a test's own folder
    passwords = folder / "htpasswd"
    passwords.write_text(HTPASSWD)
    async with running_registry(folder, {"htpasswd": {"realm": "tests", "path": str(passwords)}}) as running:
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        yield RunningRegistry(running.host, {"Authorization": f"Basic {pair}"})


@dataclass
class TokenServer:
    """Gives tokens for what a user may do; remembers who asked."""

    key: RSAKey
    chain: Sequence[str]
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        self.asked.append(given)
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if given != f"Basic {expected}":
            return web.json_response({"errors": [{"code": "UNAUTHORIZED"}]}, status=401)
        scopes = [scope.split(":") for scope in request.query.getall("scope", [])]
        return web.json_response({"token": self.token(scopes), "expires_in": 300})

    def token(self, scopes: Sequence[Sequence[str]]) -> str:
        access = [{"type": kind, "name": name, "actions": actions.split(",")} for kind, name, actions in scopes]
        at = int(time.time())
        claims = {"iss": "tests", "sub": USER, "aud": "tests", "exp": at + 300, "nbf": at - 10, "iat": at, "jti": "1"}
        return jwt.encode({"alg": "RS256", "x5c": list(self.chain)}, {**claims, "access": access}, self.key)


def _token_server() -> tuple[TokenServer, bytes]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    der = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()
    return TokenServer(RSAKey.import_key(private), [der]), certificate.public_bytes(serialization.Encoding.PEM)


@asynccontextmanager
async def serving(handler: Any) -> AsyncIterator[str]:
    """An HTTP handler on a free port; gives `http://127.0.0.1:port`."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def registry_with_tokens(folder: Path) -> AsyncIterator[tuple[RunningRegistry, TokenServer]]:
    """A registry that sends its users to a token server."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a test's own folder
    tokens, certificate = _token_server()
    bundle = folder / "bundle.pem"
    bundle.write_bytes(certificate)

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return await tokens.answer(request)  # type: ignore[arg-type]

    async with serving(answer) as url:
        auth = {
            "token": {"realm": f"{url}/token", "service": "tests", "issuer": "tests", "rootcertbundle": str(bundle)}
        }
        async with running_registry(folder, auth) as running:
            pushing = tokens.token([["repository", "charts/web", "pull,push"]])
            yield RunningRegistry(running.host, {"Authorization": f"Bearer {pushing}"}), tokens
