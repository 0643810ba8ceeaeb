"""From ImageUpdaters and annotations to the images of an Application: levels merged, rules scored."""

from typing import Any

import pytest

from services.image_updater import annotations, matching, patterns
from services.image_updater.policy import HelmKeys, KustomizeName, PluginKeys, Policy, Strategy, WantedImage
from services.image_updater.wanted import OWN_PLATFORM, images_of, parts_of
from shared.kinds.imageupdater import GitConfig, ImageUpdater

A = annotations.PREFIX


def updater(*refs: dict[str, Any], name: str = "one", **spec: Any) -> ImageUpdater:
    metadata = {"name": name, "namespace": "argocd", "creationTimestamp": spec.pop("born", "2026-01-01T00:00:00Z")}
    return ImageUpdater.parse({"metadata": metadata, "spec": {"applicationRefs": list(refs), **spec}})


def image(alias: str = "web", name: str = "nginx", **settings: Any) -> dict[str, Any]:
    targets = settings.pop("targets", None)
    found: dict[str, Any] = {"alias": alias, "imageName": name, "commonUpdateSettings": settings}
    return found | ({"manifestTargets": targets} if targets else {})


def only(found: tuple[WantedImage, ...]) -> WantedImage:
    assert len(found) == 1
    return found[0]


WRITTEN = [
    ("nginx", "nginx", ""),
    ("nginx:1.x", "nginx", "1.x"),
    ("nginx:>=1.0", "nginx", ">=1.0"),
    ("localhost:5000/app:~1.0", "localhost:5000/app", "~1.0"),
    ("localhost:5000/app", "localhost:5000/app", ""),
    ("[::1]:5000/app:1", "[::1]:5000/app", "1"),
    ("ghcr.io/acme/web: ^1.2 <1.9", "ghcr.io/acme/web", "^1.2 <1.9"),
    ("a/b:>=1/2", "a/b", ">=1/2"),
]


@pytest.mark.parametrize(("text", "name", "constraint"), WRITTEN)
def test_an_image_and_its_constraint(text: str, name: str, constraint: str) -> None:
    assert parts_of(text) == (name, constraint)


def test_the_nearer_level_wins_field_by_field() -> None:
    ref = {
        "namePattern": "*",
        "commonUpdateSettings": {"allowTags": "regexp:b", "platforms": ["linux/arm64"], "forceUpdate": True},
        "images": [image(name="ghcr.io/acme/web:~1.2", updateStrategy="newest-build", forceUpdate=False)],
    }
    rule = updater(ref, commonUpdateSettings={"updateStrategy": "semver", "allowTags": "regexp:a", "ignoreTags": ["x"]})
    found = only(images_of(rule, rule.spec.application_refs[0]))
    assert found.policy == Policy(Strategy.NEWEST_BUILD, "~1.2", "regexp:b", ignore=("x",), platforms=("linux/arm64",))
    assert (found.image, found.force) == ("ghcr.io/acme/web", False)


def test_names_are_given_in_full_and_kept_as_written() -> None:
    rule = updater({"namePattern": "*", "images": [image(name="nginx:1.x")]})
    found = only(images_of(rule, rule.spec.application_refs[0]))
    assert (found.written, found.image) == ("nginx", "docker.io/library/nginx")
    assert found.policy.platforms == (OWN_PLATFORM,)


PROBLEMS = [
    (image(name="nginx", updateStrategy="digest"), "needs a tag to follow"),
    (image(name="NGINX"), "is no image"),
    (image(updateStrategy="numerical"), "filterTags.pattern"),
    (image(minimumAge="soon"), "minimumAge"),
]


@pytest.mark.parametrize(("config", "words"), PROBLEMS)
def test_what_keeps_an_image_from_being_followed(config: dict[str, Any], words: str) -> None:
    rule = updater({"namePattern": "*", "images": [config]})
    assert words in only(images_of(rule, rule.spec.application_refs[0])).problem


def test_an_unknown_strategy_is_semver_with_a_warning_and_case_does_not_count() -> None:
    rule = updater(
        {"namePattern": "*", "images": [image("a", updateStrategy="Best"), image("b", updateStrategy="LATEST")]}
    )
    first, second = images_of(rule, rule.spec.application_refs[0])
    assert first.policy.strategy is Strategy.SEMVER
    assert "'Best' is unknown" in first.warnings[0]
    assert second.policy.strategy is Strategy.NEWEST_BUILD


def test_targets_become_keys() -> None:
    targets = [
        {"helm": {"name": "image.name", "tag": "image.tag"}},
        {"kustomize": {"name": "web"}},
        {"plugin": {"spec": "IMAGE"}},
    ]
    rule = updater({"namePattern": "*", "images": [image(f"i{at}", targets=one) for at, one in enumerate(targets)]})
    found = [one.keys for one in images_of(rule, rule.spec.application_refs[0])]
    assert found == [HelmKeys("image.name", "image.tag"), KustomizeName("web"), PluginKeys(spec="IMAGE")]


def test_the_most_specific_rule_wins() -> None:
    rule = updater(
        {"namePattern": "*", "images": [image("any")]},
        {"namePattern": "web-*", "images": [image("pattern")]},
        {"namePattern": "web-*", "labelSelectors": {"matchLabels": {"a": "b"}}, "images": [image("labels")]},
        {"namePattern": "web-1", "images": [image("literal")]},
    )

    def alias(name: str, **labels: str) -> str:
        ref = matching.ref_for(rule, name, labels)
        assert ref
        return ref.images[0].alias

    assert [alias("web-1"), alias("web-2"), alias("web-2", a="b"), alias("x")] == [
        "literal",
        "pattern",
        "labels",
        "any",
    ]


def test_of_several_that_match_the_oldest_is_responsible() -> None:
    ref = {"namePattern": "*", "images": [image()]}
    rules = [updater(ref, name="young", born="2026-02-01T00:00:00Z"), updater(ref, name="old")]
    assert [one.updater.name for one in matching.matches_for(rules, "web", {})] == ["old", "young"]


def test_label_expressions() -> None:
    def selects(operator: str, *values: str) -> list[bool]:
        selector = {"matchExpressions": [{"key": "tier", "operator": operator, "values": list(values)}]}
        rule = updater({"namePattern": "*", "labelSelectors": selector, "images": [image()]})
        candidates: list[dict[str, str]] = [{"tier": "web"}, {"tier": "db"}, {}]
        return [matching.ref_for(rule, "x", labels) is not None for labels in candidates]

    assert selects("In", "web") == [True, False, False]
    assert selects("NotIn", "web") == [False, True, True]
    assert selects("Exists") == [True, True, False]
    assert selects("DoesNotExist") == [False, False, True]


def test_annotations_make_the_same_images() -> None:
    found = annotations.images_of(
        {
            f"{A}image-list": "web=ghcr.io/acme/web:~1.2, nginx:>=1.0 ,k=acme/k",
            f"{A}update-strategy": "newest-build",
            f"{A}web.update-strategy": "digest",
            f"{A}web.allow-tags": "regexp:^1",
            f"{A}web.platforms": "linux/arm64, linux/amd64",
            f"{A}platforms": "ignored/everywhere",
            f"{A}ignore-tags": "latest, main",
            f"{A}web.helm.image-name": "image.repository",
            f"{A}web.helm.image-tag": "image.tag",
            f"{A}k.kustomize.image-name": "k",
            f"{A}web.pull-secret": "pullsecret:argocd/reg",
            f"{A}k.pin-digest": "true",
        }
    )
    web, nginx, k = found
    assert web.policy == Policy(
        Strategy.DIGEST, "~1.2", "regexp:^1", ("latest", "main"), ("linux/arm64", "linux/amd64")
    )
    assert (web.keys, web.pull_secret) == (HelmKeys("image.repository", "image.tag"), "pullsecret:argocd/reg")
    assert (nginx.alias, nginx.written, nginx.policy.constraint) == ("nginx", "nginx", ">=1.0")
    assert (nginx.policy.strategy, nginx.policy.platforms) == (Strategy.NEWEST_BUILD, (OWN_PLATFORM,))
    assert (k.keys, k.policy.pin_digest) == (KustomizeName("k"), True)


def test_annotations_say_how_and_where_it_is_written() -> None:
    said = {"write-back-method": "git:secret:argocd/bot", "git-branch": "main:images", "tag-match": "ignored"}
    said |= {"git-repository": "https://git.example.org/a.git", "write-back-target": "helmvalues:dev.yaml"}
    found = annotations.write_back_of({A + name: value for name, value in said.items()})
    assert found.method == "git:secret:argocd/bot"
    assert found.git_config == GitConfig(
        repository="https://git.example.org/a.git", branch="main:images", write_back_target="helmvalues:dev.yaml"
    )
    assert annotations.write_back_of({}).method is None


def test_annotations_for_two_tools_are_refused() -> None:
    both = {f"{A}image-list": "a=b/c", f"{A}a.helm.image-tag": "x", f"{A}a.kustomize.image-name": "y"}
    assert "both Helm and Kustomize" in only(annotations.images_of(both)).problem


GLOBS = [
    ("web-*", "web-1", True), ("web-*", "web/1", False), ("*", "", True), ("a**", "a/b", False), ("a[0-9]", "a7", True),
    ("a[^0-9]", "a7", False), ("{a,b}", "a", False), ("{a,b}", "{a,b}", True), ("[", "[", False), ("a\\*", "a*", True),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "name", "expected"), GLOBS)
def test_patterns_are_gos(pattern: str, name: str, expected: bool) -> None:
    assert patterns.matches(pattern, name) is expected
