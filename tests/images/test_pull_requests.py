"""Pull and merge requests on three forges: opened once, labelled, superseded ones closed, refusals explained."""

from pathlib import Path
from typing import Any

import pytest

from services.image_updater.placing import Branches
from shared.engines.client import Engines
from shared.git.access import Access
from shared.kinds.imageupdater import PullRequest
from shared.security import Secret
from tests.images.changes import change, place
from tests.images.test_one_writer_for_each_branch import AFTER, VALUES
from tests.images.writing import Desk, Forge, desk

KINDS = ["github", "gitlab", "gitea"]
ROOTS = {
    "github": "/api/v3/repos/acme/apps",
    "gitlab": "/api/v4/projects/acme%2Fapps",
    "gitea": "/api/v1/repos/acme/apps",
}
SCHEMES = {"github": "Bearer", "gitlab": "Bearer", "gitea": "token"}


def wish(the: Desk, kind: str, tag: str = "1.1", app: str = "web", **branches: str) -> Any:
    how = PullRequest.model_validate({kind: {}, "labels": ["images", "bot"]})
    where = Branches(branches.get("base", "main"), branches.get("target", ""))
    return change(to=place(url=the.url, branches=where, pull_request=how), tag=tag, app=app)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_request_is_opened_once(tmp_path: Path, engines: Engines, kind: str) -> None:
    forge = Forge(kind)
    async with desk(tmp_path, engines, {"values.yaml": VALUES}, forge=forge) as the:
        the.access = Access(username="bot", password=Secret("forge-token"))
        [one] = await the.write(wish(the, kind))
        assert one.refused is None, one.refused
        assert one.branch.startswith("image-updater-")
        assert one.pull_request == forge.requests[0].get("html_url", forge.requests[0].get("web_url"))
        assert (the.read("values.yaml"), the.read("values.yaml", one.branch)) == (VALUES, AFTER)
        tip = the.tip(one.branch)
        [again] = await the.write(wish(the, kind))
        assert (again.pull_request, again.commit, the.tip(one.branch)) == (one.pull_request, tip, tip)
        assert len(forge.requests) == 1
        assert all(path.startswith(ROOTS[kind]) for _, path, _ in forge.asked)
        assert forge.tokens == {f"{SCHEMES[kind]} forge-token"}


@pytest.mark.parametrize("kind", KINDS)
async def test_labels_title_and_text(tmp_path: Path, engines: Engines, kind: str) -> None:
    forge = Forge(kind)
    async with desk(tmp_path, engines, {"values.yaml": VALUES}, forge=forge) as the:
        await the.write(wish(the, kind))
        made = forge.requests[0]
        assert made["title"] == "build: automatic update of web"
        text = made.get("body") or made["description"]
        assert "tag '1.0' to '1.1'" in text
        assert "<!-- tiphys-images: argocd/web web -->" in text
        posts = [(path.removeprefix(ROOTS[kind]), body) for method, path, body in forge.asked if method == "POST"]
        if kind == "gitlab":
            assert posts[0][1]["labels"] == "images,bot"
        else:
            assert posts[1] == ("/issues/1/labels", {"labels": ["images", "bot"]})


@pytest.mark.parametrize("kind", KINDS)
async def test_a_newer_one_closes_what_it_supersedes_and_nothing_else(
    tmp_path: Path, engines: Engines, kind: str
) -> None:
    forge = Forge(kind)
    async with desk(tmp_path, engines, {"values.yaml": VALUES}, forge=forge) as the:
        await the.write(wish(the, kind, "1.1"))
        await the.write(wish(the, kind, "1.2", app="other"))
        await the.write(wish(the, kind, "1.3"))
        states = {one["title"]: one["state"] for one in reversed(forge.requests)}
        newest, other, oldest = forge.requests
        assert oldest["state"] == "closed", states
        assert {newest["state"], other["state"]} <= {"open", "opened"}


async def test_what_a_person_has_closed_stays_closed(tmp_path: Path, engines: Engines) -> None:
    forge = Forge("github")
    async with desk(tmp_path, engines, {"values.yaml": VALUES}, forge=forge) as the:
        await the.write(wish(the, "github"))
        forge.requests[0]["state"] = "closed"
        [one] = await the.write(wish(the, "github"))
        assert one.pull_request == forge.requests[0]["html_url"]
        assert len(forge.requests) == 1


DENIALS = [(403, "ForgeDenied", False), (422, "ForgeRefused", False), (503, "ForgeUnreachable", True)]


@pytest.mark.parametrize(("status", "reason", "retriable"), DENIALS)
async def test_a_forge_that_refuses(
    tmp_path: Path, engines: Engines, status: int, reason: str, *, retriable: bool
) -> None:
    forge = Forge("github", status=status)
    async with desk(tmp_path, engines, {"values.yaml": VALUES}, forge=forge) as the:
        [one] = await the.write(wish(the, "github"))
        assert one.refused
        assert (one.refused.reason, one.refused.retriable) == (reason, retriable)
        assert "Resource not accessible" in one.refused.message
        forge.status = 0
        [one] = await the.write(wish(the, "github"))
        assert one.pull_request
