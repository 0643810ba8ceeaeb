"""Annotations alone, the method argocd, pinned digests, signatures, and what is said when something is wrong."""

from typing import Any

from services.image_updater.annotations import PREFIX
from tests.images.following import announced, condition, event, followed, ruled, until_checked
from tests.parts.shop import KEYS, Shop

Obj = dict[str, Any]


async def test_annotations_alone_write_argos_file_of_overrides(shop: Shop) -> None:
    await shop.push("1.0.0")
    shop.begin("1.0.0")
    notes = {"image-list": f"web={shop.image}:~1", "write-back-method": "git", "web.pin-digest": "true"}
    notes |= {"web.helm.image-name": "image.repository", "web.helm.image-tag": "image.tag"}
    app = await shop.application(annotations={f"{PREFIX}{name}": value for name, value in notes.items()})
    digest = await shop.push("1.1.0")
    await shop.push("2.0.0")
    await shop.runs(app, f"1.1.0@{digest}")
    written = shop.read(f"chart/.argocd-source-{app}.yaml")
    assert f"value: 1.1.0@{digest}" in written

    async def listed() -> bool:
        told = (await shop.stack.tiphys("image", "list", app)).out
        return all(word in told for word in (app, "semver", "~1", "1.1.0@sha256:"))

    await shop.until(listed)


async def test_the_method_argocd_changes_one_parameter_of_the_object(shop: Shop) -> None:
    await shop.push("1.0.0")
    shop.begin("1.0.0")
    kept = {"name": "replicas", "value": "1"}
    parameters = [kept, {"name": "image.repository", "value": shop.image}, {"name": "image.tag", "value": "1.0.0"}]
    app = await shop.application(source={"helm": {"parameters": parameters}})
    await shop.apply(shop.updater(writeBackConfig={"method": "argocd"}))
    await shop.runs(app, "1.0.0")
    await until_checked(shop, 1)
    await shop.push("1.1.0")
    await shop.runs(app, "1.1.0")
    live = await shop.stack.get("application", app, "-n", "argocd")
    after = live["spec"]["source"]["helm"]["parameters"]
    assert after == [kept, parameters[1], {"name": "image.tag", "value": "1.1.0", "forceString": True}]
    assert len(shop.commits()) == 1
    [told] = await announced(shop)
    assert (told.method, told.old_tag, told.new_tag) == ("argocd", "1.0.0", "1.1.0")
    notes = (await event(shop, app, "ImagesUpdated"))["metadata"]["annotations"]
    assert notes["argocd-image-updater.image-0/full-image-name"] == f"{shop.image}:1.1.0"
    assert (notes["argocd-image-updater.image-0/old-tag"], notes["argocd-image-updater.image-0/new-tag"]) == (
        "1.0.0",
        "1.1.0",
    )


async def test_an_image_without_a_signature_is_not_written(shop: Shop) -> None:
    await followed(shop)
    key = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{shop.name}-cosign", "namespace": "argocd"}}
    pem = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"
    await shop.apply({**key, "stringData": {"cosign.pub": f"{pem}\n-----END PUBLIC KEY-----\n"}})
    wish = {"cosignKey": {"secretName": f"{shop.name}-cosign", "key": "cosign.pub"}}
    await ruled(shop, shop.updater(imagesVerification=wish))
    await shop.push("1.1.0")
    said = await condition(shop, "Error", "True", shop.apps[0])
    assert "Signature" in said["message"] or "key" in said["message"], said
    assert len(shop.commits()) == 1
    await shop.apply(shop.updater(imagesVerification={"enabled": False, **wish}))
    await shop.runs(shop.apps[0], "1.1.0")


async def test_what_is_wrong_stands_in_the_conditions(shop: Shop) -> None:
    await followed(shop)
    other = {"alias": "other", "imageName": shop.image, "manifestTargets": {"helm": KEYS}, "commonUpdateSettings": {}}
    other["commonUpdateSettings"] = {"updateStrategy": "alphabetical", "ignoreTags": ["1.*"]}
    await shop.push("zulu")
    images = [*shop.updater()["spec"]["applicationRefs"][0]["images"], other]
    await ruled(shop, shop.updater(applicationRefs=[{"namePattern": f"{shop.name}-*", "images": images}]))
    await shop.push("1.1.0")
    await condition(shop, "Error", "True", "KeyConflict", "image.tag")
    out = {"method": "git", "gitConfig": {"writeBackTarget": "helmvalues:../../../etc/values.yaml"}}
    await shop.apply(shop.updater(writeBackConfig=out))
    await condition(shop, "Ready", "False", "ReconcileFailed")
    await condition(shop, "Error", "True", "PathOutsideRepository")
    await shop.apply(shop.updater("latest"))
    await condition(shop, "Error", "True", "ConstraintInvalid")
    assert len(shop.commits()) == 1
    await event(shop, shop.apps[0], "ImageUpdateFailed")
    await shop.apply(shop.updater("~1"))
    await shop.runs(shop.apps[0], "1.1.0")
    await condition(shop, "Ready", "True", "ReconcileCompleted")
    await condition(shop, "Error", "False", "NoErrors")


async def test_people_ask_why(shop: Shop) -> None:
    await followed(shop, constraint="~1.0")
    app = shop.apps[0]
    for tag in ("1.0.1-rc1", "2.0.0", "main"):
        await shop.push(tag)
    told = await shop.stack.tiphys("image", "explain", app, "web")
    assert told.code == 0, told.err
    lines = {line.split()[0]: line for line in told.out.splitlines() if line}
    assert "winner" in lines["1.0.0"]
    assert "the highest version that satisfies '~1.0'" in lines["1.0.0"]
    assert "does not satisfy '~1.0'" in lines["2.0.0"]
    assert "no semantic version" in lines["main"]
    assert "up-to-date" in told.err
    tried = await shop.stack.tiphys("image", "test", shop.image, "--strategy", "alphabetical", "--ignore-tags", "m*")
    assert f"{shop.image} by alphabetical: 2.0.0" in tried.out, tried.err
    missing = await shop.stack.tiphys("image", "explain", app, "nope")
    assert (missing.code, "has no image 'nope': it has web" in missing.err) == (1, True), missing.err
