"""From an Application and its settings to a file in a branch, or to a refusal that says what to change."""

from typing import Any

import msgspec
import pytest

from services.image_updater.keys import Version
from services.image_updater.permitting import check_permitted
from services.image_updater.placing import Branches, Kind, Place, merged, method_of, place_of, secret_of
from services.image_updater.policy import HelmKeys, Keys, KustomizeName
from services.image_updater.refusals import Refused
from services.image_updater.specpatch import patch_of
from services.image_updater.view import AppView, decode
from shared.kinds.appproject import AppProject
from shared.kinds.imageupdater import WriteBackConfig
from tests.images.changes import DIGEST, wanted

Obj = dict[str, Any]
REPO = "https://git.example.org/apps.git"
HELM = {"repoURL": REPO, "path": "charts/web", "targetRevision": "main", "helm": {}}


def view(*sources: Obj, namespace: str = "argocd", types: tuple[str, ...] = (), **spec: Any) -> AppView:
    given = {"source": sources[0]} if len(sources) == 1 else {"sources": list(sources)}
    metadata = {"name": "web", "namespace": namespace}
    status = {"sourceTypes": list(types)}
    return decode(msgspec.json.encode({"metadata": metadata, "spec": {**given, **spec}, "status": status}))


def config(target: str = "", method: str = "git", **git: Any) -> WriteBackConfig:
    return WriteBackConfig.parse({"method": method, "gitConfig": {"writeBackTarget": target, **git}})


def placed(app: AppView, settings: WriteBackConfig, keys: Keys | None = None) -> Place:
    return place_of(app, wanted(keys=keys), settings, namespace="argocd", argo="argocd")


PATHS: list[tuple[str, Obj, str, Kind]] = [
    ("", HELM, "charts/web/.argocd-source-web.yaml", Kind.OVERRIDES),
    ("helmvalues", HELM, "charts/web/values.yaml", Kind.VALUES),
    ("helmvalues:values-dev.yaml", HELM, "charts/web/values-dev.yaml", Kind.VALUES),
    ("helmvalues:./dev/../v.yaml", HELM, "charts/web/v.yaml", Kind.VALUES),
    ("helmvalues:../shared.yaml", HELM, "charts/shared.yaml", Kind.VALUES),
    ("helmvalues:/env/dev.yaml", HELM, "env/dev.yaml", Kind.VALUES),
    ("kustomization", {**HELM, "helm": None, "kustomize": {}}, "charts/web", Kind.KUSTOMIZATION),
    ("kustomization:../base", {**HELM, "helm": None, "kustomize": {}}, "charts/base", Kind.KUSTOMIZATION),
    ("setters", {**HELM, "helm": None}, "charts/web", Kind.SETTERS),
    ("setters:/", {**HELM, "helm": None}, "", Kind.SETTERS),
]


@pytest.mark.parametrize(("target", "source", "path", "kind"), PATHS)
def test_paths(target: str, source: Obj, path: str, kind: Kind) -> None:
    found = placed(view(source, types=("Directory",)), config(target))
    assert (found.path, found.kind, found.url, found.branches) == (path, kind, REPO, Branches("main", ""))


def test_an_application_of_another_namespace_has_a_file_of_its_own() -> None:
    assert placed(view(HELM, namespace="team"), config()).path == "charts/web/.argocd-source-team_web.yaml"


BRANCHES = [
    ({}, "main", Branches("main", "")),
    ({"branch": "dev"}, "main", Branches("dev", "")),
    ({"branch": "dev:images/{{.AppName}}"}, "main", Branches("dev", "images/{{.AppName}}")),
    ({"branch": ":images"}, "main", Branches("main", "images")),
    ({}, "HEAD", Branches("", "")),
    ({}, "", Branches("", "")),
    ({}, "refs/heads/x/y", Branches("x/y", "")),
]


@pytest.mark.parametrize(("git", "revision", "expected"), BRANCHES)
def test_branches(git: Obj, revision: str, expected: Branches) -> None:
    assert placed(view({**HELM, "targetRevision": revision}), config(**git)).branches == expected


def test_of_several_sources_the_one_with_the_right_tool_is_written() -> None:
    chart = {"repoURL": "https://charts.example.org", "chart": "web", "targetRevision": "1.0.0"}
    values = {"repoURL": REPO, "ref": "values", "targetRevision": "dev"}
    kustomize = {"repoURL": REPO, "path": "k", "targetRevision": "main"}
    app = view(chart, values, kustomize, types=("Helm", "", "Kustomize"))
    found = placed(app, config("helmvalues:/values/web.yaml"), HelmKeys(tag="t"))
    assert (found.url, found.branches.base, found.path) == (REPO, "dev", "values/web.yaml")
    assert placed(app, config(), KustomizeName("x")).path == "k/.argocd-source-web.yaml"


REFUSED: list[tuple[AppView, WriteBackConfig, str, str]] = [
    (view(HELM), config("helmvalues:../../../etc/x"), "PathOutsideRepository", "out of the repository"),
    (view(HELM), config("kustomization:/../x"), "PathOutsideRepository", "out of the repository"),
    (view(HELM), config("files:x"), "InvalidWriteBack", "kustomization, helmvalues or setters"),
    (view({**HELM, "helm": None}, types=("Directory",)), config(), "UnsupportedSource", "target setters"),
    (view(sourceHydrator={}, source=HELM), config(), "SourceHydratorUnsupported", "drySource"),
    (view({"repoURL": "oci://r/c", "chart": "c"}), config(), "UnsupportedSource", "no git repository"),
    (view(HELM), config(branch="a:b", pullRequest={"github": {}}), "InvalidWriteBack", "pullRequest"),
    (view(HELM), config(method="git:secret:other/creds"), "SecretNotPermitted", "only those of argocd"),
]


@pytest.mark.parametrize(("app", "settings", "reason", "words"), REFUSED)
def test_what_can_not_be_written(app: AppView, settings: WriteBackConfig, reason: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        placed(app, settings)
    assert (refused.value.reason, words in refused.value.message) == (reason, True), refused.value


def test_methods_and_their_secrets() -> None:
    words = ["argocd", "git", "git:repocreds", "git:secret:argocd/x", "git:secret:x"]
    assert [method_of(config(method=word)) for word in words] == ["argocd", "git", "git", "git", "git"]
    assert [secret_of(config(method=word), "argocd") for word in words] == ["", "", "", "argocd/x", "argocd/x"]
    with pytest.raises(Refused, match="unknown"):
        method_of(config(method="svn"))
    assert method_of(merged([None, WriteBackConfig()])) == "argocd"


def test_a_pull_request_is_taken_whole_from_the_nearest_level() -> None:
    near = config(branch="near", pullRequest={"gitlab": {}})
    far = config(method="argocd", branch="far", repository="r", pullRequest={"github": {}, "labels": ["a"]})
    found = merged([near, far]).git_config
    assert found
    assert near.git_config
    assert (found.branch, found.repository, found.pull_request) == ("near", "r", near.git_config.pull_request)


def project(**spec: Any) -> AppProject:
    return AppProject.parse({"metadata": {"name": "team"}, "spec": {"sourceRepos": [], **spec}})


def permitted(app: AppView, settings: WriteBackConfig, of: AppProject | None) -> str:
    try:
        check_permitted(app, placed(app, settings), of, argo="argocd")
    except Refused as refused:
        return refused.reason
    return ""


def test_a_project_bounds_what_is_written() -> None:
    other = config(repository="https://git.example.org/other.git")
    assert permitted(view(HELM), config(), None) == ""
    assert permitted(view(HELM, project="team"), config(), None) == "ProjectMissing"
    assert permitted(view(HELM, project="team"), config(), project()) == ""
    assert permitted(view(HELM, project="team"), other, project()) == "NotPermitted"
    assert permitted(view(HELM, project="team"), other, project(sourceRepos=["https://git.example.org/*"])) == ""
    stranger = view(HELM, project="team", namespace="strangers")
    assert permitted(stranger, config(), project(sourceRepos=["*"])) == "NotPermitted"
    assert permitted(stranger, config(), project(sourceNamespaces=["strangers"])) == "NotPermitted"
    assert permitted(stranger, config(), project(sourceNamespaces=["strangers"], sourceRepos=["*"])) == ""


WEB = "ghcr.io/acme/web"
NAMED = {"name": "image.name", "value": WEB}
HELM_AT, KUSTOMIZE_AT = "/spec/source/helm", "/spec/source/kustomize"


def tagged(value: str, **more: Any) -> Obj:
    return {"name": "image.tag", "value": value, **more}


PATCHES: list[tuple[Obj, str, Keys | None, list[Obj]]] = [
    (
        {"helm": {"parameters": [tagged("1"), NAMED]}},
        "Helm",
        None,
        [{"op": "replace", "path": f"{HELM_AT}/parameters/0", "value": tagged("2", forceString=True)}],
    ),
    (
        {},
        "Helm",
        HelmKeys(spec="i"),
        [
            {"op": "add", "path": HELM_AT, "value": {}},
            {
                "op": "add",
                "path": f"{HELM_AT}/parameters",
                "value": [{"name": "i", "value": f"{WEB}:2", "forceString": True}],
            },
        ],
    ),
    (
        {"kustomize": {"images": ["x:1", f"{WEB}:1"], "namePrefix": "a-"}},
        "Kustomize",
        None,
        [{"op": "add", "path": f"{KUSTOMIZE_AT}/images", "value": ["x:1", f"{WEB}:2"]}],
    ),
    ({"kustomize": {"images": [f"{WEB}:2"]}}, "Kustomize", None, []),
]


@pytest.mark.parametrize(("source", "source_type", "keys", "operations"), PATCHES)
def test_the_method_argocd_touches_nothing_else(
    source: Obj, source_type: str, keys: Keys | None, operations: list[Obj]
) -> None:
    app = {"metadata": {"resourceVersion": "7"}, "spec": {"source": source}}
    found = patch_of(app, 0, source_type, wanted(keys=keys), Version("2"))
    guard = {"op": "test", "path": "/metadata/resourceVersion", "value": "7"}
    assert found == ([guard, *operations] if operations else None)
    many = {"metadata": {"resourceVersion": "7"}, "spec": {"sources": [{}, source]}}
    again = patch_of(many, 1, source_type, wanted(keys=keys), Version("2", DIGEST))
    assert again
    assert all(one["path"].startswith("/spec/sources/1/") for one in again[1:])
