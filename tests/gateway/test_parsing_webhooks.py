"""What each provider's push becomes, and that no JSON of any shape does more than be refused."""

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.webhooks import Ignored, Malformed, WrongShape, provider_of
from shared.events import GitHook
from tests.gateway.payloads import (
    NEW,
    NOTHING,
    OLD,
    SAMPLES,
    Sample,
    azuredevops,
    bitbucket,
    bitbucketserver,
    body_digest,
    encoded,
    github,
    gitlab,
    lower,
)

Make = Callable[[str], Sample]


def parse(sample: Sample, body: bytes | None = None) -> tuple[GitHook, ...] | Ignored:
    headers = lower(sample.headers)
    provider = provider_of(headers)
    assert provider is not None
    assert provider.name == sample.provider
    return provider.parse(headers, encoded(sample) if body is None else body)


def only(sample: Sample) -> GitHook:
    read = parse(sample)
    assert isinstance(read, tuple)
    (hook,) = read
    return hook


@pytest.mark.parametrize("make", SAMPLES)
def test_a_push_says_which_ref_moved_where_and_what_changed(make: Make) -> None:
    sample = make("shop")
    hook = only(sample)
    assert hook.provider == sample.provider
    assert (hook.ref, hook.before, hook.after) == ("refs/heads/main", OLD, NEW)
    assert hook.repo_urls == sample.urls
    assert hook.changed == sample.changed
    assert hook.delivery.endswith("-shop")


@pytest.mark.parametrize("make", SAMPLES)
def test_two_deliveries_differ_and_one_repeated_does_not(make: Make) -> None:
    assert only(make("a")).dedupe_id() == only(make("a")).dedupe_id()
    assert only(make("a")).dedupe_id() != only(make("b")).dedupe_id()


def test_without_a_delivery_id_the_body_is_the_id() -> None:
    sample = github("shop")
    del sample.headers["X-GitHub-Delivery"]
    assert only(sample).delivery == body_digest(encoded(sample))


@pytest.mark.parametrize("make", SAMPLES)
def test_a_branch_that_is_new_or_gone_has_one_side(make: Make) -> None:
    sample = make("shop")
    gone, new = json.dumps(sample.body).replace(NEW, NOTHING), json.dumps(sample.body).replace(OLD, NOTHING)
    deleted, created = parse(sample, gone.encode()), parse(sample, new.encode())
    assert isinstance(deleted, tuple)
    assert isinstance(created, tuple)
    assert (deleted[0].before, deleted[0].after) == (OLD, None)
    assert (created[0].before, created[0].after, created[0].changed) == (None, NEW, None)


@pytest.mark.parametrize("change", [{"forced": True}, {"commits": []}, {"commits": None}])
def test_github_paths_are_unknown_when_the_commits_do_not_tell_them(change: dict[str, Any]) -> None:
    sample = github("shop")
    sample.body.update(change)
    assert only(sample).changed is None


def test_gitlab_paths_are_unknown_when_not_all_commits_are_listed() -> None:
    sample = gitlab("shop")
    sample.body["total_commits_count"] = 21
    assert only(sample).changed is None


def test_gitlab_tags_are_pushes_too() -> None:
    sample = gitlab("shop")
    sample.headers["X-Gitlab-Event"] = "Tag Push Hook"
    sample.body.update({"object_kind": "tag_push", "ref": "refs/tags/v1.2.3", "before": NOTHING})
    assert only(sample).ref == "refs/tags/v1.2.3"


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (bitbucket, ("push", "changes")),
        (bitbucketserver, ("changes",)),
        (azuredevops, ("resource", "refUpdates")),
    ],
)
def test_every_moved_ref_is_a_hook_of_its_own(make: Make, path: tuple[str, ...]) -> None:
    sample = make("shop")
    moved: Any = sample.body
    for key in path:
        moved = moved[key]
    moved.append(json.loads(json.dumps(moved[0]).replace("main", "dev")))
    read = parse(sample)
    assert isinstance(read, tuple)
    assert [hook.ref for hook in read] == ["refs/heads/main", "refs/heads/dev"]
    assert len({hook.dedupe_id() for hook in read}) == 2


@pytest.mark.parametrize("make", SAMPLES)
def test_other_events_are_ignored(make: Make) -> None:
    sample = make("shop")
    for name in ("X-GitHub-Event", "X-Gitlab-Event", "X-Gogs-Event", "X-Gitea-Event", "X-Event-Key"):
        if name in sample.headers:
            sample.headers[name] = "ping"
    if "eventType" in sample.body:
        sample.body["eventType"] = "build.complete"
    assert isinstance(parse(sample), Ignored)


def test_a_push_may_come_as_a_form() -> None:
    sample = github("shop")
    sample.headers["Content-Type"] = "application/x-www-form-urlencoded"
    read = parse(sample, urlencode({"payload": json.dumps(sample.body)}).encode())
    assert isinstance(read, tuple)


def test_passwords_in_a_providers_urls_go_no_further() -> None:
    sample = github("shop")
    sample.body["repository"]["clone_url"] = "https://ada:hunter22@git.example.com/shop.git"
    assert only(sample).repo_urls[0] == "https://git.example.com/shop.git"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":1}{"b":2}', b"NaN"])
@pytest.mark.parametrize("make", SAMPLES)
def test_what_is_no_json_is_malformed(make: Make, body: bytes) -> None:
    with pytest.raises(Malformed, match="not JSON"):
        parse(make("shop"), body)


def test_a_complaint_names_the_field_and_never_its_value() -> None:
    sample = github("shop")
    sample.body["repository"] = {"clone_url": ["hunter22"]}
    del sample.body["ref"]
    with pytest.raises(WrongShape) as caught:
        parse(sample)
    assert str(caught.value) == "ref: Field required; repository.clone_url: Input should be a valid string"


def _paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield here
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _paths(item, (*here, key))


def _put(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    body = copy.deepcopy(body)
    inner = body
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return body


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_json_of_any_wrong_shape_is_read_or_refused(data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from(SAMPLES))("shop")
    body = sample.body
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(_paths(body))))
        body = _put(body, path, data.draw(any_json | (st.just(...) if path else st.none())))
    with suppress(WrongShape):
        assert isinstance(parse(sample, json.dumps(body).encode()), tuple | Ignored)


@settings(max_examples=200, deadline=None)
@given(make=st.sampled_from(SAMPLES), name=st.integers(0, 3), value=st.text(max_size=30))
def test_headers_of_any_text_are_read_or_refused(make: Make, name: int, value: str) -> None:
    sample = make("shop")
    chosen = sorted(sample.headers)[name % len(sample.headers)]
    sample.headers[chosen] = value.encode("utf-8", "surrogatepass").decode("latin-1")
    headers = lower(sample.headers)
    provider = provider_of(headers)
    if provider is not None:
        assert isinstance(provider.parse(headers, encoded(sample)), tuple | Ignored)
