"""The demo's world: each run brings the next image tag, and its Applications say what a person would write."""

from services.stack.demo import world


def test_each_change_brings_another_known_tag() -> None:
    manifest, seen = (world.SEED / world.CHANGED).read_text(), set()
    for _ in world.TAGS:
        manifest, image = world.bumped(manifest)
        seen.add(image)
        assert f"image: {image}" in manifest
    assert len(seen) == len(world.TAGS)


def test_an_unknown_tag_is_replaced_too() -> None:
    manifest, image = world.bumped("image: nginx:mine\n")
    assert manifest == f"image: {image}\n"


def test_there_is_one_application_of_each_tool_in_its_own_namespace() -> None:
    applications = world.applications("http://git/demo.git", "argocd")
    namespaces = {app["spec"]["destination"]["namespace"] for app in applications}
    assert [app["metadata"]["name"] for app in applications] == list(world.NAMES)
    assert len(namespaces) == 3
    assert applications[1]["spec"]["source"]["helm"]["valueFiles"] == ["values-dev.yaml"]


def test_the_seed_holds_every_path_the_applications_name() -> None:
    folders = {path.rpartition("/")[0] for path in world.seed()}
    assert {app["spec"]["source"]["path"] for app in world.applications("r", "argocd")} <= folders
