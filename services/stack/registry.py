"""The services by name. Each is imported when it is needed, so that one alone costs no other's memory."""

import importlib
from typing import cast

from shared.run import App

SERVICES = ("gateway", "git_watcher", "renderer", "reconciler")


def app_of(service: str) -> App:
    return cast("App", importlib.import_module(f"services.{service}.app").app)
