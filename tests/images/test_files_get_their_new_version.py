"""Every kind of write-back target: what is changed, what stays, what is refused, and what counts as written already."""

import pytest

from services.image_updater.building import Built, build, survey
from services.image_updater.changing import Change
from services.image_updater.keys import Version
from services.image_updater.placing import Kind
from services.image_updater.policy import HelmKeys, Keys, KustomizeName, PluginKeys
from tests.images.changes import DIGEST, Files, change, place, wanted

VALUES = """\
# dev
image:
  repository: ghcr.io/acme/web # never touched
  tag: "1.0"
other: {image.tag: 1.0}
"""


def written(files: dict[str, str], *changes: Change) -> dict[str, str]:
    built = build(Files(files), changes)
    assert built.refused == {}
    return {path: data.decode() for path, data in built.files.items()}


def refused(built: Built, one: Change) -> tuple[str, str]:
    assert built.files == {}
    return built.refused[one.key].reason, built.refused[one.key].message


def test_a_values_file_changes_in_one_place() -> None:
    one = change()
    assert written({"values.yaml": VALUES}, one) == {"values.yaml": VALUES.replace('"1.0"', '"1.1"')}
    assert survey(Files({"values.yaml": VALUES}), [one]) == {one.key: Version("1.0")}


KEYS: list[tuple[str, Keys | None, str, str, str]] = [
    ("image:\n  tag: 1.0\n", None, "1.1", "", 'image:\n  tag: "1.1"\n'),
    ("image:\n  name: nginx\n  tag: 1.0\n", None, "v2", "", "image:\n  name: ghcr.io/acme/web\n  tag: v2\n"),
    ("image.tag: a\n", HelmKeys(tag="image.tag"), "b", "", "image.tag: b\n"),
    ("a:\n- x: 1\n- image: {tag: a}\n", HelmKeys(tag="a[1].image.tag"), "b", "", "a:\n- x: 1\n- image: {tag: b}\n"),
    ("img: ghcr.io/acme/web:1\n", HelmKeys(spec="img"), "2", "", "img: ghcr.io/acme/web:2\n"),
    ("t: a\n", HelmKeys(tag="t"), "b", DIGEST, f"t: b@{DIGEST}\n"),
    ("base: &b {tag: 1}\nimage: *b\n", None, "2", "", 'base: &b {tag: "2"}\nimage: *b\n'),
    ("replicas: 1\n", HelmKeys(tag="image.tag"), "2.0", "", 'replicas: 1\nimage:\n  tag: "2.0"\n'),
]


@pytest.mark.parametrize(("before", "keys", "tag", "digest", "after"), KEYS)
def test_keys_of_values_files(before: str, keys: Keys | None, tag: str, digest: str, after: str) -> None:
    one = change(wanted(keys=keys), tag=tag, digest=digest)
    assert written({"values.yaml": before}, one) == {"values.yaml": after}


WEB = "ghcr.io/acme/web"
NEW = f"newName: {WEB}"
KUSTOMIZATIONS = [
    ('images:\n- name: web\n  newTag: "1" # ci\n', f'images:\n- name: web\n  newTag: "2" # ci\n  {NEW}\n', ""),
    (
        f"images:\n- name: web\n  {NEW}\n  digest: {DIGEST}\n  # end\n",
        f'images:\n- name: web\n  {NEW}\n  newTag: "2"\n  # end\n',
        "",
    ),
    (
        "resources: [a.yaml]\n",
        f'resources: [a.yaml]\nimages:\n- name: web\n  {NEW}\n  newTag: "2"\n  digest: {DIGEST}\n',
        DIGEST,
    ),
    (
        "images:\n  - name: x\n    newTag: a\nz: 1\n",
        f'images:\n  - name: x\n    newTag: a\n  - name: web\n    {NEW}\n    newTag: "2"\nz: 1\n',
        "",
    ),
    ("images: []\n", f'images: [{{name: web, {NEW}, newTag: "2"}}]\n', ""),
    ("images: [{name: web, digest: x, newTag: a}]\n", f'images: [{{name: web, newTag: "2", {NEW}}}]\n', ""),
    ("images:\n- digest: x\n  name: web\n", f'images:\n- name: web\n  {NEW}\n  newTag: "2"\n', ""),
]


@pytest.mark.parametrize(("before", "after", "digest"), KUSTOMIZATIONS)
def test_kustomizations(before: str, after: str, digest: str) -> None:
    to = place(Kind.KUSTOMIZATION, "overlay/dev", "Kustomize")
    one = change(wanted(keys=KustomizeName("web")), to, tag="2", digest=digest)
    path = "overlay/dev/kustomization.yaml"
    assert written({path: before}, one) == {path: after}
    again = build(Files({path: after}), [one])
    assert (again.files, again.already) == ({}, [one])
    assert survey(Files({path: after}), [one])[one.key] == Version("2", digest)


FORCED = "    forceString: true\n"
OVERRIDES: list[tuple[str, Keys | None, str | None, str]] = [
    (
        "Helm",
        HelmKeys("a", "b"),
        None,
        f"helm:\n  parameters:\n  - name: a\n    value: {WEB}\n{FORCED}  - name: b\n    value: '2.0'\n{FORCED}",
    ),
    (
        "Helm",
        HelmKeys(spec="b"),
        "helm: {parameters: [{name: z, value: kept}]}\n",
        f"helm:\n  parameters:\n  - name: b\n    value: {WEB}:2.0\n{FORCED}  - name: z\n    value: kept\n",
    ),
    (
        "Helm",
        HelmKeys(spec="b"),
        "helm:\n  parameters: # ours\n  - {name: b, value: x}\n",
        f"helm:\n  parameters: # ours\n  - {{name: b, value: {WEB}:2.0}}\n",
    ),
    ("Kustomize", None, None, f"kustomize:\n  images:\n  - {WEB}:2.0\n"),
    (
        "Kustomize",
        KustomizeName("web"),
        "kustomize:\n  images:\n  - web=x:1 # mine\n  - y:1\n",
        f"kustomize:\n  images:\n  - web={WEB}:2.0 # mine\n  - y:1\n",
    ),
    (
        "Plugin",
        PluginKeys(name="NAME", tag="TAG"),
        None,
        f"plugin:\n  env:\n  - name: NAME\n    value: {WEB}\n  - name: TAG\n    value: '2.0'\n",
    ),
]


@pytest.mark.parametrize(("source_type", "keys", "before", "after"), OVERRIDES)
def test_argos_own_file_of_overrides(source_type: str, keys: Keys | None, before: str | None, after: str) -> None:
    path = "chart/.argocd-source-web.yaml"
    one = change(wanted(keys=keys), place(Kind.OVERRIDES, path, source_type), tag="2.0")
    assert written({path: before} if before else {}, one) == {path: after}
    assert build(Files({path: after}), [one]).already == [one]
    assert survey(Files({path: after}), [one])[one.key] == Version("2.0")


PLAIN = """\
apiVersion: v1
kind: Pod
spec:
  containers:
  - image: ghcr.io/acme/web:1.0 # {"$imagepolicy": "argocd:web"}
  - image: ghcr.io/acme/web:1.0
---
tag: 1.0 # {"$imagepolicy": "argocd:web:tag"}
name: 'x'   # {"$imagepolicy": "argocd:web:name"}
digest: none # {"$imagepolicy": "argocd:web:digest"}
other: 1.0 # {"$imagepolicy": "argocd:api:tag"}
"""


def test_setter_comments_in_any_yaml() -> None:
    one = change(wanted(), place(Kind.SETTERS, "plain", "Directory"), tag="2.0", digest=DIGEST)
    files = {"plain/pod.yaml": PLAIN, "plain/chart.yaml": "{{ not yaml", "plain/none.yaml": "a: 1\n"}
    after = PLAIN.replace("web:1.0 #", f"web:2.0@{DIGEST} #").replace("tag: 1.0 # ", 'tag: "2.0" # ', 1)
    after = after.replace("'x'", "'ghcr.io/acme/web'").replace("digest: none", f"digest: {DIGEST}")
    assert written(files, one) == {"plain/pod.yaml": after}
    assert survey(Files(files), [one]) == {one.key: Version("1.0")}
    assert build(Files({"plain/pod.yaml": after}), [one]).already == [one]


BAD = [
    (place(path="gone.yaml"), "TargetNotFound", "gone.yaml"),
    (place(path="../../etc/passwd"), "PathOutsideRepository", "out of the repository"),
    (place(path="broken.yaml"), "InvalidFile", "broken.yaml, line 2"),
    (place(path="twice.yaml"), "InvalidFile", "given twice"),
    (place(Kind.KUSTOMIZATION, "empty", "Kustomize"), "TargetNotFound", "no kustomization.yaml"),
    (place(Kind.SETTERS, "plain", "Directory"), "TargetNotFound", '"$imagepolicy": "argocd:web"'),
    (place(Kind.OVERRIDES, "list.yaml"), "InvalidFile", "no map"),
]


@pytest.mark.parametrize(("to", "reason", "words"), BAD)
def test_what_can_not_be_written_is_said_and_nothing_is(to: object, reason: str, words: str) -> None:
    files = {"broken.yaml": "image: [\n", "twice.yaml": "a: 1\na: 2\n", "plain/a.yaml": "a: 1\n", "list.yaml": "- a\n"}
    one = change(to=to)  # type: ignore[arg-type]
    found = refused(build(Files(files), [one]), one)
    assert (found[0], words in found[1]) == (reason, True), found


@pytest.mark.parametrize("key", ["a..b", "a[x]", "[0].a", "a.", ".a", "a[0]b"])
def test_what_is_no_key(key: str) -> None:
    one = change(wanted(keys=HelmKeys(tag="t", name=key)))
    assert refused(build(Files({"values.yaml": "a: 1\n"}), [one]), one)[0] == "InvalidKey"


def test_two_images_that_want_one_key_are_both_refused_and_others_go_on() -> None:
    keys = HelmKeys(tag="image.tag")
    one, two = change(wanted("a/one", "one", keys)), change(wanted("a/two", "two", keys), tag="9")
    third = change(wanted("a/three", "three", HelmKeys(tag="third")), tag="3")
    built = build(Files({"values.yaml": "image: {tag: x}\nthird: x\n"}), [one, two, third])
    assert built.files == {"values.yaml": b'image: {tag: x}\nthird: "3"\n'}
    assert {key.alias: why.reason for key, why in built.refused.items()} == {"one": "KeyConflict", "two": "KeyConflict"}
    assert "image.tag in values.yaml" in built.refused[one.key].message


def test_many_applications_of_one_file_want_the_same() -> None:
    changes = [change(app=f"app-{number}") for number in range(300)]
    built = build(Files({"values.yaml": VALUES}), changes)
    assert len(built.made) == 300
    assert built.files["values.yaml"].decode() == VALUES.replace('"1.0"', '"1.1"')


def test_one_broken_file_stops_only_its_own_changes() -> None:
    good, bad = change(), change(wanted(alias="bad"), place(path="broken.yaml"))
    built = build(Files({"values.yaml": VALUES, "broken.yaml": "\tx"}), [bad, good])
    assert set(built.files) == {"values.yaml"}
    assert built.refused[bad.key].reason == "InvalidFile"


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_line_ends_and_the_byte_order_mark_stay(newline: str) -> None:
    before = "\ufeff" + VALUES.replace("\n", newline)
    assert written({"values.yaml": before}, change()) == {"values.yaml": before.replace('"1.0"', '"1.1"')}
