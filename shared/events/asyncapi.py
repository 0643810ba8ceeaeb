"""The AsyncAPI 3 document of the bus, made from the models: others can subscribe without reading our code.

`python -m shared.events.asyncapi` writes docs/asyncapi.yaml; a test keeps it current. Requests are operations with a
reply; events are messages that we send.
"""

import inspect
from pathlib import Path
from typing import Any, get_type_hints

import yaml
from pydantic.json_schema import models_json_schema

from shared import events
from shared.events import EVENTS, REQUESTS, Event, Message, RequestFailed

TARGET = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"
JSON = "application/json"
HEADERS = {
    "ce-id": "CloudEvents id; the same for a repeated event",
    "ce-type": "CloudEvents type, as tiphys.git.revision.v1",
    "ce-source": "The service that sent it",
    "ce-time": "When it happened",
    "traceparent": "W3C trace context",
    "tiphys-delivery": "The delivery it belongs to, from commit to rollout",
}


def reply_of(request: type[Message]) -> type[Message]:
    """The model that a request's `read_reply` gives."""
    reply: type[Message] = get_type_hints(request.read_reply)["return"]  # type: ignore[attr-defined]
    return reply


def document() -> dict[str, Any]:
    replies = [reply_of(request) for request in REQUESTS]
    models: list[type[Message]] = [*EVENTS, *REQUESTS, *replies, RequestFailed]
    _, schemas = models_json_schema(
        [(model, "serialization") for model in models], ref_template="#/components/schemas/{model}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Tiphys", "version": "1", "description": _text(events)},
        "defaultContentType": JSON,
        "channels": {**_event_channels(), **_request_channels()},
        "operations": {**_event_operations(), **_request_operations()},
        "components": {"messages": _messages(models), "schemas": schemas["$defs"]},
    }


def _text(about: object) -> str:
    return inspect.getdoc(about) or ""


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/{kind}/{name}"}


def _channel(address: str, *models: type[Message]) -> dict[str, Any]:
    return {"address": address, "messages": {m.__name__: _ref("components/messages", m.__name__) for m in models}}


def _event_channels() -> dict[str, Any]:
    return {event.__name__: _channel(event.filter, event) for event in EVENTS}


def _request_channels() -> dict[str, Any]:
    return {
        request.__name__: _channel(request.subject, request, reply_of(request), RequestFailed)  # type: ignore[attr-defined]
        for request in REQUESTS
    }


def _event_operations() -> dict[str, Any]:
    return {
        f"send{event.__name__}": {"action": "send", "channel": _ref("channels", event.__name__)} for event in EVENTS
    }


def _request_operations() -> dict[str, Any]:
    return {f"answer{request.__name__}": _answering(request) for request in REQUESTS}


def _answering(request: type[Message]) -> dict[str, Any]:
    channel = f"channels/{request.__name__}"
    replies: list[type[Message]] = [reply_of(request), RequestFailed]
    return {
        "action": "receive",
        "channel": _ref("channels", request.__name__),
        "messages": [_ref(f"{channel}/messages", request.__name__)],
        "reply": {"messages": [_ref(f"{channel}/messages", reply.__name__) for reply in replies]},
    }


def _messages(models: list[type[Message]]) -> dict[str, Any]:
    return {model.__name__: _message(model) for model in models}


def _message(model: type[Message]) -> dict[str, Any]:
    message: dict[str, Any] = {"contentType": JSON, "payload": _ref("components/schemas", model.__name__)}
    if summary := inspect.cleandoc(model.__doc__ or ""):
        message["summary"] = summary
    if issubclass(model, Event):
        properties = {name: {"type": "string", "description": meaning} for name, meaning in HEADERS.items()}
        message |= {"name": model.type_name(), "headers": {"type": "object", "properties": properties}}
    return message


def text() -> str:
    return "# Written by `python -m shared.events.asyncapi`; do not edit.\n" + yaml.safe_dump(
        document(), sort_keys=False, width=110, allow_unicode=True
    )


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(text())
