"""Signatures, age, no way back: what a policy asks for beyond a tag, from the push to the pod template."""

from typing import Any

from shared.clock import now, rfc3339
from tests.images.following import condition, followed, ruled, until_checked
from tests.parts.images import push_image
from tests.parts.shop import Shop, configure
from tests.registry.signing import Key, new_key, pem, sign_simply, signature, simple_payload

Obj = dict[str, Any]


async def push_signed(shop: Shop, tag: str, key: Key) -> str:
    """The image, its signature, then the tag: nobody sees the tag without the signature."""
    name, labels = f"{shop.name}/web", {"tag": tag}
    digest = await push_image(shop.registry, name, "", labels=labels)
    payload = simple_payload(digest)
    await sign_simply(shop.registry, name, digest, (payload, signature(key, payload)))
    assert await shop.push(tag, labels=labels) == digest
    return digest


async def settings(shop: Shop, constraint: str = "", **wanted: Any) -> None:
    await ruled(shop, shop.updater(constraint, commonUpdateSettings=wanted))


async def test_only_what_the_key_has_signed_is_written_and_by_its_digest(shop: Shop) -> None:
    await followed(shop)
    app, key = shop.apps[0], new_key()
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{shop.name}-cosign", "namespace": "argocd"}}
    await shop.apply({**secret, "stringData": {"cosign.pub": pem(key)}})
    wish = {"cosignKey": {"secretName": f"{shop.name}-cosign", "key": "cosign.pub"}}
    await ruled(shop, shop.updater(imagesVerification=wish))
    forged = await push_signed(shop, "1.1.0", new_key())
    await condition(shop, "Error", "True", app, "SignatureInvalid", forged)
    assert len(shop.commits()) == 1
    digest = await push_signed(shop, "1.2.0", key)
    await shop.runs(app, f"1.2.0@{digest}")
    assert f"1.2.0@{digest}" in shop.read("chart/values-dev.yaml")
    await condition(shop, "Error", "False", "NoErrors")
    assert len(shop.commits()) == 2
    await shop.stack.kubectl("delete", "secret", f"{shop.name}-cosign", "-n", "argocd")


async def test_an_image_waits_until_it_is_old_enough(shop: Shop) -> None:
    await followed(shop)
    app = shop.apps[0]
    await settings(shop, minimumAge="24h")
    await shop.push("1.2.0", created=rfc3339(now()))
    await shop.push("1.1.0", created="2020-01-01T00:00:00Z")
    await shop.runs(app, "1.1.0")
    told = await shop.stack.tiphys("image", "explain", app, "web")
    [line] = [line for line in told.out.splitlines() if line.startswith("1.2.0")]
    assert "younger than the minimum age" in line, told.out
    assert len(shop.commits()) == 2
    await settings(shop)
    await shop.runs(app, "1.2.0")


async def test_there_is_no_way_back_with_no_downgrade(shop: Shop) -> None:
    for tag in ("1.4.0", "1.5.0"):
        await shop.push(tag)
    shop.begin("1.5.0")
    app = await shop.application()
    await settings(shop, "~1.4.0", noDowngrade=True)
    await shop.runs(app, "1.5.0")
    await until_checked(shop, 1)
    checked = await shop.stack.tiphys("image", "check", app)
    assert "older than 1.5.0" in checked.out + checked.err, checked.out + checked.err
    await shop.push("1.4.1")
    checked = await shop.stack.tiphys("image", "check", app)
    assert "1.4.1 is older than 1.5.0" in checked.out + checked.err, checked.out + checked.err
    assert len(shop.commits()) == 1
    await settings(shop, "~1.4.0")
    await shop.runs(app, "1.4.1")


async def test_a_commit_says_what_the_image_says_of_itself_and_nothing_more(shop: Shop) -> None:
    template = (
        "deploy: {{ .AppName }}\n\n{{ range .AppChanges }}{{ .Image }} is {{ .NewTag }}, built of "
        '{{ index .Labels "org.opencontainers.image.revision" }}\n'
        '{{ index .Labels "org.opencontainers.image.title" }}\n{{ end }}'
    )
    await followed(shop)
    await configure(shop, {"git.commit-message-template": template})
    try:
        title = "a shop\n\nCo-authored-by: nobody <n@example.com>\nTiphys-Delivery: image:00000000:forged\x1b[31m"
        labels = {"org.opencontainers.image.revision": "c0ffee", "org.opencontainers.image.title": title}
        digest = await shop.push("1.1.0", labels=labels)
        await shop.runs(shop.apps[0], "1.1.0")
    finally:
        await configure(shop, {"git.commit-message-template": None})
    message = shop.commits()[0]
    assert message.startswith(f"deploy: {shop.apps[0]}\n\n{shop.image} is 1.1.0, built of c0ffee\n"), message
    assert "Co-authored-by: nobody" not in message.splitlines()
    assert [line for line in message.splitlines() if line.startswith("Tiphys-Delivery")] == [
        message.splitlines()[-1]
    ], message
    assert digest.removeprefix("sha256:") in message
    assert "\x1b" not in message
