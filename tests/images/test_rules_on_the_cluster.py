"""What an operator sees of ImageUpdaters: two that match, one that goes, who commits, and what the status keeps."""

from shared.git.mirror import heads_of, open_mirror
from shared.kinds.imageupdater import FINALIZER
from tests.images.following import followed
from tests.parts.shop import Shop, configure


async def test_the_older_of_two_decides_and_the_other_says_so_and_may_go(shop: Shop) -> None:
    await followed(shop)
    other = f"{shop.name}-other"
    rule = shop.updater("9.x")
    await shop.apply({**rule, "metadata": {"name": other, "namespace": "argocd", "finalizers": [FINALIZER]}})
    wait = ("wait", "imageupdater", other, "-n", "argocd", "--for=condition=Warning", "--timeout=5s")
    await shop.until(lambda: shop.stack.kubectl(*wait))
    said = await shop.stack.get("imageupdater", other, "-n", "argocd")
    [warning] = [one for one in said["status"]["conditions"] if one["type"] == "Warning"]
    assert shop.apps[0] in warning["message"]
    await shop.push("1.1.0")
    await shop.runs(shop.apps[0], "1.1.0")
    gone = await shop.stack.kubectl("delete", "imageupdater", other, "-n", "argocd", "--timeout=120s")
    assert gone.code == 0, gone.err


async def test_commits_have_the_author_of_the_config_map_and_the_status_keeps_updates(shop: Shop) -> None:
    await followed(shop)
    app = shop.apps[0]
    await configure(shop, {"git.user": "A Robot", "git.email": "robot@example.org"})
    try:
        await shop.push("1.1.0")
        await shop.runs(app, "1.1.0")
    finally:
        await configure(shop, {"git.user": None, "git.email": None})
    bare = shop.stack.data / "git" / f"{shop.name}.git"
    commit = next(iter(open_mirror(bare).walk(heads_of(bare)["refs/heads/main"])))
    assert (commit.author.name, commit.author.email) == ("A Robot", "robot@example.org")

    async def kept() -> bool:
        return bool((await shop.status()).get("recentUpdates"))

    await shop.until(kept)
    status = await shop.status()
    [update] = status["recentUpdates"]
    assert (update["alias"], update["newVersion"], update["applicationsUpdated"]) == ("web", "1.1.0", 1)
    assert str(commit.id) in update["message"]
    assert (status["applicationsMatched"], "lastUpdatedAt" in status) == (1, True)
    told = await shop.stack.tiphys("image", "update", app)
    assert (told.code, "up-to-date" in told.out) == (0, True), told.out + told.err
