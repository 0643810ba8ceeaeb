"""Which registry sent this webhook, and what does it say? Pure: a received request in, hooks out.

A registry is recognised by its headers or by what its payload holds; the order matters where one shape is part of
another. `?type=` (or `X-Registry-Type`) decides where it is given.
"""

from collections.abc import Callable
from typing import NamedTuple

from services.gateway.registries import (
    acr,
    aliyun,
    cloudevents,
    distribution,
    dockerhub,
    ecr,
    gcr,
    ghcr,
    harbor,
    jfrog,
    nexus,
    quay,
    verified,
)
from services.gateway.registries.pushed import Received
from services.gateway.webhooks.payload import Ignored
from shared.events import RegistryHook


class Sender(NamedTuple):
    """`key`: its secret is `webhook.<key>-secret`; `check` None: it sends tokens that Google signs."""

    name: str
    key: str
    check: verified.Check | None
    recognise: Callable[[Received], bool]
    parse: Callable[[Received], tuple[RegistryHook, ...] | Ignored]


def _only_by_type(_received: Received) -> bool:
    return False


SENDERS = (
    Sender("ghcr.io", "ghcr", verified.github, ghcr.recognise, ghcr.parse),
    Sender("nexus", "nexus", verified.nexus, nexus.recognise, nexus.parse),
    Sender("cloudevents", "cloudevents", verified.shared_secret, cloudevents.recognise, cloudevents.parse),
    Sender("ecr", "ecr", verified.shared_secret, ecr.recognise, ecr.parse),
    Sender("gcr", "gcr", None, gcr.recognise, gcr.parse),
    Sender("harbor", "harbor", verified.shared_secret, harbor.recognise, harbor.parse),
    Sender("jfrog", "jfrog", verified.jfrog, jfrog.recognise, jfrog.parse),
    Sender("docker.io", "docker", verified.shared_secret, dockerhub.recognise, dockerhub.parse),
    Sender("aliyun-acr", "aliyun-acr", verified.shared_secret, aliyun.recognise, aliyun.parse),
    Sender("quay.io", "quay", verified.shared_secret, quay.recognise, quay.parse),
    Sender("distribution", "distribution", verified.shared_secret, distribution.recognise, distribution.parse),
    Sender("acr", "acr", verified.shared_secret, acr.recognise, acr.parse),
    Sender("gitlab", "gitlab", verified.gitlab, _only_by_type, distribution.parse),
)
ALIASES = {"dockerhub": "docker.io", "ghcr": "ghcr.io", "quay": "quay.io", "gar": "gcr", "artifactory": "jfrog"}
NAMES = tuple(sender.name for sender in SENDERS)


def sender_named(name: str) -> Sender | None:
    wanted = ALIASES.get(name.lower(), name.lower())
    return next((sender for sender in SENDERS if sender.name == wanted), None)


def sender_of(received: Received) -> Sender | None:
    return next((sender for sender in SENDERS if sender.recognise(received)), None)


__all__ = ["NAMES", "SENDERS", "Received", "Sender", "sender_named", "sender_of"]
