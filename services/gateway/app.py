"""The gateway's wiring: the watches for its secrets, the HTTP endpoint, and what readiness says about both."""

import asyncio

from aiohttp import web

from services.gateway.answers import json_errors
from services.gateway.handlers import Webhooks
from services.gateway.registry_handlers import RegistryWebhooks
from services.gateway.secrets import Known, WebhookSecrets, unverified
from services.gateway.settings import Settings
from shared.run import Context, Health, listening


async def app(context: Context) -> None:
    settings = context.load(Settings)
    secrets = WebhookSecrets(context.cluster, context.namespace)
    context.health.set_ready("secrets", False, "argocd-secret has not been read yet")

    def known() -> Known | None:
        return secrets.known() if secrets.synced else None

    def on_change(*_change: object) -> None:
        secrets.mask()
        tell(context.health, secrets.known())

    async with asyncio.TaskGroup() as tasks:
        for informer in secrets.all:
            tasks.create_task(informer.run(on_change))
        tasks.create_task(ready(context.health, secrets))
        registries = RegistryWebhooks(context.bus, settings, known)
        http = routes(Webhooks(context.bus, settings, known, registries), registries, settings)
        async with listening(http, settings.host, settings.port, "TIPHYS_GATEWAY_PORT") as port:
            context.health.set_ready("http", True)
            context.health.note("http", f"listens on {settings.host}:{port}")
            await asyncio.Event().wait()


def routes(webhooks: Webhooks, registries: RegistryWebhooks, settings: Settings) -> web.Application:
    http = web.Application(middlewares=[json_errors], client_max_size=settings.body_limit_bytes)
    http.add_routes([web.post("/api/webhook", webhooks.on_webhook)])
    # the second is Argo CD Image Updater's own address
    http.add_routes([web.post(path, registries.on_webhook) for path in ("/api/webhook/registry", "/webhook")])
    return http


async def ready(health: Health, secrets: WebhookSecrets) -> None:
    await secrets.wait()
    tell(health, secrets.known())
    health.set_ready("secrets", True)


def tell(health: Health, known: Known) -> None:
    """Not verifying is allowed, as with Argo CD, but never silent."""
    names = unverified(known)
    health.note("webhooks", f"not verified, no secret is set: {', '.join(names)}" if names else "")
    lost = [key for key in known.webhook_keys() if known.leads_nowhere(key)]
    health.note("references", f"{', '.join(lost)} in argocd-secret lead nowhere" if lost else "")
