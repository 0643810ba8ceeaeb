"""Log lines are structured, carry the delivery and no secrets; traces join what never met."""

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest

from shared.clock import epoch_ms, now, parse_rfc3339, rfc3339, rfc3339_ms
from shared.telemetry import trace

PROGRAM = """
import logging
from shared.telemetry import configure, get_logger, trace
configure("tests", json=True, level="INFO")
log = get_logger()
with trace.traced("git:1:abc"):
    log.info("pulled", url="https://ada:hunter22@example.com/x", deep={"list": ["password=hunter22"]}, number=3)
logging.getLogger("library").warning("token %s", "ghp_abcdefghijklmnopqrstuvwxyz0123")
log.debug("never shown")
try:
    raise ValueError("https://ada:hunter22@example.com")
except ValueError:
    log.exception("failed")
"""


def lines() -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_lines_are_json_with_service_delivery_and_no_secret() -> None:
    pulled, library, failed = lines()
    assert (pulled["event"], pulled["service"], pulled["delivery"]) == ("pulled", "tests", "git:1:abc")
    assert (pulled["level"], pulled["number"]) == ("info", 3)
    assert pulled["url"] == "https://***@example.com/x"
    assert pulled["deep"] == {"list": ["password=***"]}
    assert "***" in library["event"]
    assert "ValueError: https://***@example.com" in failed["exception"]
    assert "hunter22" not in json.dumps([pulled, library, failed])


def test_a_child_stays_in_its_parents_trace() -> None:
    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    assert trace.child(parent, "x").split("-")[1] == "a" * 32
    assert trace.child(parent, "x") != parent


@pytest.mark.parametrize("parent", ["", "nonsense", f"00-{'0' * 32}-{'b' * 16}-01", f"01-{'a' * 32}-{'b' * 16}-01"])
def test_without_a_good_parent_the_delivery_gives_the_trace(parent: str) -> None:
    assert trace.child(parent, "git:1:abc").split("-")[1] == trace.trace_id("git:1:abc")


async def test_tasks_do_not_mix_their_deliveries() -> None:
    async def work(name: str) -> str:
        with trace.traced(name):
            await asyncio.sleep(0)
            return trace.delivery.get()

    assert await asyncio.gather(*(work(str(n)) for n in range(20))) == [str(n) for n in range(20)]
    assert trace.delivery.get() == ""


def test_times_are_written_and_read_as_utc() -> None:
    moment = parse_rfc3339("2026-11-23T13:00:00.123456+01:00")
    assert rfc3339(moment) == "2026-11-23T12:00:00Z"
    assert rfc3339_ms(moment) == "2026-11-23T12:00:00.123Z"
    assert parse_rfc3339(rfc3339(moment)).tzinfo is not None
    assert abs(epoch_ms() - now().timestamp() * 1000) < 5000


@pytest.mark.parametrize("text", ["2026-11-23T12:00:00", "yesterday", ""])
def test_a_time_that_is_none_or_names_no_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time zone|isoformat"):
        parse_rfc3339(text)
