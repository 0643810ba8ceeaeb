"""The API server goes away and comes back without its watch history: nothing is lost, nothing is invented."""

from pathlib import Path

from services.stack import cluster as embedded
from shared.kube import connect
from tests.kube.tools import Said, put, remove, watching
from tests.parts.cluster import quiet
from tests.parts.faultproxy import faulty


async def test_what_changed_before_the_restart_is_made_up_for_after_it(tmp_path: Path) -> None:
    async with (
        embedded.running(tmp_path, report=quiet) as own,
        faulty(own.kubeconfig) as proxy,
        connect(proxy.kubeconfig) as through,
        connect(own.kubeconfig) as direct,
    ):
        for name in ("gone", "same", "changed"):
            await put(direct, "default", name, v="1")
        async with watching(through, "default") as seen:
            await proxy.watched()
            seen.said.clear()
            proxy.reset("/configmaps")
            await proxy.cut()
            await remove(direct, "default", "gone")
            await put(direct, "default", "changed", v="2")
            for number in range(5):
                await put(direct, "default", "busy", v=str(number))
            await own.kill("kube-apiserver")
            proxy.clear()
            assert seen.names() == {"gone", "same", "changed"}
            await own.start("kube-apiserver")
            await seen.until(lambda: len(seen.said) >= 3, seconds=60)
            await put(direct, "default", "after", v="1")
            await seen.until(lambda: "after" in seen.names())
    assert seen.said[-1] == Said("ADDED", "after", "", "1")
    assert {Said("DELETED", "gone", "1", "1"), Said("MODIFIED", "changed", "1", "2")} <= set(seen.said)
    assert not [one for one in seen.said if one.name == "same"]
