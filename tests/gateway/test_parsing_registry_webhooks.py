"""What each registry's documented payload says, what is ignored, and that no shape of JSON is more than a complaint."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.registries import SENDERS, Received, sender_named, sender_of
from services.gateway.webhooks.payload import Ignored, WrongShape
from shared.events import RegistryHook
from tests.gateway.registry_payloads import ALL, Push, distribution, gitlab, harbor, quay

Make = Callable[[str], Push]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=15,
)


def received(push: Push, document: Any = None) -> Received:
    body = json.dumps(push.body if document is None else document).encode()
    headers = {name.lower(): value for name, value in push.headers.items()}
    return Received(headers, {}, body, json.loads(body))


def parsed(push: Push) -> tuple[RegistryHook, ...] | Ignored:
    sender = sender_named(push.type)
    assert sender is not None
    return sender.parse(received(push))


@pytest.mark.parametrize("make", ALL)
def test_a_push_names_its_repository_tag_and_digest(make: Make) -> None:
    push = make("web")
    hooks = parsed(push)
    assert not isinstance(hooks, Ignored)
    assert tuple((hook.registry, hook.repository) for hook in hooks) == push.places
    assert {(hook.tag, hook.digest) for hook in hooks} == {("1.2.0", push.digest)}
    again = parsed(push)
    assert not isinstance(again, Ignored)
    assert [hook.dedupe_id() for hook in again] == [hook.dedupe_id() for hook in hooks]


@pytest.mark.parametrize("make", [make for make in ALL if make is not gitlab])
def test_a_sender_is_recognised_by_what_it_sends(make: Make) -> None:
    sender = sender_of(received(make("web")))
    assert sender is not None
    assert sender.name == make("web").type


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (distribution, {"events": []}),
        (harbor, {"type": "DELETE_ARTIFACT"}),
        (quay, {"updated_tags": []}),
    ],
)
def test_what_pushes_no_tag_is_ignored(make: Make, change: dict[str, Any]) -> None:
    push = make("web")
    push.body.update(change)
    assert isinstance(parsed(push), Ignored)


def test_all_tags_of_a_push_are_told() -> None:
    push = quay("web")
    push.body["updated_tags"] = ["1.2.0", "latest"]
    hooks = parsed(push)
    assert not isinstance(hooks, Ignored)
    assert [hook.tag for hook in hooks] == ["1.2.0", "latest"]
    push.body["updated_tags"] = {"old": "0123", "older": "4567"}
    hooks = parsed(push)
    assert not isinstance(hooks, Ignored)
    assert [hook.tag for hook in hooks] == ["old", "older"]


@pytest.mark.parametrize(
    "tag", ["$(reboot)", "--upload-pack=x", "{{.X}}", "a\nb", "a b", "x" * 129, "\u202eevil", "a\0"]
)
@pytest.mark.parametrize(
    "repository", ["acme/web", "../../etc/passwd", "UPPER", "a//b", "x" * 256, "a b", "a\r\nHost: b"]
)
def test_names_that_no_tag_and_no_repository_has_go_no_further(tag: str, repository: str) -> None:
    push = distribution("web")
    push.body["events"][1]["target"].update(tag=tag, repository=repository)
    with pytest.raises(WrongShape):
        parsed(push)


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.name)
@settings(max_examples=40)
@given(document=JSON)
def test_any_json_is_read_or_complained_about(sender: Any, document: Any) -> None:
    headers = {"x-github-event": "package"} if sender.name == "ghcr.io" else {}
    got = Received(headers, {}, b"{}", document)
    sender_of(got)
    with suppress(WrongShape):
        assert isinstance(sender.parse(got), tuple | Ignored)


@pytest.mark.parametrize("make", ALL)
@settings(max_examples=40)
@given(data=st.data())
def test_any_part_of_a_payload_may_be_wrong(make: Make, data: st.DataObject) -> None:
    push = make("web")
    where: Any = push.body
    while True:
        key = data.draw(st.sampled_from(sorted(where)) if isinstance(where, dict) else st.integers(0, len(where) - 1))
        inner = where[key]
        if not inner or not isinstance(inner, dict | list) or data.draw(st.booleans()):
            break
        where = inner
    where[key] = data.draw(JSON)
    with suppress(WrongShape):
        assert isinstance(parsed(push), tuple | Ignored)
