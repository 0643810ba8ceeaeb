"""`tiphys events tail` and `trace` on a bus alone: stored events, live ones, and what machines get."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import orjson

from shared.bus import Bus
from shared.clock import now
from shared.events import AppEvent, GitRevision

COMMIT = "e" * 40


def happened(name: str, commit: str = COMMIT) -> AppEvent:
    return AppEvent(delivery="", what="compared", namespace="argocd", name=name, revisions=(commit,), status="Synced")


async def tiphys(*words: str, nats_url: str, folder: Path) -> Process:
    environment = {**os.environ, "TIPHYS_DATA": str(folder)}
    command = (sys.executable, "-m", "services.cli", *words, "--nats", nats_url)
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env=environment)


async def test_what_happens_is_printed_as_it_happens(bus: Bus, nats_url: str, unique: str, tmp_path: Path) -> None:
    words = ("events", "tail", "--application", unique, "--since", "1h", "-o", "json")
    await bus.publish(happened(unique))
    process = await tiphys(*words, nats_url=nats_url, folder=tmp_path)
    assert process.stdout
    try:
        async with asyncio.timeout(120):
            first = orjson.loads(await process.stdout.readline())
            await bus.publish(happened(f"{unique}-other"))
            await bus.publish(happened(unique, "f" * 40))
            second = orjson.loads(await process.stdout.readline())
    finally:
        process.terminate()
        await process.communicate()
    assert (first["name"], first["revisions"]) == (unique, [COMMIT])
    assert (second["name"], second["revisions"]) == (unique, ["f" * 40])
    assert process.returncode == 130


async def test_a_trace_of_a_commit_needs_the_bus_alone(bus: Bus, nats_url: str, unique: str, tmp_path: Path) -> None:
    commit = unique[1:].ljust(40, "0")
    moved = GitRevision(
        delivery=f"git:00000000:{commit}",
        repo="git.example/r",
        ref="refs/heads/main",
        new=commit,
        subject_line="A change",
        received_at=now(),
        source="webhook",
    )
    await bus.publish(moved)
    await bus.publish(happened(unique, commit))
    for word in (commit[:8], unique):
        process = await tiphys("trace", word, nats_url=nats_url, folder=tmp_path)
        out, err = await process.communicate()
        assert process.returncode == 0, err
        assert "A change" in out.decode()
        assert "compared" in out.decode()


async def test_an_unknown_commit_is_not_found(nats_url: str, tmp_path: Path) -> None:
    process = await tiphys("trace", "0123456789", nats_url=nats_url, folder=tmp_path)
    _, err = await process.communicate()
    assert process.returncode == 3
    assert "no event names" in err.decode()


async def test_a_bus_that_is_down_is_exit_code_5(tmp_path: Path) -> None:
    process = await tiphys("trace", "0123456789", nats_url="nats://127.0.0.1:1", folder=tmp_path)
    _, err = await process.communicate()
    assert process.returncode == 5
    assert len(err.decode().splitlines()) <= 2
