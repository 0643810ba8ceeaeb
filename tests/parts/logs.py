"""Logging as each test finds it: a command that made itself quiet in this process is quiet for no other test."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog


@pytest.fixture(autouse=True)
def own_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Loggers keep no level of the test that used them first; handlers write to no stream that pytest has closed."""
    configure, before = structlog.configure, structlog.get_config()

    def uncached(**wanted: Any) -> None:
        configure(**{**wanted, "cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", uncached)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)
