"""Which value files a Helm source reads, in which order, over real commits."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from services.renderer.environment import Environment
from services.renderer.failures import Reason, RenderFailure
from services.renderer.files import Recording, input_paths
from services.renderer.values import Roots, allowed_schemes, value_files
from shared.git.tree import GitTree
from tests.render.tools import Content, Link, Mirror

APP_FILES = {
    "app/Chart.yaml": "name: app",
    "app/a.yaml": "a: 1",
    "app/b.yaml": "b: 1",
    "app/envs/prod/x.yaml": "x: 1",
    "envs/common.yaml": "common: 1",
}


class Source:
    """An application's repository and one that it refers to as `$values`."""

    def __init__(self, folder: Path, files: Mapping[str, Content] = APP_FILES) -> None:
        own = Mirror(folder, "https://example.org/own")
        other = Mirror(folder, "https://example.org/values")
        self.own = Recording(GitTree(own.path, own.commit(files)))
        self.other = Recording(GitTree(other.path, other.commit({"prod/v.yaml": "v: 1", "prod/w.yaml": "w: 1"})))
        self.roots = Roots(self.own, "app", {"values": self.other}, allowed_schemes({}))
        self.environment = Environment({"ARGOCD_APP_NAME": "a", "ENV": "prod"})

    def find(self, raws: Sequence[str], *, ignore_missing: bool = False) -> list[str]:
        places = value_files(raws, self.roots, self.environment, ignore_missing=ignore_missing)
        return [f"{place.ref}:{place.path}" if place.ref else place.path for place in places]


def test_files_keep_their_order_and_come_once(tmp_path: Path) -> None:
    raws = ["b.yaml", "a.yaml", "/envs/common.yaml", "../envs/common.yaml", "b.yaml"]
    assert Source(tmp_path).find(raws) == ["app/b.yaml", "app/a.yaml", "envs/common.yaml"]


def test_a_reference_reads_another_source_from_its_root(tmp_path: Path) -> None:
    source = Source(tmp_path)
    assert source.find(["$values/prod/v.yaml", "$values/$ENV/w.yaml"]) == ["values:prod/v.yaml", "values:prod/w.yaml"]
    assert input_paths(None, source.other.touched) == ("prod/v.yaml", "prod/w.yaml")


def test_what_is_no_reference_is_a_variable(tmp_path: Path) -> None:
    assert Source(tmp_path).find(["$ARGOCD_APP_NAME.yaml"]) == ["app/a.yaml"]


def test_globs_give_their_matches_in_name_order(tmp_path: Path) -> None:
    assert Source(tmp_path).find(["*.yaml"]) == ["app/Chart.yaml", "app/a.yaml", "app/b.yaml"]
    assert Source(tmp_path).find(["**/x.yaml", "$values/**/*.yaml"]) == [
        "app/envs/prod/x.yaml",
        "values:prod/v.yaml",
        "values:prod/w.yaml",
    ]


def test_a_file_that_is_also_listed_stands_where_it_is_listed(tmp_path: Path) -> None:
    assert Source(tmp_path).find(["[ab].yaml", "a.yaml"]) == ["app/b.yaml", "app/a.yaml"]


def test_a_missing_file_is_an_error_unless_it_may_be_missing(tmp_path: Path) -> None:
    source = Source(tmp_path)
    for raw in ("nothing.yaml", "nothing*.yaml", "$values/nothing.yaml"):
        with pytest.raises(RenderFailure) as failure:
            source.find([raw])
        assert failure.value.reason is Reason.VALUE_FILE_NOT_FOUND
        assert source.find([raw, "a.yaml"], ignore_missing=True) == ["app/a.yaml"]


def test_what_was_looked_for_in_vain_is_an_input_too(tmp_path: Path) -> None:
    source = Source(tmp_path)
    source.find(["/envs/prod.yaml", "$values/nothing.yaml", "/more/*.yaml"], ignore_missing=True)
    assert input_paths("app", source.own.touched) == ("app/", "envs/prod.yaml", "more/")
    assert input_paths(None, source.other.touched) == ("nothing.yaml",)


@pytest.mark.parametrize("raw", ["../../x", "/../x", "$values/../../x", "../app/../../etc/passwd"])
def test_a_path_out_of_the_repository_is_refused(tmp_path: Path, raw: str) -> None:
    with pytest.raises(RenderFailure) as failure:
        Source(tmp_path).find([raw], ignore_missing=True)
    assert failure.value.reason is Reason.PATH_ESCAPES_REPOSITORY


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../etc/passwd"])
def test_a_link_out_of_the_repository_is_refused(tmp_path: Path, target: str) -> None:
    with pytest.raises(RenderFailure) as failure:
        Source(tmp_path, {**APP_FILES, "app/evil.yaml": Link(target)}).find(["evil.yaml"], ignore_missing=True)
    assert failure.value.reason is Reason.PATH_ESCAPES_REPOSITORY


def test_only_allowed_schemes_are_urls(tmp_path: Path) -> None:
    source = Source(tmp_path)
    assert source.find(["https://example.org/values.yaml"]) == ["https://example.org/values.yaml"]
    for raw in ("file:///etc/passwd", "secrets://x", "FILE://x"):
        with pytest.raises(RenderFailure) as failure:
            source.find([raw])
        assert failure.value.reason is Reason.SCHEME_NOT_ALLOWED
    assert allowed_schemes({"helm.valuesFileSchemes": "https, secrets"}) == {"https", "secrets"}
    assert allowed_schemes({"helm.valuesFileSchemes": ""}) == frozenset()
