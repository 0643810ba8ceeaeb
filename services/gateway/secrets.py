"""The webhooks' secrets, as Argo CD keeps them: keys `webhook.<provider>.<what>` of Secret `argocd-secret`, and for
registries `webhook.<registry>-secret` of Secret `argocd-image-updater-secret` (or of argocd-secret).

A value `$key` means another key of argocd-secret, `$name:key` a key of another Secret that carries the label
`app.kubernetes.io/part-of: argocd`. A reference that leads nowhere stays as it is written, so that nothing verifies
against it. All are watched; a change holds from the next request on.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import orjson

from services.gateway.signatures import Credentials
from services.gateway.webhooks import PROVIDERS, Provider
from shared.kube.client import Cluster
from shared.kube.discovery import Resource
from shared.kube.informer import Informer
from shared.security import Secret, register
from shared.telemetry import get_logger

log = get_logger()
NAME = "argocd-secret"
REGISTRIES = "argocd-image-updater-secret"
PREFIX = "webhook."
REFERRED = "app.kubernetes.io/part-of=argocd"
SECRETS = Resource("", "v1", "Secret", "secrets", namespaced=True)
Data = Mapping[str, str]


def decode(raw: bytes) -> Data:
    """A Secret's values as text; what is no text can't be a webhook's secret and is left out."""
    data = orjson.loads(raw).get("data") or {}
    values = {key: _text(value) for key, value in data.items() if isinstance(value, str)}
    return {key: value for key, value in values.items() if value is not None}


def _text(value: str) -> str | None:
    try:
        return base64.b64decode(value).decode()
    except (binascii.Error, ValueError):
        return None


@dataclass(frozen=True)
class Known:
    """What the cluster says at one moment."""

    argocd_secret: Data = field(default_factory=dict)
    others: Mapping[str, Data] = field(default_factory=dict)
    registries: Data = field(default_factory=dict)

    def value(self, key: str) -> str:
        """The value of a key, its reference followed; spaces and line ends around it never count."""
        written = self.argocd_secret.get(key, "").strip()
        if not written.startswith("$"):
            return written
        name, colon, other = written[1:].partition(":")
        found = self.others.get(name, {}).get(other) if colon else self.argocd_secret.get(name)
        return written if found is None else found.strip()

    def leads_nowhere(self, key: str) -> bool:
        value = self.value(key)
        return value.startswith("$") and value == self.argocd_secret.get(key, "").strip()

    def webhook_keys(self) -> list[str]:
        return sorted(key for key in self.argocd_secret if key.startswith(PREFIX))


def credentials(known: Known, provider: Provider) -> Credentials:
    """What this provider signs with; empty when nothing is set."""
    for name in provider.settings:
        found = {part: known.value(f"{PREFIX}{name}.{part}") for part in provider.parts}
        if kept := {part: Secret(value) for part, value in found.items() if value}:
            return kept
    return {}


KnownNow = Callable[[], Known | None]  # None: the Secrets have not been read yet


def registry_secret(known: Known, what: str) -> Secret:
    """What registries sign with; empty when nothing is set."""
    key = f"{PREFIX}{what}"
    return Secret(known.registries.get(key, "").strip() or known.value(key))


def unverified(known: Known) -> list[str]:
    return [provider.name for provider in PROVIDERS if not credentials(known, provider)]


class WebhookSecrets:
    """The watches; `known()` is what they hold now."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.own = Informer(cluster, SECRETS, decode, namespace=namespace, field_selector=f"metadata.name={NAME}")
        self.registries = Informer(
            cluster, SECRETS, decode, namespace=namespace, field_selector=f"metadata.name={REGISTRIES}"
        )
        self.referred = Informer(cluster, SECRETS, decode, namespace=namespace, label_selector=REFERRED)

    @property
    def all(self) -> tuple[Informer[Data], ...]:
        return (self.own, self.registries, self.referred)

    @property
    def synced(self) -> bool:
        return all(informer.synced.is_set() for informer in self.all)

    async def wait(self) -> None:
        for informer in self.all:
            await informer.synced.wait()

    def known(self) -> Known:
        argocd_secret = next((data for key, data in self.own.store.items() if key.name == NAME), {})
        registries = next((data for key, data in self.registries.store.items() if key.name == REGISTRIES), {})
        return Known(argocd_secret, {key.name: data for key, data in self.referred.store.items()}, registries)

    def mask(self) -> None:
        """From now on these values appear in no log line."""
        known = self.known()
        register(*(known.value(key) for key in known.webhook_keys()))
        register(*(value.strip() for key, value in known.registries.items() if key.startswith(PREFIX)))
