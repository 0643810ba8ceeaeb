"""Checks of this machine: the stack's folder, its disk, its state file, its readiness page."""

import os
import shutil
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from services.cli.doctor.findings import Finding, well, wrong
from services.stack import state
from services.stack.state import StackState

_LEAST_FREE = 2e9


def data_folder(data: Path) -> list[Finding]:
    if not data.exists():
        return [well(f"folder {data} does not exist yet", "`tiphys up` makes it")]
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        return [wrong(f"folder {data} cannot be written", "give it to your user, or choose another with --data")]
    return [_permissions(data), disk(data)]


def _permissions(data: Path) -> Finding:
    if data.stat().st_mode & 0o077:
        return wrong(f"others may look into {data}", f"chmod 700 {data}")
    return well(f"folder {data} is yours alone")


def disk(data: Path) -> Finding:
    free = shutil.disk_usage(data).free
    used = sum(file.stat().st_size for file in (data / "mirrors").rglob("*") if file.is_file())
    what = f"{free / 1e9:.1f} GB free, git mirrors take {used / 1e6:.0f} MB"
    return well(what) if free >= _LEAST_FREE else wrong(what, "free some space: mirrors and the bus need about 2 GB")


def stack(data: Path) -> list[Finding]:
    recorded = state.recorded(data)
    if recorded is None:
        return [well("no stack runs in this folder", "`tiphys up --detach` starts one")]
    if not state.alive(recorded.process):
        advice = f"it was killed; `tiphys up --detach` starts it again, {data}/tiphys.log may say why"
        return [wrong("the stack of this folder is gone, its state file is still there", advice)]
    return [well(f"the stack runs (process {recorded.process.pid}, webhooks at {recorded.url}/api/webhook)")]


async def readiness(found: StackState) -> list[Finding]:
    """What the services themselves say."""
    try:
        report = await ready_report(found)
    except (aiohttp.ClientError, TimeoutError) as error:
        advice = "the process may hang: `tiphys down`, then `tiphys up --detach`"
        return [wrong(f"the stack's health page does not answer ({type(error).__name__})", advice)]
    return [_service(name, service) for name, service in report["services"].items()]


async def ready_report(found: StackState) -> dict[str, Any]:
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=timeout) as client, client.get(f"{found.health_url}/readyz") as response:
        report: dict[str, Any] = orjson.loads(await response.read())
        return report


def _service(name: str, service: dict[str, Any]) -> Finding:
    missing = [
        f"{part}: {said.get('why', 'not ready')}" for part, said in service["parts"].items() if not said["ready"]
    ]
    if service["ready"]:
        notes = "; ".join(f"{about}: {text}" for about, text in service.get("notes", {}).items())
        return well(f"{name} is ready", notes)
    return wrong(f"{name} is not ready", "; ".join(missing) or "it has not finished starting")
