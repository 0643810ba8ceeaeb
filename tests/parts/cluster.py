"""A real Kubernetes for tests: one embedded cluster for the whole session, one namespace for each test that asks.

With `$TIPHYS_TEST_KUBECONFIG` an existing cluster is used instead, to save three seconds while developing. Our CRDs are
installed either way. Tests that break the cluster start their own with `services.stack.cluster.running`.
"""

import asyncio
import os
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio

from services.stack import cluster as embedded

_CRDS = Path(__file__).parents[2] / "deploy" / "crds"


def quiet(_message: str) -> None:
    """Progress belongs to terminals."""


@dataclass(frozen=True)
class ClusterUnderTest:
    kubeconfig: Path

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """What a person at a terminal would do; fails the test with kubectl's own words."""
        command = [str(embedded.kubectl_path(quiet)), f"--kubeconfig={self.kubeconfig}", *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    async def until(self, *arguments: str, seconds: int = 90) -> str:
        """`kubectl wait`, without holding up the event loop."""
        return await asyncio.to_thread(self.kubectl, "wait", f"--timeout={seconds}s", *arguments)

    async def until_works(self, *arguments: str, says: str = "") -> str:
        """Ask again until a command succeeds and says so: the API server learns of some things a moment later."""
        for _ in range(100):
            with suppress(AssertionError):
                if says in (said := await asyncio.to_thread(self.kubectl, *arguments)):
                    return said
            await asyncio.sleep(0.2)
        said = await asyncio.to_thread(self.kubectl, *arguments)
        assert says in said
        return said


async def with_our_kinds(under_test: ClusterUnderTest) -> None:
    """Install our CRDs and wait until they are served."""
    if any(_CRDS.glob("*.yaml")):
        under_test.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(_CRDS))
        await established(under_test, "-f", str(_CRDS))


async def established(under_test: ClusterUnderTest, *definitions: str) -> None:
    """Wait until CRDs are served; kubectl's wait for a condition gives up on an object that has no conditions yet."""
    await under_test.until("--for=jsonpath={.status.conditions}", *definitions)
    await under_test.until("--for=condition=Established", *definitions)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster() -> AsyncIterator[ClusterUnderTest]:
    async with AsyncExitStack() as stack:
        under_test = ClusterUnderTest(await _kubeconfig(stack))
        await with_our_kinds(under_test)
        yield under_test


@pytest.fixture
def namespace(cluster: ClusterUnderTest) -> Iterator[str]:
    """A name that no other test has; what is in it goes with it, in the background."""
    name = f"test-{uuid.uuid4().hex[:10]}"
    cluster.kubectl("create", "namespace", name)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


async def _kubeconfig(stack: AsyncExitStack) -> Path:
    if given := os.environ.get("TIPHYS_TEST_KUBECONFIG"):
        return Path(given)
    folder = stack.enter_context(TemporaryDirectory(prefix="tiphys-cluster-"))
    return (await stack.enter_async_context(embedded.running(Path(folder), report=quiet))).kubeconfig
