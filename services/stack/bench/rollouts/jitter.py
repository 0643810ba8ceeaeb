"""How even measurements are: many AnalysisRuns that ask a server of the bench's own, which notes when it was asked."""

import asyncio
from dataclasses import dataclass, field
from itertools import pairwise

from aiohttp import web

from services.stack.bench.numbers import rank, spread
from services.stack.bench.rollouts import layout
from services.stack.bench.rollouts.field import PATIENCE, Field, while_running
from services.stack.bench.usage import Usage
from shared.run import listening

SAMPLES = 5


@dataclass(frozen=True)
class Jitter:
    """Seconds by which an interval was longer or shorter than it should be; `share` is CPU, of one core."""

    runs: int
    interval: float
    p50: float
    p95: float
    p99: float
    most: float
    count: int
    share: float


@dataclass
class Asked:
    """When each run's metric was asked for."""

    runs: int
    times: dict[str, list[float]] = field(default_factory=dict)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    _finished: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        times = self.times.setdefault(request.match_info["run"], [])
        times.append(asyncio.get_running_loop().time())
        if len(times) == SAMPLES + 1:
            self._finished += 1
            if self._finished == self.runs:
                self.done.set()
        return web.json_response({"value": 1})

    def deviations(self, interval: float) -> list[float]:
        return [abs(after - before - interval) for times in self.times.values() for before, after in pairwise(times)]


async def measure(world: Field, runs: int, interval: float) -> Jitter:
    asked = Asked(runs)
    app = web.Application()
    app.add_routes([web.get("/{run}", asked.answer)])
    async with world.manager() as manager, listening(app, "127.0.0.1", 0, "port") as port:
        world.report(f"{runs} AnalysisRuns that measure every {interval:g} s, {SAMPLES + 1} times")
        before, begun = manager.usage(), asyncio.get_running_loop().time()
        url = f"http://127.0.0.1:{port}"
        await world.create(
            layout.analysis_run(number, world.namespace, url, interval, SAMPLES + 1) for number in range(runs)
        )
        async with asyncio.timeout(PATIENCE):
            await while_running(manager, asked.done.wait())
        took = asyncio.get_running_loop().time() - begun
        used: Usage = manager.usage().since(before)
    values = sorted(asked.deviations(interval))
    found = spread(values)
    return Jitter(runs, interval, found.p50, found.p95, rank(values, 0.99), found.most, found.count, used.cpu_s / took)
