"""The addresses of an Application that a person may open: of Ingresses, and what `link.argocd.argoproj.io/...` says.

In: a live object. Out: URLs, for `status.summary.externalURLs`. Pure. Only addresses that a browser opens without
running anything: a link is written by whoever writes manifests, and clicked by others.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.kinds.options import annotations_of

Obj = Mapping[str, Any]
LINK = "link.argocd.argoproj.io/"
NO_DEFAULTS = "argocd.argoproj.io/ignore-default-links"
OPENED = frozenset({"http", "https", "ftp", "mailto"})
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_UNSEEN = re.compile(r"[\x00-\x20\x7f]+")


def external_urls(obj: Obj) -> tuple[str, ...]:
    """Give the addresses of one object, sorted."""
    annotations = annotations_of(obj)
    found = {str(value) for name, value in annotations.items() if name.startswith(LINK) and harmless(str(value))}
    if obj.get("kind") == "Ingress" and str(annotations.get(NO_DEFAULTS, "")).lower() not in {"true", "1", "t"}:
        found |= {url for url in ingress_urls(obj) if harmless(url)}
    return tuple(sorted(found))


def harmless(link: str) -> bool:
    """Tell whether a link, maybe as `title|url`, has a scheme that only opens something, or none.

    Browsers read over blanks and control characters, so these don't hide a scheme here either.
    """
    scheme = _SCHEME.match(_UNSEEN.sub("", link.rpartition("|")[2]))
    return scheme is None or scheme[1].lower() in OPENED


def ingress_urls(ingress: Obj) -> Iterator[str]:
    """Give an address for each path of each rule; a rule without host has the load balancer's."""
    spec = _map(ingress.get("spec"))
    secured = list(filter(None, map(_map, _list(spec.get("tls")))))
    for rule in map(_map, _list(spec.get("rules"))):
        host = rule.get("host") or _balancer(ingress)
        for path in map(_map, _list(_map(rule.get("http")).get("paths"))):
            if host:
                scheme = "https" if any(_covers(tls, host) for tls in secured) else "http"
                yield f"{scheme}://{host}{str(path.get('path') or '').removesuffix('*')}"


def _covers(tls: Obj, host: Any) -> bool:
    return bool(tls.get("secretName")) or host in _list(tls.get("hosts"))


def _balancer(ingress: Obj) -> str:
    places = _list(_map(_map(ingress.get("status")).get("loadBalancer")).get("ingress"))
    return next((str(name) for one in map(_map, places) if (name := one.get("hostname") or one.get("ip"))), "")


def _map(value: Any) -> Obj:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
