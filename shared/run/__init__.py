"""Running services: what each gets (`Context`), how one runs alone, what the outside sees of its health.

The top layer of shared: it may know everything below, nothing below knows it.
"""

from shared.run.context import App, Context, EnginesOnce
from shared.run.health import Board, Health
from shared.run.http import PortTaken, listening
from shared.run.runner import alone, configure_logs, main, opened, serve, supervised, until_signal_or_done
from shared.run.settings import Common, SettingsError, load, prefixed

__all__ = [
    "App",
    "Board",
    "Common",
    "Context",
    "EnginesOnce",
    "Health",
    "PortTaken",
    "SettingsError",
    "alone",
    "configure_logs",
    "listening",
    "load",
    "main",
    "opened",
    "prefixed",
    "serve",
    "supervised",
    "until_signal_or_done",
]
