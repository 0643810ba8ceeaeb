"""How often a registry is asked without being told, and how long it is left alone after a failure: tables."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from services.registry_watcher import pauses
from shared.bus import Bus
from shared.clock import now
from shared.events import ListTags
from shared.oci.errors import NotFound, OciFailure, RateLimited, Refused, Unreachable
from shared.oci.pacing import pulls_left, retry_after
from tests.parts.lying import lying
from tests.parts.registry import RunningRegistry
from tests.registry.watching import plain, watching


@pytest.mark.parametrize(
    ("failure", "failures", "seconds"),
    [
        (Unreachable("x"), 1, 1),
        (Unreachable("x"), 4, 8),
        (Unreachable("x"), 50, 600),
        (Refused("x"), 1, 30),
        (Refused("x"), 3, 90),
        (NotFound("x"), 100, 600),
        (RateLimited("x", 77.0), 9, 77),
    ],
)
def test_a_failed_registry_is_left_alone(failure: OciFailure, failures: int, seconds: float) -> None:
    assert pauses.hold(failure, failures) == seconds


def test_polls_are_spread_over_their_interval() -> None:
    assert [pauses.until_next_poll(100, chance) for chance in (0, 0.5, 1)] == pytest.approx([90, 100, 110])
    assert pauses.until_next_poll(100, 0.5, held=7) == pytest.approx(7.1)
    assert pauses.first_poll(100, 0.3, known=False) == 0
    assert pauses.first_poll(100, 0.3, known=True) == 30


async def test_a_repository_whose_webhooks_arrive_is_polled_rarely(own_bus: Bus, tmp_path: Path) -> None:
    async with watching(own_bus, tmp_path, "", poll_seconds=120.0) as watcher:
        image = watcher.parts.images.named("docker.io/acme/web")
        intervals = [watcher.parts.images.interval(image)]
        for ago in (timedelta(minutes=5), timedelta(days=2)):
            image.known.told_at = now() - ago
            intervals.append(watcher.parts.images.interval(image))
        assert intervals == [120, 3600, 120]


async def test_a_poll_takes_the_list_that_somebody_has_just_asked_for(own_bus: Bus, tmp_path: Path) -> None:
    async with lying() as liar:
        liar.tags("acme/web", "1.0")
        name = f"{liar.host}/acme/web"
        async with watching(own_bus, tmp_path, plain(RunningRegistry(liar.host))) as watcher:
            await watcher.watch(name)
            image = watcher.parts.images.named(name)
            await image.poll(full=True)
            lists, lately = len(liar.asked), time.monotonic() - 5
            await own_bus.request(ListTags(image=name, fresh=True))
            await image.poll(full=True, since=lately)
            assert len(liar.asked) == lists + 1
            image.known.pending.add("1.1")
            await image.poll(full=True, since=lately)
            assert len(liar.asked) == lists + 2
            assert image.known.pending == set()
            image.relist = True
            await image.poll(full=False, since=lately)
            assert len(liar.asked) == lists + 3


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (None, 30),
        ("", 30),
        ("0", 1),
        ("12", 12),
        ("9" * 30, 3600),
        ("-5", 30),
        ("1.5", 30),
        ("soon", 30),
        ("\u0663", 30),
    ],
)
def test_a_wait_is_read_and_bounded(given: str | None, seconds: float) -> None:
    assert retry_after({} if given is None else {"Retry-After": given}) == seconds


@pytest.mark.parametrize(("given", "left"), [("76;w=21600", 76), ("0", 0), ("", None), ("many", None), ("-1", None)])
def test_what_is_left_of_an_allowance_is_read(given: str, left: int | None) -> None:
    assert pulls_left({"ratelimit-remaining": given}) == left
