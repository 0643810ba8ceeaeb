"""`app set` and `unset` change what is named and leave the rest; what they can't understand is said."""

from typing import Any

import pytest

from services.cli.app.edit import Change, Removal, changed, image_name, removed
from services.cli.errors import CliError
from services.cli.specified import OPTIONS, change_of

Obj = dict[str, Any]
SPEC: Obj = {
    "project": "default",
    "source": {
        "repoURL": "https://git.example.org/a.git",
        "path": "web",
        "helm": {"parameters": [{"name": "image.tag", "value": "1", "forceString": True}, {"name": "a", "value": "b"}]},
        "kustomize": {"images": ["nginx:1", "old=reg.example.org:5000/new:2"]},
    },
    "syncPolicy": {"syncOptions": ["CreateNamespace=true"], "automated": {"prune": True, "enabled": False}},
    "fieldOfTomorrow": 1,
}


def said(**words: Any) -> Change:
    return change_of({name: words.get(name) for name in OPTIONS})


@pytest.mark.parametrize(
    ("change", "path", "expected"),
    [
        (said(revision="v2"), ("source", "targetRevision"), "v2"),
        (said(project="team"), ("project",), "team"),
        (said(dest_namespace="web"), ("destination", "namespace"), "web"),
        (said(sync_policy="none"), ("syncPolicy", "automated"), None),
        (said(sync_policy="automated"), ("syncPolicy", "automated"), {"prune": True}),
        (said(sync_policy="automated", self_heal=True), ("syncPolicy", "automated"), {"prune": True, "selfHeal": True}),
        (said(auto_prune=False), ("syncPolicy", "automated", "prune"), False),
        (
            said(sync_options=["!CreateNamespace", "PruneLast=true"]),
            ("syncPolicy", "syncOptions"),
            ["PruneLast=true"],
        ),
        (said(sync_options=["CreateNamespace=false"]), ("syncPolicy", "syncOptions"), ["CreateNamespace=false"]),
        (
            said(parameters=["image.tag=2", "c=d=e"]),
            ("source", "helm", "parameters"),
            [{"name": "image.tag", "value": "2"}, {"name": "a", "value": "b"}, {"name": "c", "value": "d=e"}],
        ),
        (
            said(images=["old=reg.example.org:5000/new:3"]),
            ("source", "kustomize", "images"),
            ["nginx:1", "old=reg.example.org:5000/new:3"],
        ),
        (said(value_files=["values-dev.yaml"]), ("source", "helm", "valueFiles"), ["values-dev.yaml"]),
    ],
)
def test_what_is_named_changes(change: Change, path: tuple[str, ...], expected: Any) -> None:
    new: Any = changed(SPEC, change)
    assert new["fieldOfTomorrow"] == 1
    for step in path:
        new = new.get(step) if isinstance(new, dict) else None
    assert new == expected


def test_nothing_named_changes_nothing() -> None:
    assert changed(SPEC, said()) == SPEC


def test_what_is_unset_goes_with_what_it_leaves_empty() -> None:
    new = removed(SPEC, Removal(parameters=("image.tag", "a"), images=("nginx", "old")))
    assert new["source"] == {"repoURL": "https://git.example.org/a.git", "path": "web"}
    with pytest.raises(CliError, match="has no missing"):
        removed(SPEC, Removal(parameters=("missing",)))


def test_of_several_sources_one_must_be_named() -> None:
    spec = {"sources": [{"repoURL": "a"}, {"repoURL": "b"}]}
    assert changed(spec, said(revision="v1", source_position=2))["sources"][1] == {
        "repoURL": "b",
        "targetRevision": "v1",
    }
    for position, words in ((None, "2 sources"), (3, "none at 3"), (0, "none at 0")):
        with pytest.raises(CliError, match=words):
            changed(spec, said(revision="v1", source_position=position))


@pytest.mark.parametrize("words", [{"parameters": ["x"]}, {"sync_options": ["x"]}, {"sync_policy": "sometimes"}])
def test_what_means_nothing_is_said(words: Obj) -> None:
    with pytest.raises(CliError, match=r"x|sometimes"):
        changed(SPEC, said(**words))


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("nginx", "nginx"),
        ("nginx:1.2", "nginx"),
        ("nginx@sha256:abc", "nginx"),
        ("old=new:1", "old"),
        ("reg.example.org:5000/team/app", "reg.example.org:5000/team/app"),
        ("reg.example.org:5000/team/app:1", "reg.example.org:5000/team/app"),
    ],
)
def test_an_image_override_is_known_by_the_name_in_the_manifests(image: str, name: str) -> None:
    assert image_name(image) == name
