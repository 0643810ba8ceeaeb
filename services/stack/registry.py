"""The services by name. Each is imported when it is needed, so that one alone costs no other's memory."""

import importlib
from typing import cast

from shared.run import App, Context

SERVICES = ("gateway", "git_watcher", "renderer", "reconciler", "registry_watcher", "image_updater", "rollout_manager")


async def run_service(context: Context) -> None:
    """The app of the context's service; one that can't even be imported has failed like any other.

    That the bus is there says nothing of the service: it is ready when it says so itself.
    """
    context.health.forget()
    app = cast("App", importlib.import_module(f"services.{context.service}.app").app)
    await app(context)
