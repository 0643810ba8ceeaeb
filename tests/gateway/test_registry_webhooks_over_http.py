"""A registry's POST against a real gateway: who is believed, what it is told, and what the bus then holds."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

from shared.bus.server import Server
from shared.events import RegistryHook
from tests.gateway.conftest import Gateway, started
from tests.gateway.registry_payloads import SAMPLES, SECRET, Push, dockerhub, gcr, ghcr, gitlab, harbor
from tests.parts.cluster import ClusterUnderTest
from tests.parts.registry import serving

Make = Callable[[str], Push]
IMAGE_UPDATER = "argocd-image-updater-secret"
AUDIENCE, ACCOUNT = "https://tiphys.example.com/registry", "pusher@acme.iam.gserviceaccount.com"


async def send(
    gateway: Gateway, push: Push, secret: str | None = None, *, path: str = "", body: bytes | None = None
) -> tuple[int, dict[str, Any]]:
    data = json.dumps(push.body).encode() if body is None else body
    headers = {"Content-Type": "application/json", **push.headers}
    query = {}
    if secret is not None and push.sign is not None:
        headers |= push.sign(data, secret)
    elif secret is not None:
        query["secret"] = secret
    async with gateway.http.post(gateway.url + path, data=data, headers=headers, params=query) as response:
        return response.status, json.loads(await response.read())


async def until(gateway: Gateway, push: Push, secret: str | None, status: int, *, path: str = "") -> dict[str, Any]:
    """Send it until the gateway has seen the Secret that makes it answer like this."""
    async with asyncio.timeout(60):
        while True:
            got, answer = await send(gateway, push, secret, path=path)
            if got == status:
                return answer


async def hooks(gateway: Gateway, repository: str) -> list[RegistryHook]:
    found = []
    async for envelope in gateway.context.bus.replay("hooks.registry"):
        event = envelope.event()
        if isinstance(event, RegistryHook) and event.repository == repository:
            found.append(event)
    return found


@pytest.mark.parametrize("make", SAMPLES)
async def test_who_knows_the_secret_is_heard_and_nobody_else(gateway: Gateway, make: Make, unique: str) -> None:
    push = make(unique)
    status, answer = await send(gateway, push, SECRET)
    assert (status, push.key in answer["error"]) == (401, True)
    gateway.set_secret(IMAGE_UPDATER, **{push.key: SECRET + "\n"})
    answer = await until(gateway, push, SECRET, 202)
    assert answer["accepted"] == len(push.places)
    for wrong in (None, "", SECRET[:-1]):
        assert await send(gateway, push, wrong) == (401, {"error": "not authorised"})
    for registry, repository in push.places:
        (hook,) = await hooks(gateway, repository)
        assert (hook.registry, hook.tag, hook.digest) == (registry, "1.2.0", push.digest)


async def test_a_type_may_be_said_and_the_secret_stand_in_argocd_secret(gateway: Gateway, unique: str) -> None:
    push = gitlab(unique)
    gateway.set_secret(**{push.key: "$other", "other": SECRET})
    await until(gateway, push, SECRET, 202, path="/registry?type=gitlab")
    status, answer = await send(gateway, push, SECRET, path="/registry?type=nothing")
    assert (status, "no such type" in answer["error"]) == (400, True)
    assert (await send(gateway, push, SECRET, path="/registry?type=harbor"))[0] == 401


async def test_argos_own_address_is_heard_too(gateway: Gateway, unique: str) -> None:
    push = dockerhub(unique)
    gateway.set_secret(IMAGE_UPDATER, **{push.key: SECRET})
    await until(gateway, push, SECRET, 202)
    root = gateway.url.removesuffix("/api/webhook")
    there = f"{root}/webhook?type=docker.io&secret={SECRET}"
    async with gateway.http.post(there, data=json.dumps(push.body)) as response:
        assert response.status == 202


async def test_githubs_pushes_are_still_gits(gateway: Gateway, unique: str) -> None:
    push = ghcr(unique)._replace(headers={"X-GitHub-Event": "push"})
    status, answer = await send(gateway, push)
    assert (status, "ref" in answer["error"]) == (400, True)


@pytest.mark.parametrize("body", ["null", "[]", "{}", '"text"', '{"push_data":{},"repository":{"repo_name":1}}'])
async def test_json_of_the_wrong_shape_is_a_400_that_says_what_is_wrong(
    gateway: Gateway, unique: str, body: str
) -> None:
    push = dockerhub(unique)
    gateway.set_secret(IMAGE_UPDATER, **{push.key: SECRET})
    await until(gateway, push, SECRET, 202)
    status, answer = await send(gateway, push, SECRET, path="/registry?type=docker.io", body=body.encode())
    assert status == 400
    assert "required" in answer["error"] or "valid" in answer["error"]


async def spaces(pieces: int) -> AsyncIterator[bytes]:
    for _ in range(pieces):
        yield b" " * 65536


async def test_what_is_no_json_or_too_large_is_refused(gateway: Gateway, unique: str) -> None:
    push = harbor(unique)
    assert await send(gateway, push, body=b"{not json") == (400, {"error": "the body is not JSON"})
    assert (await send(gateway, push, body=b'{"a":' * 100_000))[0] == 400
    async with gateway.http.post(gateway.url, data=spaces(17)) as response:
        assert response.status == 413


async def test_a_redelivery_is_one_event(gateway: Gateway, unique: str) -> None:
    push = harbor(unique)
    gateway.set_secret(IMAGE_UPDATER, **{push.key: SECRET})
    await until(gateway, push, SECRET, 202)
    assert [(await send(gateway, push, SECRET))[0] for _ in range(3)] == [202] * 3
    assert len(await hooks(gateway, f"acme/{unique}")) == 1


class Google:
    """Signs tokens with its key, and says at its address which keys it has."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "first"})
        self.asked = 0

    async def keys(self, _request: web.BaseRequest) -> web.StreamResponse:
        self.asked += 1
        return web.json_response({"keys": [self.key.as_dict(private=False)]})

    def token(self, **claims: Any) -> str:
        given = {"iss": "https://accounts.google.com", "aud": AUDIENCE, "email": ACCOUNT, "email_verified": True}
        given |= {"exp": int(time.time()) + 300, **claims}
        return jwt.encode({"alg": "RS256", "kid": "first"}, {k: v for k, v in given.items() if v is not None}, self.key)


@pytest_asyncio.fixture
async def google(
    gateway_nats: Server, cluster: ClusterUnderTest, namespace: str, tmp_path: Path
) -> AsyncIterator[tuple[Google, Gateway]]:
    google = Google()
    async with (
        serving(google.keys) as url,
        started(gateway_nats.url, cluster, namespace, tmp_path, google_keys_url=f"{url}/certs") as gateway,
    ):
        yield google, gateway


def _unsigned(token: str) -> str:
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    return f"{header}.{token.split('.')[1]}."


def bearing(push: Push, token: str) -> Push:
    return push._replace(headers={"Authorization": f"Bearer {token}"})


async def test_googles_pushes_need_a_token_for_us_from_the_agreed_account(
    google: tuple[Google, Gateway], unique: str
) -> None:
    key, gateway = google
    push = gcr(unique)
    assert (await send(gateway, bearing(push, key.token())))[0] == 401
    gateway.set_secret(IMAGE_UPDATER, **{"webhook.gcr-audience": AUDIENCE, "webhook.gcr-email": ACCOUNT})
    await until(gateway, bearing(push, key.token()), None, 202)
    (hook,) = await hooks(gateway, f"acme/{unique}/web")
    assert (hook.registry, hook.tag) == ("europe-docker.pkg.dev", "1.2.0")
    stranger = Google()
    others = [
        key.token(aud="https://elsewhere.example.com"),
        key.token(email="other@acme.iam.gserviceaccount.com"),
        key.token(email_verified=False),
        key.token(email_verified=None),
        key.token(iss="https://evil.example.com"),
        key.token(exp=int(time.time()) - 10),
        key.token(exp=None),
        stranger.token(),
        _unsigned(key.token()),
        "nonsense",
        "",
    ]
    assert {(await send(gateway, bearing(push, token)))[0] for token in others} == {401}
    assert key.asked <= 2


async def test_without_googles_keys_the_sender_is_asked_to_come_again(
    gateway_nats: Server, cluster: ClusterUnderTest, namespace: str, tmp_path: Path, unique: str
) -> None:
    async with started(
        gateway_nats.url, cluster, namespace, tmp_path, google_keys_url="http://127.0.0.1:1/certs"
    ) as gateway:
        gateway.set_secret(IMAGE_UPDATER, **{"webhook.gcr-audience": AUDIENCE, "webhook.gcr-email": ACCOUNT})
        await until(gateway, bearing(gcr(unique), Google().token()), None, 503)
