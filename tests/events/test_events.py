"""The models of the bus: they read back as they were, repeat under the same id, and are documented as they are."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.clock import now
from shared.events import (
    EVENTS,
    REQUESTS,
    AppEvent,
    Event,
    GitHook,
    GitRevision,
    ImagePushed,
    ImageUpdated,
    RegistryHook,
    git_delivery,
    image_delivery,
    token,
    untoken,
)
from shared.events.asyncapi import TARGET, document, reply_of, text

DIGEST = f"sha256:{'d' * 64}"
SAMPLES: tuple[Event, ...] = (
    RegistryHook(provider="harbor", delivery="1", registry="harbor.example.com", repository="acme/web", tag="1.2"),
    ImagePushed(
        delivery="1", registry="docker.io", repository="library/nginx", tag="1.27", digest=DIGEST, received_at=now()
    ),
    ImageUpdated(
        delivery="1", applications=("argocd/shop",), image="docker.io/library/nginx", new_tag="1.27", method="git"
    ),
    GitHook(provider="github", delivery="1", repo_urls=("https://git.example.com/a.git",), ref="refs/heads/main"),
    GitRevision(delivery="1", repo="git.example.com/a", ref="refs/heads/main", new="a" * 40, received_at=now()),
    AppEvent(delivery="1", what="sync-finished", namespace="argocd", name="shop", phase="Succeeded", duration_ms=12),
)


def test_the_document_is_current() -> None:
    assert TARGET.read_text() == text(), "run `python -m shared.events.asyncapi`"


def test_every_reference_of_the_document_leads_somewhere() -> None:
    whole = document()

    def check(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                found: Any = whole
                for part in value["$ref"].removeprefix("#/").split("/"):
                    found = found[part]
            for item in value.values():
                check(item)
        elif isinstance(value, list):
            for item in value:
                check(item)

    check(whole)
    assert yaml.safe_load(text())["asyncapi"] == "3.0.0"


def test_every_event_and_request_is_in_the_document() -> None:
    channels = document()["channels"]
    assert set(channels) == {model.__name__ for model in (*EVENTS, *REQUESTS)}
    assert all(reply_of(request).__name__ in channels[request.__name__]["messages"] for request in REQUESTS)


@pytest.mark.parametrize("event", SAMPLES)
def test_an_event_reads_back_as_it_was(event: Event) -> None:
    again = type(event).from_bytes(event.to_bytes())
    assert again == event
    assert again.dedupe_id() == event.dedupe_id()
    assert again.subject() == event.subject()


@pytest.mark.parametrize("event", SAMPLES)
def test_an_event_can_not_be_changed(event: Event) -> None:
    with pytest.raises(ValidationError):
        event.delivery = "other"  # type: ignore[misc]


def test_no_two_kinds_share_a_type_name() -> None:
    assert len({event.type_name() for event in EVENTS}) == len(EVENTS)
    assert len({request.subject for request in REQUESTS}) == len(REQUESTS)  # type: ignore[attr-defined]


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValidationError):
        AppEvent.from_bytes(b'{"delivery":"1","at":"2026-11-23T12:00:00","what":"health","namespace":"a","name":"b"}')


def test_a_delivery_id_is_the_same_everywhere() -> None:
    assert git_delivery("git.example.com/a", "f" * 40) == f"git:37812ab6:{'f' * 40}"


def test_a_push_seen_twice_is_one_event_and_moving_back_is_another() -> None:
    def pushed(digest: str, previous: str, second: int) -> str:
        at = now().replace(second=second)
        event = ImagePushed(
            delivery="1", registry="r", repository="a", tag="1", digest=digest, previous=previous, received_at=at
        )
        return event.dedupe_id()

    other = f"sha256:{'e' * 64}"
    assert pushed(DIGEST, other, 1) == pushed(DIGEST, other, 2)
    assert len({pushed(DIGEST, "", 1), pushed(other, DIGEST, 1), pushed(DIGEST, other, 1)}) == 3
    assert image_delivery("r/a", DIGEST) == image_delivery("r/a", DIGEST) != image_delivery("r/b", DIGEST)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_name_is_one_token_and_comes_back(name: str) -> None:
    escaped = token(name)
    assert escaped
    assert not set(escaped) & set(". *>\t\r\n\0")
    assert escaped.isascii()
    assert untoken(escaped) == name


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
)
def test_two_names_are_two_tokens(one: str, other: str) -> None:
    assert (token(one) == token(other)) == (one == other)
