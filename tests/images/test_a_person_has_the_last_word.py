"""Holds: who goes back to an older version rests automation for that image, until it is resumed or wished anew."""

from pathlib import Path
from typing import Any

from services.image_updater.reporting import HELD_NOTE
from tests.images.following import event, followed
from tests.parts.shop import Shop


async def held(shop: Shop) -> Any:
    """Wait until the ImageUpdater says that an image is held; the Application's note."""

    async def condition() -> bool:
        conditions = (await shop.status()).get("conditions") or []
        return any(one["type"] == "Held" and one["status"] == "True" for one in conditions)

    await shop.until(condition)
    app = await shop.stack.get("application", shop.apps[0], "-n", "argocd")
    return (app["metadata"].get("annotations") or {}).get(HELD_NOTE)


async def set_back(shop: Shop, folder: Path, tag: str) -> None:
    """A person writes a tag into git."""
    text = shop.read("chart/values-dev.yaml")
    changed = "".join(f"  tag: {tag}\n" if "tag:" in line else line for line in text.splitlines(keepends=True))
    await shop.stack.push(shop.repo_url, folder, {"chart/values-dev.yaml": changed.encode()}, f"Back to {tag}")


async def test_a_commit_that_sets_an_older_tag_rests_automation_until_it_is_resumed(shop: Shop, tmp_path: Path) -> None:
    await followed(shop)
    app = shop.apps[0]
    await shop.push("1.1.0")
    await shop.runs(app, "1.1.0")
    await set_back(shop, tmp_path / "clone", "1.0.0")
    await shop.runs(app, "1.0.0")
    note = await held(shop)
    assert "web at 1.0.0" in note
    assert "older than 1.1.0" in note
    commits = len(shop.commits())
    await shop.push("1.2.0")
    checked = await shop.stack.tiphys("image", "check", app)
    assert "held" in checked.out, checked.out + checked.err
    assert len(shop.commits()) == commits
    await event(shop, app, "ImageUpdateHeld")
    resumed = await shop.stack.tiphys("image", "resume", app, "web")
    assert resumed.code == 0, resumed.err
    await shop.runs(app, "1.2.0")
    live = await shop.stack.get("application", app, "-n", "argocd")
    assert HELD_NOTE not in (live["metadata"].get("annotations") or {})


async def test_a_hold_by_hand_ends_with_a_new_constraint(shop: Shop) -> None:
    await followed(shop)
    app = shop.apps[0]
    done = await shop.stack.tiphys("image", "hold", app, "web")
    assert done.code == 0, done.err
    await shop.push("1.1.0")
    assert "held by" in await held(shop)
    assert len(shop.commits()) == 1
    await shop.apply(shop.updater("1.x"))
    await shop.runs(app, "1.1.0")
    wrong = await shop.stack.tiphys("image", "resume", app, "web")
    assert (wrong.code, "NotHeld" in wrong.err) == (1, True), wrong.err
