"""Pure rules: overrides from git, tool detection, how Secrets become access, the index of a chart repository."""

from typing import Any

import pytest

from services.renderer.chart_index import cut_out, versions_of
from services.renderer.failures import Reason, RenderFailure
from services.renderer.helm import escaped, plain_version, release_name
from services.renderer.repositories import KnownRepositories
from services.renderer.sources import Tool, detect, merged, override_files, parse
from shared.kinds.secrets import RepositoryCredentials, RepositorySecret

SOURCE: dict[str, Any] = {"repoURL": "https://example.org/r", "path": "app", "targetRevision": "main"}


@pytest.mark.parametrize(
    ("source", "names", "settings", "tool"),
    [
        ({}, {"Chart.yaml", "kustomization.yaml"}, {}, Tool.HELM),
        ({}, {"kustomization.yml"}, {}, Tool.KUSTOMIZE),
        ({}, {"Kustomization"}, {}, Tool.KUSTOMIZE),
        ({}, {"a.yaml"}, {}, Tool.DIRECTORY),
        ({"directory": {"recurse": True}}, {"Chart.yaml"}, {}, Tool.DIRECTORY),
        ({"helm": {}}, {"a.yaml"}, {}, Tool.HELM),
        ({"plugin": {"name": "x"}}, {"Chart.yaml"}, {}, Tool.PLUGIN),
        ({"chart": "web"}, set(), {}, Tool.HELM),
        ({}, {"Chart.yaml"}, {"helm.enable": "false"}, Tool.DIRECTORY),
        ({"helm": {}}, {"Chart.yaml"}, {"helm.enable": "false"}, Tool.DIRECTORY),
        ({}, {"Chart.yaml", "kustomization.yaml"}, {"helm.enable": "false"}, Tool.KUSTOMIZE),
        ({}, {"kustomization.yaml"}, {"kustomize.enable": "false"}, Tool.DIRECTORY),
    ],
)
def test_the_tool_is_named_or_found(
    source: dict[str, Any], names: set[str], settings: dict[str, str], tool: Tool
) -> None:
    assert detect(parse({**SOURCE, **source}), names, settings) is tool


def test_options_of_two_tools_are_refused() -> None:
    with pytest.raises(RenderFailure, match="Helm, Kustomize") as failure:
        detect(parse({**SOURCE, "helm": {}, "kustomize": {}}), set(), {})
    assert failure.value.reason is Reason.INVALID_SOURCE


def test_a_source_of_the_wrong_shape_says_which_field() -> None:
    with pytest.raises(RenderFailure, match=r"helm\.valueFiles"):
        parse({**SOURCE, "helm": {"valueFiles": "a.yaml"}})


def test_overrides_change_options_and_never_where_the_source_is() -> None:
    text = b"helm: {parameters: [{name: a, value: '2'}], releaseName: null}\npath: /etc\nchart: evil\nrepoURL: x\n"
    before = {**SOURCE, "helm": {"releaseName": "r", "valueFiles": ["v.yaml"]}}
    after = merged(before, ".argocd-source.yaml", text)
    assert after["helm"] == {"valueFiles": ["v.yaml"], "parameters": [{"name": "a", "value": "2"}]}
    assert {key: after[key] for key in SOURCE} == SOURCE
    assert "chart" not in after
    assert before["helm"]["releaseName"] == "r"


def test_a_broken_override_says_where() -> None:
    with pytest.raises(RenderFailure, match=r"argocd-source\.yaml, line 2") as failure:
        merged(SOURCE, "app/.argocd-source.yaml", b"helm: [")
    assert failure.value.reason is Reason.INVALID_YAML


def test_override_files_are_the_common_one_and_the_applications_own() -> None:
    assert override_files("web_shop") == (".argocd-source.yaml", ".argocd-source-web_shop.yaml")


@pytest.mark.parametrize(
    ("value", "expected"), [("a,b", r"a\,b"), ("{a,b}", "{a,b}"), (r"a\,b", r"a\,b"), (",", r"\,"), ("", "")]
)
def test_commas_in_parameters_are_no_separators(value: str, expected: str) -> None:
    assert escaped(value) == expected


@pytest.mark.parametrize(
    ("given", "plain"), [("v1.31.2+k3s1", "1.31.2"), ("1.31", "1.31.0"), ("v1.30.1-gke.5", "1.30.1"), ("", "")]
)
def test_kubernetes_versions_lose_what_distributions_add(given: str, plain: str) -> None:
    assert plain_version(given) == plain


@pytest.mark.parametrize("name", ["Web", "a_b", "x" * 54, "", "-a"])
def test_a_release_name_that_helm_refuses_is_refused_with_the_way_out(name: str) -> None:
    with pytest.raises(RenderFailure, match=r"helm\.releaseName"):
        release_name(name)


INDEX = b"""apiVersion: v1
entries:
  web-extra:
  - version: 9.9.9
    urls: [x]
  web:
  - version: 2.0.0
    annotations:
      changes: |
        - kind: added
    urls:
    - web-2.0.0.tgz
    digest: sha256:%s
  # a comment
  - version: "1.0.0"
    urls: ["https://example.org/web-1.0.0.tgz"]
  zoo:
  - version: 3
    urls: []
generated: "2026"
""" % (b"a" * 64)


def test_one_chart_is_cut_out_of_an_index() -> None:
    section = cut_out(INDEX, "web")
    assert section is not None
    assert b"zoo" not in section
    assert b"9.9.9" not in section
    found = versions_of(INDEX, "web", "here")
    assert [(each.version, each.digest) for each in found] == [("2.0.0", "a" * 64), ("1.0.0", "")]


def test_an_index_of_another_layout_is_read_whole() -> None:
    for index in (
        b'{"entries": {"web": [{"version": "1.0.0", "urls": ["u"]}]}}',
        b"entries: {web: [{version: 1.0.0, urls: [u]}]}",
        b"entries:\n  'web':\n  - {version: 1.0.0, urls: [u]}\n",
    ):
        assert versions_of(index, "web", "here")[0].version == "1.0.0"


@pytest.mark.parametrize(
    "index", [b"<html>", b"entries: {}", b"[]", b"entries:\n  other:\n  - version: 1\n", b"a: [", b""]
)
def test_what_is_no_index_or_lacks_the_chart_is_said(index: bytes) -> None:
    with pytest.raises(RenderFailure) as failure:
        versions_of(index, "web", "https://example.org")
    assert failure.value.reason is Reason.CHART_NOT_FOUND


def _secret(**fields: Any) -> RepositorySecret:
    return RepositorySecret.model_validate(fields, by_alias=True, by_name=False)


def test_credentials_are_the_repositorys_own_or_those_of_the_longest_prefix() -> None:
    known = KnownRepositories(
        (_secret(url="https://charts.example.org/own", username="own", password="p"),),
        (
            RepositoryCredentials.model_validate(
                {"url": "https://charts.example.org", "username": "all", "password": "p"}
            ),
        ),
    )
    assert known.lookup("https://charts.example.org/own/", "default").access.username == "own"
    assert known.lookup("https://charts.example.org/other", "default").access.username == "all"
    assert known.lookup("https://elsewhere.example.org", "default").access.username == ""


def test_a_secret_of_another_project_does_not_count() -> None:
    known = KnownRepositories((_secret(url="https://charts.example.org", username="u", password="p", project="a"),))
    assert known.lookup("https://charts.example.org", "a").access.username == "u"
    assert known.lookup("https://charts.example.org", "b").access.username == ""


def test_a_registry_is_known_by_its_scheme_or_its_secret() -> None:
    known = KnownRepositories(
        (_secret(url="registry.example.org/charts", enableOCI="true", type="helm", username="u", password="p"),)
    )
    for url in (
        "registry.example.org/charts",
        "oci://registry.example.org/charts",
        "oci://registry.example.org/charts/a",
    ):
        found = known.lookup(url, "default")
        assert found.oci
        assert found.access.username == "u"
    assert not known.lookup("oci://registry.example.org/charts-of-others", "default").access.username
    assert not known.lookup("https://example.org/charts", "default").oci


def test_a_dependency_may_name_its_repository() -> None:
    known = KnownRepositories((_secret(url="https://charts.example.org", name="stable"),))
    assert known.lookup("@stable", "default").url == "https://charts.example.org"
    assert known.lookup("alias:stable", "default").url == "https://charts.example.org"
    with pytest.raises(RenderFailure, match="'other'"):
        known.lookup("@other", "default")


@pytest.mark.parametrize("url", ["file:///etc", "ssh://x/y", "git://x"])
def test_charts_are_read_from_the_web_and_registries_only(url: str) -> None:
    with pytest.raises(RenderFailure) as failure:
        KnownRepositories().lookup(url, "default")
    assert failure.value.reason is Reason.INVALID_SOURCE
