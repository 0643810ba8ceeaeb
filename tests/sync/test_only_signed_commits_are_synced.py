"""Source integrity on a live stack: an unsigned commit is neither rendered nor synced, a signed one is, and what was
good stays in the cluster meanwhile.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.parts.delivery import ARGO, Delivery, complains, config_map, synced_to
from tests.parts.signing import GpgKey, Signing, Work, signers

Obj = dict[str, Any]


@pytest.fixture(scope="module")
def ada() -> Iterator[tuple[Signing, GpgKey]]:
    with signers() as signing:
        yield signing, signing.gpg_key("ada")


async def know(delivery: Delivery, **keys: str) -> None:
    """The keys that argocd-gpg-keys-cm holds."""
    metadata = {"name": "argocd-gpg-keys-cm", "namespace": ARGO}
    await delivery.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": keys})


@pytest_asyncio.fixture
async def work(delivery: Delivery, ada: tuple[Signing, GpgKey], tmp_path: Path) -> AsyncIterator[Work]:
    """A repository, and a project that wants ada's signature on what comes from it."""
    signing, key = ada
    delivery.begin({"readme": b""})
    await know(delivery, **{key.id: key.armored})
    policy = {"repos": [{"url": "http://*"}], "gpg": {"mode": "head", "keys": [key.id]}}
    project = {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        "sourceIntegrity": {"git": {"policies": [policy]}},
    }
    metadata = {"name": delivery.app, "namespace": ARGO}
    await delivery.apply(
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": metadata, "spec": project}
    )
    yield Work(signing, delivery.repo, tmp_path / "work")
    await know(delivery)


async def test_only_what_is_signed_arrives(delivery: Delivery, work: Work, ada: tuple[Signing, GpgKey]) -> None:
    key = ada[1]
    unsigned = work.commit("nobody signs", files={"app/a.json": config_map("a", by="nobody")})
    await delivery.apply(delivery.application(project=delivery.app, automated={}))
    await delivery.until(complains("ComparisonError", "Failed verifying revision", unsigned, "unsigned (key_id=)"))
    assert await delivery.get("ConfigMap", "a") is None

    good = work.commit("ada signs", key, files={"app/a.json": config_map("a", by="ada")})
    await delivery.until(synced_to(good))

    bad = work.commit("nobody signs", files={"app/a.json": config_map("a", by="nobody")})
    app = await delivery.until(complains("ComparisonError", "Failed verifying revision", bad))
    assert app["status"]["sync"]["status"] == "Unknown"
    live = await delivery.get("ConfigMap", "a")
    assert live
    assert live["data"] == {"by": "ada"}


async def test_a_push_that_touches_nothing_of_the_application_is_verified_too(
    delivery: Delivery, work: Work, ada: tuple[Signing, GpgKey]
) -> None:
    good = work.commit("ada signs", ada[1], files={"app/a.json": config_map("a")})
    await delivery.apply(delivery.application(project=delivery.app, automated={}))
    await delivery.until(synced_to(good))
    elsewhere = work.commit("nobody signs", files={"elsewhere": b"x"})
    await delivery.until(complains("ComparisonError", "Failed verifying revision", elsewhere))


async def test_a_key_that_is_taken_away_and_given_back(
    delivery: Delivery, work: Work, ada: tuple[Signing, GpgKey]
) -> None:
    key = ada[1]
    good = work.commit("ada signs", key, files={"app/a.json": config_map("a")})
    await delivery.apply(delivery.application(project=delivery.app, automated={}))
    await delivery.until(synced_to(good))
    await know(delivery)
    await delivery.until(complains("ComparisonError", "signed with key not in keyring", key.id))
    await know(delivery, **{key.id: key.armored})
    await delivery.until(synced_to(good))


async def test_a_sync_cannot_bring_an_unsigned_revision(
    delivery: Delivery, work: Work, ada: tuple[Signing, GpgKey]
) -> None:
    unsigned = work.commit("nobody signs", files={"app/a.json": config_map("a", by="nobody")})
    good = work.commit("ada signs", ada[1], files={"app/a.json": config_map("a", by="ada")})
    await delivery.apply(delivery.application(project=delivery.app))
    await delivery.until(lambda app: app["status"]["sync"]["status"] == "OutOfSync")
    await delivery.patch({"operation": {"sync": {"revision": unsigned}}})
    app = await delivery.until(lambda app: app["status"]["operationState"]["phase"] in {"Failed", "Error"})
    assert "Failed verifying revision" in app["status"]["operationState"]["message"]
    assert await delivery.get("ConfigMap", "a") is None
    await delivery.patch({"operation": {"sync": {"revision": good}}})
    await delivery.until(synced_to(good))


async def test_local_manifests_are_refused(delivery: Delivery, work: Work, ada: tuple[Signing, GpgKey]) -> None:
    work.commit("ada signs", ada[1], files={"app/a.json": config_map("a", by="ada")})
    await delivery.apply(delivery.application(project=delivery.app))
    await delivery.until(lambda app: app["status"]["sync"]["status"] == "OutOfSync")
    await delivery.patch({"operation": {"sync": {"manifests": [config_map("local").decode()]}}})
    app = await delivery.until(lambda app: app["status"]["operationState"]["phase"] in {"Failed", "Error"})
    assert "Cannot use local manifests" in app["status"]["operationState"]["message"]
    assert await delivery.get("ConfigMap", "local") is None
