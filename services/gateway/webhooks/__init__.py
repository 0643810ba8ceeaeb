"""Who sent this webhook, and what does it say? Pure: headers and body in, hooks out.

A provider is recognised by its header. The order matters: Gitea sends those of Gogs and GitHub too, and both Bitbuckets
share one.
"""

from collections.abc import Callable
from typing import NamedTuple

from services.gateway import signatures
from services.gateway.webhooks import azuredevops, bitbucket, bitbucketserver, github, gitlab, gogs
from services.gateway.webhooks.payload import Headers, Ignored, Malformed, WrongShape
from shared.events import GitHook


class Provider(NamedTuple):
    name: str
    header: str
    settings: tuple[str, ...]  # webhook.<this>.<part> in argocd-secret; the first that is set counts
    parts: tuple[str, ...]
    verify: signatures.Check
    parse: Callable[[Headers, bytes], tuple[GitHook, ...] | Ignored]


SECRET = ("secret",)
PROVIDERS = (
    Provider(
        "azuredevops",
        "x-vss-activityid",
        ("azuredevops",),
        ("username", "password"),
        signatures.azuredevops,
        azuredevops.parse,
    ),
    Provider("gitea", "x-gitea-event", ("gitea", "gogs"), SECRET, signatures.gogs, gogs.parse_gitea),
    Provider("gogs", "x-gogs-event", ("gogs",), SECRET, signatures.gogs, gogs.parse_gogs),
    Provider("github", github.EVENT, ("github",), SECRET, signatures.github, github.parse),
    Provider("gitlab", gitlab.EVENT, ("gitlab",), SECRET, signatures.gitlab, gitlab.parse),
    Provider("bitbucket", "x-hook-uuid", ("bitbucket",), ("uuid",), signatures.bitbucket, bitbucket.parse),
    Provider(
        "bitbucketserver",
        bitbucketserver.EVENT,
        ("bitbucketserver",),
        SECRET,
        signatures.bitbucketserver,
        bitbucketserver.parse,
    ),
)


def provider_of(headers: Headers) -> Provider | None:
    return next((provider for provider in PROVIDERS if provider.header in headers), None)


__all__ = ["PROVIDERS", "GitHook", "Ignored", "Malformed", "Provider", "WrongShape", "provider_of"]
