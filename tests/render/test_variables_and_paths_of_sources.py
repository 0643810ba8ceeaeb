"""Pure rules: the build environment, paths in sources, the two glob dialects."""

import time

import pytest

from services.renderer import paths
from services.renderer.environment import Environment, build_environment
from services.renderer.failures import Reason, RenderFailure
from services.renderer.globs import BadPattern, anywhere, within_folders


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$ARGOCD_APP_NAME", "guestbook"),
        ("${ARGOCD_APP_NAME}-x", "guestbook-x"),
        ("$ARGOCD_APP_NAME_x", ""),
        ("a$$b", "a$b"),
        ("$${ARGOCD_APP_NAME}", "${ARGOCD_APP_NAME}"),
        ("cost: 5$", "cost: 5$"),
        ("$ x", "$ x"),
        ("$UNKNOWN!", "!"),
        ("${}", ""),
        ("${open", "open"),
        ("$ARGOCD_APP_REVISION_SHORT", "0123456"),
        ("$ARGOCD_APP_REVISION_SHORT_8", "01234567"),
    ],
)
def test_variables_are_replaced_as_gos_expand_does(text: str, expected: str) -> None:
    assert _environment().expand(text) == expected


def test_an_environment_knows_whether_the_revision_was_asked_for() -> None:
    environment = _environment()
    environment.expand("$ARGOCD_APP_NAME $ARGOCD_APP_SOURCE_PATH")
    assert not environment.used_revision
    environment.expand("$ARGOCD_APP_REVISION_SHORT")
    assert environment.used_revision


@pytest.mark.parametrize(
    ("folder", "path", "expected"),
    [
        ("apps/web", "values.yaml", "apps/web/values.yaml"),
        ("apps/web", "../shared/values.yaml", "apps/shared/values.yaml"),
        ("apps/web", "/envs/prod.yaml", "envs/prod.yaml"),
        ("apps/web", "./a//b/./c", "apps/web/a/b/c"),
        ("", "x", "x"),
    ],
)
def test_a_path_is_relative_to_the_application_or_with_a_slash_to_the_root(
    folder: str, path: str, expected: str
) -> None:
    assert paths.join(folder, path, what="file") == expected


@pytest.mark.parametrize("path", ["../../x", "/../x", "a/../../../x", "a\x00b", "x/../../.."])
def test_a_path_out_of_the_repository_is_refused(path: str) -> None:
    with pytest.raises(RenderFailure) as failure:
        paths.join("app", path, what="file")
    assert failure.value.reason is Reason.PATH_ESCAPES_REPOSITORY


def test_an_absolute_source_path_is_refused() -> None:
    with pytest.raises(RenderFailure, match="absolute"):
        paths.app_path("/etc")


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*.yaml", "a/b.yaml", True),
        ("{a,b/{c,d}}.yaml", "b/d.yaml", True),
        ("{a,b/{c,d}}.yaml", "b/e.yaml", False),
        ("[!a]*b*c", "xxbyyc", True),
        ("[!a]*b*c", "axbyyc", False),
        ("con?ig/**", "config/x/y", True),
        (r"a\*b", "a*b", True),
        (r"a\*b", "axb", False),
        ("", "", True),
    ],
)
def test_include_and_exclude_stars_cross_folders(pattern: str, path: str, fits: bool) -> None:
    assert anywhere(pattern)(path) is fits


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("envs/*.yaml", "envs/a.yaml", True),
        ("envs/*.yaml", "envs/x/a.yaml", False),
        ("envs/**/*.yaml", "envs/a.yaml", True),
        ("envs/**/*.yaml", "envs/x/y/a.yaml", True),
        ("**/{a,b}.yaml", "b.yaml", True),
        ("envs/**", "envs/x/a.yaml", True),
        ("e*/a", "envs/x/a", False),
    ],
)
def test_value_file_stars_stay_in_their_folder(pattern: str, path: str, fits: bool) -> None:
    assert within_folders(pattern)(path) is fits


@pytest.mark.parametrize("pattern", ["{" * 30, "[a", "{a,b}" * 20, "x" * 2000])
def test_a_pattern_that_cannot_be_read_is_named(pattern: str) -> None:
    with pytest.raises(BadPattern, match="glob"):
        anywhere(pattern)


def test_no_pattern_takes_long() -> None:
    begun = time.process_time()
    assert not anywhere("*a" * 200 + "b")("a" * 4000)
    assert not within_folders("**/" * 200 + "b")("/".join("a" * 500))
    assert time.process_time() - begun < 1.0, "of the processor's time: others may have it meanwhile"


def _environment() -> Environment:
    return build_environment(
        app="guestbook",
        namespace="web",
        project="default",
        revision="0123456789abcdef0123456789abcdef01234567",
        repo_url="https://example.org/repo",
        path="apps/web",
        target_revision="main",
    )
