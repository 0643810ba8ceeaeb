"""Objects by digest and keys with revisions."""

import asyncio
import hashlib
import os

import pytest

from shared.bus import Bus, Conflict, Entry, ObjectMissing, key
from shared.bus.objects import CHUNK
from tests.bus.tools import plain_client


@pytest.mark.parametrize("size", [0, 1, 4096, CHUNK, CHUNK + 1, 3 * CHUNK, 5 * CHUNK + 17])
async def test_an_object_comes_back_as_it_was_put(bus: Bus, size: int) -> None:
    data = os.urandom(size)
    digest = await bus.put_object("test", data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert await bus.get_object("test", digest) == data


@pytest.mark.parametrize("size", [1000, 3 * CHUNK])
async def test_putting_what_is_there_writes_nothing(bus: Bus, nats_url: str, size: int) -> None:
    data = os.urandom(size)
    await bus.put_object("test", data)
    async with plain_client(nats_url) as client:
        before = (await client.jetstream().stream_info("OBJECTS_test")).state.last_seq
        await asyncio.gather(*(bus.put_object("test", data) for _ in range(5)))
        after = (await client.jetstream().stream_info("OBJECTS_test")).state.last_seq
    assert before == after


async def test_an_unknown_digest_is_missing(bus: Bus) -> None:
    assert not await bus.has_object("test", "0" * 64)
    with pytest.raises(ObjectMissing):
        await bus.get_object("test", "0" * 64)


async def test_a_key_is_written_only_on_what_the_writer_knew(bus: Bus, unique: str) -> None:
    leases = await bus.kv(unique)
    first = await leases.create("a", b"1")
    with pytest.raises(Conflict):
        await leases.create("a", b"2")
    second = await leases.update("a", b"2", first)
    with pytest.raises(Conflict, match="changed by someone else"):
        await leases.update("a", b"3", first)
    assert await leases.get("a") == Entry("a", b"2", second)


async def test_a_deleted_key_is_gone_and_can_be_created_again(bus: Bus, unique: str) -> None:
    holds = await bus.kv(unique)
    await holds.put("a", b"1")
    await holds.delete("a")
    assert await holds.get("a") is None
    await holds.create("a", b"2")
    assert [entry.value async for entry in holds.entries()] == [b"2"]


async def test_only_one_of_many_creators_wins(bus: Bus, unique: str) -> None:
    leases = await bus.kv(unique)
    results = await asyncio.gather(*(leases.create("a", bytes([n])) for n in range(20)), return_exceptions=True)
    assert sum(isinstance(result, int) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 19


async def test_entries_of_a_bucket_with_a_lifetime_go_away(bus: Bus, unique: str) -> None:
    leases = await bus.kv(unique, lifetime=1)
    await leases.put("a", b"1")
    async with asyncio.timeout(60):
        while await leases.get("a") is not None:
            await bus.has_object("test", "0" * 64)  # a round trip, so that the server has its turn


async def test_an_empty_bucket_has_no_entries(bus: Bus, unique: str) -> None:
    assert [entry async for entry in (await bus.kv(unique)).entries()] == []


@pytest.mark.parametrize("name", ["plain", "with.dot", "with space", "*>", "", "ü"])
async def test_keys_hold_any_name(bus: Bus, unique: str, name: str) -> None:
    store = await bus.kv(unique)
    await store.put(key("apps", name), name.encode())
    entry = await store.get(key("apps", name))
    assert entry is not None
    assert entry.value == name.encode()
