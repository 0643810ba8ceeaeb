"""The pool: lazy processes, first come first served, deadlines, deaths and replacements, and nothing left behind."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from shared.engines import gotemplate, helm, kustomize
from shared.engines.client import Engines
from shared.engines.errors import EngineCrashed, EngineError, EnginesClosed, EngineTimeout, EngineUnavailable
from shared.engines.files import FileEntry, InMemory
from shared.engines.process import Worker
from tests.parts.engines import engines_binary

LOOP = {"filter": "def f: f; f", "input": None}


def seen_by_the_kernel(pid: int) -> tuple[str, str, str]:
    status, environment, limits = (Path(f"/proc/{pid}/{name}").read_text() for name in ("status", "environ", "limits"))
    return status, environment, limits


def said_by(pid: int) -> bytes:
    return Path(f"/proc/{pid}/fd/2").read_bytes()


async def warm(pool: Engines) -> None:
    """Wait until the pool's own first call is over: calls are served in their order."""
    await pool.call("ping", None)
    await pool.call("ping", None)


class Broken:
    """Files that fail as a repository might."""

    def read(self, path: str) -> bytes | None:
        raise PermissionError(f"no right to read {path}")

    def list(self, path: str) -> Sequence[FileEntry] | None:
        raise PermissionError(f"no right to list {path}")


class Watched(InMemory):
    """Notes what was asked for."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        super().__init__(contents)
        self.seen: list[str] = []

    def read(self, path: str) -> bytes | None:
        self.seen.append(path)
        return super().read(path)


async def test_a_pool_starts_one_process_and_more_when_they_are_needed() -> None:
    async with Engines(await engines_binary(), size=3) as pool:
        await pool.call("ping", None)
        assert len(pool.pids) <= 2
        await asyncio.gather(*(pool.call("jq.run", {"filter": "[range(300000)]|add", "input": None}) for _ in range(6)))
        assert len(pool.pids) == 3


async def test_a_closed_pool_leaves_no_process_and_refuses_calls() -> None:
    async with Engines(await engines_binary(), size=2) as pool:
        await asyncio.gather(pool.call("ping", None), pool.call("ping", None))
        pids = pool.pids
    assert pids
    assert not any(psutil.pid_exists(pid) for pid in pids)
    with pytest.raises(EnginesClosed, match="async with"):
        await pool.call("ping", None)


async def test_a_binary_that_is_not_there_is_said(tmp_path: Path) -> None:
    async with Engines(tmp_path / "engines-worker") as pool:
        with pytest.raises(EngineUnavailable, match="run `make build`"):
            await pool.call("ping", None)


async def test_a_binary_that_is_something_else_is_an_error_every_time() -> None:
    async with Engines(Path("/bin/true"), size=1) as pool:
        for _ in range(3):
            with pytest.raises(EngineCrashed):
                await pool.call("ping", None)


async def test_closing_ends_calls_that_are_going_on() -> None:
    async with Engines(await engines_binary(), size=1) as pool:
        await warm(pool)
        endless = asyncio.create_task(pool.call("jq.run", LOOP, deadline=60))
        await asyncio.sleep(0)
        pids = pool.pids
    with pytest.raises((EngineCrashed, EnginesClosed)):
        await endless
    assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_a_killed_worker_is_one_error_and_the_next_call_works() -> None:
    async with Engines(await engines_binary(), size=1) as pool:
        await warm(pool)
        (pid,) = pool.pids
        endless = asyncio.create_task(pool.call("jq.run", LOOP, deadline=60))
        await asyncio.sleep(0)
        psutil.Process(pid).send_signal(signal.SIGKILL)
        with pytest.raises(EngineCrashed, match=r"jq.run ended the engine's process"):
            await endless
        assert await pool.call("ping", None) == "pong"
        assert pid not in pool.pids


async def test_a_worker_that_died_while_idle_costs_nobody_anything() -> None:
    async with Engines(await engines_binary(), size=1) as pool:
        await warm(pool)
        (pid,) = pool.pids
        process = psutil.Process(pid)
        process.kill()
        await asyncio.to_thread(process.wait, 60)
        assert await pool.call("ping", None) == "pong"


async def test_a_deadline_ends_the_call_and_only_that() -> None:
    async with Engines(await engines_binary(), size=2) as pool:
        slow = asyncio.create_task(pool.call("jq.run", LOOP, deadline=0.3))
        assert await pool.call("ping", None) == "pong"
        with pytest.raises(EngineTimeout):
            await slow
        assert set(await asyncio.gather(pool.call("ping", None), pool.call("ping", None))) == {"pong"}


async def test_a_cancelled_call_frees_its_worker() -> None:
    async with Engines(await engines_binary(), size=1) as pool:
        await pool.call("ping", None)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await pool.call("jq.run", LOOP, deadline=60)
        assert await pool.call("ping", None) == "pong"
        assert len(pool.pids) == 1


async def test_who_has_waited_longest_goes_first() -> None:
    order: list[int] = []
    async with Engines(await engines_binary(), size=1) as pool:

        async def one(number: int) -> None:
            await pool.call("ping", None)
            order.append(number)

        await asyncio.gather(*(one(number) for number in range(50)))
    assert order == list(range(50))


async def test_what_the_callers_files_raise_reaches_the_caller(engines: Engines) -> None:
    with pytest.raises(PermissionError, match="no right to"):
        await helm.template(engines, Broken(), "c", release="r")
    with pytest.raises(PermissionError, match="no right to"):
        await kustomize.build(engines, Broken(), "k")
    assert await engines.call("ping", None) == "pong"


async def test_the_caller_knows_every_path_that_was_read(engines: Engines) -> None:
    files = Watched({"k/kustomization.yaml": b"resources: [../base]", "base/kustomization.yaml": b"{}", "other/x": b""})
    with pytest.raises(EngineError, match=r"kustomization\.yaml is empty"):
        await kustomize.build(engines, files, "k")
    assert {"k/kustomization.yaml", "base/kustomization.yaml"} <= set(files.seen)
    assert not any(path.startswith("other") for path in files.seen)


async def test_without_files_there_are_none(engines: Engines) -> None:
    with pytest.raises(EngineError, match=r"there is no file x\.jsonnet") as caught:
        await engines.call("jsonnet.evaluate", {"path": "x.jsonnet"})
    assert caught.value.reason == "FileNotFound"


@pytest.mark.parametrize(
    ("op", "args", "reason"),
    [
        ("nonsense", {}, "UnknownOperation"),
        ("jq.run", {"filter": 5}, "BadArguments"),
        ("jq.run", {"surprise": 5}, "BadArguments"),
        ("jq.run", {"filter": ".", "input": 2**70}, "BadArguments"),
        ("jq.run", {"filter": ".", "input": object()}, "BadArguments"),
    ],
)
async def test_a_wrong_question_is_answered_as_one(engines: Engines, op: str, args: object, reason: str) -> None:
    with pytest.raises(EngineError) as caught:
        await engines.call(op, args)
    assert caught.value.reason == reason


async def test_many_operations_go_in_one_batch(engines: Engines) -> None:
    answers = await engines.call("batch", [("ping", None), ("jq.run", {"filter": "1+1"}), ("jq.run", {"filter": "("})])
    assert answers[:2] == [[True, "pong"], [True, [2]]]
    assert answers[2][:2] == [False, "FilterInvalid"]


async def test_the_linked_versions_are_known(engines: Engines) -> None:
    versions = await engines.versions()
    assert versions["helm.sh/helm/v3"].startswith("v3.")
    assert {"sigs.k8s.io/kustomize/api", "github.com/google/go-jsonnet", "k8s.io/kubernetes"} <= set(versions)


async def test_the_kernel_refuses_a_worker_files_and_sockets() -> None:
    async with Engines(await engines_binary(), size=1) as pool:
        await warm(pool)
        (pid,) = pool.pids
        status, environment, limits = seen_by_the_kernel(pid)
        assert {"Seccomp:\t2", "NoNewPrivs:\t1"} <= set(status.splitlines())
        assert environment == ""
        assert f"Max data size             {1024 * 2**20}" in limits


async def test_warnings_of_libraries_are_kept_nowhere() -> None:
    files = InMemory({"kustomization.yaml": b"bases: [base]", "base/kustomization.yaml": b"namePrefix: x-"})
    async with Engines(await engines_binary(), size=1) as pool:
        await warm(pool)
        assert await kustomize.build(pool, files, ".") == ()
        await pool.call("jsonnet.evaluate", {"path": "x"}, files=InMemory({"x": b"std.trace('said', 1)"}))
        (pid,) = pool.pids
        assert said_by(pid) == b""


async def test_a_worker_that_nobody_kills_ends_by_its_processor_time() -> None:
    worker = Worker(await engines_binary(), (), 2**20)
    with pytest.raises(EngineCrashed, match="exit status 3"):
        await asyncio.to_thread(worker.call, "jq.run", LOOP, 1, None)
    worker.close()


async def test_a_worker_ends_with_its_parent(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from shared.engines.client import Engines\n"
        "async def main():\n"
        "    async with Engines(Path(sys.argv[1]), size=1) as pool:\n"
        "        await pool.call('ping', None)\n"
        "        print(*pool.pids, flush=True)\n"
        "        await pool.call('jq.run', {'filter': 'def f: f; f', 'input': None}, deadline=60)\n"
        "asyncio.run(main())\n"
    )
    root = str(Path(__file__).parents[2])
    parent = await asyncio.create_subprocess_exec(
        sys.executable, program, str(await engines_binary()), stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": root}
    )
    assert parent.stdout is not None
    worker = psutil.Process(int((await parent.stdout.readline()).split()[0]))
    parent.kill()
    await parent.wait()
    gone, _ = await asyncio.to_thread(psutil.wait_procs, [worker], 60)
    assert gone == [worker]


async def test_concurrent_calls_never_mix_their_answers(engines: Engines) -> None:
    answers = await asyncio.gather(
        *(gotemplate.render(engines, {str(n): "{{ .n }}"}, {"n": n}) for n in range(300)),
    )
    assert answers == [{str(n): str(n)} for n in range(300)]
