"""Which dependencies of a chart are missing, and where they come from: the repository itself or a chart repository."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from services.renderer.dependencies import Dependency, declared, local, missing
from services.renderer.failures import Reason, RenderFailure
from services.renderer.files import MemoryFiles, Recording
from shared.git.tree import GitTree
from tests.render.tools import Content, Link, Mirror

CHART = """
apiVersion: v2
name: app
version: 1.0.0
dependencies:
- {name: base, version: 1.x, repository: "https://charts.example.org"}
- {name: base, version: 1.x, repository: "https://charts.example.org", alias: second}
- {name: near, version: 1.0.0, repository: "file://../near"}
"""


def _files(**added: str) -> MemoryFiles:
    given = {"app/Chart.yaml": CHART, **{key.replace("__", "/"): value for key, value in added.items()}}
    return MemoryFiles({path: text.encode() for path, text in given.items()})


def test_declared_dependencies_take_their_version_from_the_lock() -> None:
    files = _files(**{"app__Chart.lock": "dependencies: [{name: base, version: 1.2.3, repository: x}]"})
    assert [(each.name, each.version, each.locked) for each in declared(files, "app")] == [
        ("base", "1.x", "1.2.3"),
        ("base", "1.x", "1.2.3"),
        ("near", "1.0.0", ""),
    ]


def test_an_old_chart_declares_them_in_requirements() -> None:
    files = MemoryFiles(
        {
            "Chart.yaml": b"apiVersion: v1\nname: app\nversion: 1.0.0\n",
            "requirements.yaml": b"dependencies: [{name: base, version: 1.0.0, repository: 'https://example.org'}]",
        }
    )
    assert [each.name for each in missing(files, "")] == ["base"]


@pytest.mark.parametrize("vendored", ["app__charts__base-1.2.3.tgz", "app__charts__base__Chart.yaml"])
def test_what_is_vendored_is_not_missing(vendored: str) -> None:
    assert [each.name for each in missing(_files(**{vendored: "x"}), "app")] == ["near"]


def test_a_chart_with_a_longer_name_is_another_chart() -> None:
    names = [each.name for each in missing(_files(**{"app__charts__base-extra-1.0.0.tgz": "x"}), "app")]
    assert names == ["base", "near"]


def _local(tmp_path: Path, files: Mapping[str, Content], repository: str) -> dict[str, bytes]:
    mirror = Mirror(tmp_path, "https://example.org/repo")
    tree = Recording(GitTree(mirror.path, mirror.commit(files)))
    return local(tree, "apps/app", [Dependency("near", repository, "1.0.0")])


def test_a_dependency_beside_the_chart_is_laid_into_it(tmp_path: Path) -> None:
    files = {"apps/near/Chart.yaml": "name: near", "apps/near/templates/a.yaml": "a"}
    assert _local(tmp_path, files, "file://../near") == {
        "apps/app/charts/near/Chart.yaml": b"name: near",
        "apps/app/charts/near/templates/a.yaml": b"a",
    }


@pytest.mark.parametrize("repository", ["file://../../../near", "file:///../near"])
def test_a_dependency_outside_the_repository_is_refused(tmp_path: Path, repository: str) -> None:
    with pytest.raises(RenderFailure) as failure:
        _local(tmp_path, {"a": "x"}, repository)
    assert failure.value.reason is Reason.PATH_ESCAPES_REPOSITORY


def test_a_link_in_a_local_dependency_cannot_lead_out(tmp_path: Path) -> None:
    files = {"apps/near/Chart.yaml": "name: near", "apps/near/files/passwd": Link("/etc/passwd")}
    with pytest.raises(RenderFailure) as failure:
        _local(tmp_path, files, "file://../near")
    assert failure.value.reason is Reason.PATH_ESCAPES_REPOSITORY


def test_a_dependency_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RenderFailure, match="near") as failure:
        _local(tmp_path, {"a": "x"}, "file://../near")
    assert failure.value.reason is Reason.DEPENDENCY_UNAVAILABLE


def test_a_name_that_is_a_path_is_refused() -> None:
    files = MemoryFiles({"Chart.yaml": b"apiVersion: v2\ndependencies: [{name: ../x, version: 1}]"})
    with pytest.raises(RenderFailure) as failure:
        missing(files, "")
    assert failure.value.reason is Reason.CHART_INVALID
