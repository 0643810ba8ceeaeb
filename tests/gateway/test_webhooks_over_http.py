"""A provider's POST against a real gateway: what it is told, and what the bus then holds."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from shared.bus.server import Server, running
from tests.gateway.conftest import Gateway, started
from tests.gateway.payloads import SAMPLES, SECRET, Sample, bitbucketserver, encoded, github
from tests.parts.cluster import ClusterUnderTest

Make = Callable[[str], Sample]


@pytest.mark.parametrize("make", SAMPLES)
async def test_without_a_secret_a_push_is_taken(gateway: Gateway, make: Make, unique: str) -> None:
    sample = make(unique)
    status, answer = await gateway.send(sample)
    (hook,) = await gateway.hooks(sample.urls[0])
    assert (status, answer["accepted"]) == (202, 1)
    assert answer["delivery"] == hook.delivery
    assert hook.provider == sample.provider


async def test_not_verifying_is_said_in_readiness(gateway: Gateway) -> None:
    await gateway.until_note("webhooks", "no secret is set: azuredevops, gitea, gogs, github")
    assert gateway.context.health.ready


@pytest.mark.parametrize("make", SAMPLES)
async def test_with_a_secret_only_who_knows_it_is_heard(gateway: Gateway, make: Make, unique: str) -> None:
    sample = make(unique)
    gateway.set_secret(**sample.settings)
    await gateway.until_status(sample, "wrong", 401)
    refusals = [
        await gateway.send(sample, None),
        await gateway.send(sample, ""),
        await gateway.send(sample, SECRET[:-1]),
    ]
    assert refusals == [(401, {"error": "not authorised"})] * 3
    before = await gateway.hooks(sample.urls[0])
    status, _ = await gateway.send(sample, SECRET)
    assert status == 202
    assert len(await gateway.hooks(sample.urls[0])) == 1
    assert len(before) <= 1  # at most the one sent before the Secret was seen; the same delivery is one event


async def test_a_secret_may_refer_to_another(gateway: Gateway, unique: str) -> None:
    sample = github(unique)
    gateway.set_secret("elsewhere", token=SECRET)
    gateway.set_secret(**{"webhook.github.secret": "$elsewhere:token"})
    await gateway.until_status(sample, SECRET, 202)
    await gateway.until_status(sample, "$elsewhere:token", 401)
    gateway.set_secret(**{"webhook.github.secret": "$own.key", "own.key": "another secret\n"})
    await gateway.until_status(sample, "another secret", 202)


async def test_a_reference_that_leads_nowhere_verifies_nothing_and_is_told(gateway: Gateway, unique: str) -> None:
    sample = github(unique)
    gateway.set_secret(**{"webhook.github.secret": "$gone:token"})
    await gateway.until_note("references", "webhook.github.secret in argocd-secret lead nowhere")
    assert (await gateway.send(sample, SECRET))[0] == 401
    assert (await gateway.send(sample, ""))[0] == 401


async def test_an_old_server_may_sign_with_sha1(gateway: Gateway, unique: str) -> None:
    sample = github(unique)
    gateway.set_secret(**sample.settings)
    await gateway.until_status(sample, "wrong", 401)
    body = encoded(sample)
    old = {"X-Hub-Signature": "sha1=" + hmac.new(SECRET.encode(), body, "sha1").hexdigest()}
    assert (await gateway.post(body, {**sample.headers, **old}))[0] == 202
    both = {**old, "X-Hub-Signature-256": "sha256=0"}
    assert (await gateway.post(body, {**sample.headers, **both}))[0] == 401


async def test_a_ping_is_answered_kindly(gateway: Gateway) -> None:
    headers = {"X-GitHub-Event": "ping", "X-GitHub-Delivery": "1"}
    assert await gateway.post(b'{"zen":"Keep it simple."}', headers) == (200, {"ignored": "event 'ping'"})


async def test_what_no_provider_sends_is_told_so(gateway: Gateway) -> None:
    status, answer = await gateway.post(b"{}", {})
    assert status == 400
    assert "no git provider's event header" in answer["error"]


async def test_malformed_json_is_a_400(gateway: Gateway) -> None:
    headers = github("x").headers
    assert await gateway.post(b"{not json", headers) == (400, {"error": "the body is not JSON"})


@pytest.mark.parametrize("make", SAMPLES)
@pytest.mark.parametrize("body", ["null", "[]", "{}", '"text"', "1", '{"repository":null}', '{"ref":[],"changes":{}}'])
async def test_json_of_the_wrong_shape_is_a_400_that_says_what_is_missing(
    gateway: Gateway, make: Make, body: str
) -> None:
    status, answer = await gateway.post(body.encode(), make("x").headers)
    assert status == 400
    assert "required" in answer["error"] or "valid" in answer["error"]


async def test_other_methods_and_pages_are_refused_in_json(gateway: Gateway) -> None:
    async with gateway.http.get(gateway.url) as response:
        assert response.status == 405
        assert response.headers["Allow"] == "POST"
        assert await response.json() == {"error": "Method Not Allowed"}
    async with gateway.http.post(gateway.url + "/x") as response:
        assert response.status == 404


async def test_a_redelivery_is_one_event(gateway: Gateway, unique: str) -> None:
    sample = github(unique)
    assert [(await gateway.send(sample))[0] for _ in range(3)] == [202, 202, 202]
    assert len(await gateway.hooks(sample.urls[0])) == 1


async def test_a_hundred_pushes_at_once_are_all_stored(gateway: Gateway, unique: str) -> None:
    samples = [github(f"{unique}-{number}") for number in range(100)]
    answers = await asyncio.gather(*(gateway.send(sample) for sample in samples))
    assert {status for status, _ in answers} == {202}
    assert all([await gateway.hooks(sample.urls[0]) for sample in samples[::20]])


async def test_a_huge_push_is_taken_without_its_paths(gateway: Gateway, unique: str) -> None:
    sample = github(unique)
    sample.body["commits"] = [{"modified": [f"apps/{n}/{m}.yaml" for m in range(40)]} for n in range(1000)]
    assert (await gateway.send(sample))[0] == 202
    assert [hook.changed for hook in await gateway.hooks(sample.urls[0])] == [None]


async def test_a_name_that_no_ref_has_is_refused_for_good(gateway: Gateway, unique: str) -> None:
    sample = github(unique)
    sample.body["ref"] = "refs/heads/" + "x" * 1_040_000
    assert (await gateway.send(sample))[0] == 400


async def test_more_refs_than_anyone_pushes_are_refused(gateway: Gateway, unique: str) -> None:
    sample = bitbucketserver(unique)
    sample.body["changes"] *= 1001
    assert (await gateway.send(sample))[0] == 400


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_beyond_the_limit_is_a_413(
    gateway_nats: Server, cluster: ClusterUnderTest, namespace: str, tmp_path: Path, chunked: bool
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 1024

    async with started(gateway_nats.url, cluster, namespace, tmp_path, body_limit_bytes=2048) as small:
        data = pieces() if chunked else b"x" * 3072
        async with small.http.post(small.url, data=data, headers=github("x").headers) as response:
            assert response.status == 413
            assert json.loads(await response.read()) == {"error": "at most 2048 bytes"}


async def test_a_body_that_never_ends_is_a_408(
    gateway_nats: Server, cluster: ClusterUnderTest, namespace: str, tmp_path: Path
) -> None:
    async def forever() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with (
        started(gateway_nats.url, cluster, namespace, tmp_path, body_timeout_seconds=0.2) as impatient,
        impatient.http.post(impatient.url, data=forever(), headers=github("x").headers) as response,
    ):
        assert response.status == 408


async def test_who_sends_slowly_holds_up_nobody(
    gateway_nats: Server, cluster: ClusterUnderTest, namespace: str, tmp_path: Path, unique: str
) -> None:
    arrived = asyncio.Event()

    async def forever() -> AsyncIterator[bytes]:
        yield b"{"
        arrived.set()
        await asyncio.Event().wait()

    async with started(gateway_nats.url, cluster, namespace, tmp_path, bodies_at_once=1) as gateway:
        slow = asyncio.create_task(gateway.http.post(gateway.url, data=forever(), headers=github("x").headers))
        await arrived.wait()
        assert (await gateway.send(github(unique)))[0] == 202
        slow.cancel()


async def test_without_the_bus_a_provider_is_asked_to_come_again(
    cluster: ClusterUnderTest, namespace: str, tmp_path: Path, unique: str
) -> None:
    sample = github(unique)
    async with (
        running(tmp_path / "nats") as server,
        started(server.url, cluster, namespace, tmp_path, publish_timeout_seconds=0.5) as gateway,
    ):
        await server.kill()
        async with gateway.http.post(gateway.url, data=encoded(sample), headers=sample.headers) as response:
            assert response.status == 503
            assert response.headers["Retry-After"] == "10"
        await server.start()
        await gateway.until_status(sample, None, 202)
        assert len(await gateway.hooks(sample.urls[0])) == 1
