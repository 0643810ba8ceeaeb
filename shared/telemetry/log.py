"""Structured log lines: JSON for machines, columns for a terminal; secrets are taken out before anything is written.

Every line carries what the context variables know: service, delivery, and whatever the handler bound. Lines of
libraries that use the standard `logging` go through the same pipeline.
"""

import logging
import sys
from typing import Any, cast

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.security import redact
from shared.telemetry import trace

QUIET = ("nats", "aiohttp.access", "asyncio", "kubernetes_asyncio", "urllib3", "docker")


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(item) for item in value]
    return value if isinstance(value, int | float | bool | None) else redact(str(value))


def redact_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: value if key in ("_record", "_from_structlog") else _redacted(value) for key, value in event.items()}


def add_delivery(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if current := trace.delivery.get():
        event.setdefault("delivery", current)
    return event


def _to_json(event: Any, **_options: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _pipeline() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        add_delivery,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact_line,
    ]


def _renderer(*, json: bool) -> Processor:
    if json:
        return structlog.processors.JSONRenderer(serializer=_to_json)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())


def configure(service: str, *, json: bool | None = None, level: str = "INFO") -> None:
    """Set up logging once for the process; JSON unless a person is watching."""
    as_json = not sys.stderr.isatty() if json is None else json
    structlog.configure(
        processors=[*_pipeline(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=[remove, _renderer(json=as_json)], foreign_pre_chain=_pipeline())
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=service)


def get_logger(**bound: Any) -> structlog.stdlib.BoundLogger:
    return cast("structlog.stdlib.BoundLogger", structlog.get_logger(**bound))
