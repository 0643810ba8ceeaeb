"""The services by name. Each is imported when it is needed, so that one alone costs no other's memory."""

import importlib
from typing import cast

from services.stack.options import StackError
from shared.run import App, Context

SERVICES = ("gateway", "git_watcher", "renderer", "reconciler", "registry_watcher", "image_updater", "rollout_manager")


async def run_service(context: Context) -> None:
    """The app of the context's service; one that can't even be imported has failed like any other.

    That the bus is there says nothing of the service: it is ready when it says so itself.
    """
    context.health.forget()
    await _app(context.service)(context)


def load() -> None:
    """Import all services; raises StackError for one that can't be: starting it again and again would not help."""
    for service in SERVICES:
        try:
            _app(service)
        except ImportError as error:
            raise StackError(f"{service} can't be loaded: {error}; deploy/bootstrap installs it") from error


def _app(service: str) -> App:
    return cast("App", importlib.import_module(f"services.{service}.app").app)
