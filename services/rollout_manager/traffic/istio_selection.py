"""Which routes of a VirtualService are a Rollout's: those that it names, or the only one of its kind."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from services.rollout_manager.keys import Obj
from services.rollout_manager.traffic import Unroutable
from shared.kinds.trafficrouting import IstioVirtualService, TCPRoute, TLSRoute

Wanted = TypeVar("Wanted")


def selected(virtual: Obj, asked: IstioVirtualService) -> list[Obj]:
    """The routes themselves, to be changed in place. Raises Unroutable with all that is named and isn't there."""
    spec = virtual.get("spec") or {}
    name = f"Istio VirtualService `{(virtual.get('metadata') or {}).get('name')}`"
    http, tls, tcp = ([one for one in spec.get(kind) or () if isinstance(one, dict)] for kind in ("http", "tls", "tcp"))
    problems = [
        *(f"{name} has invalid HTTP routes. Error: no route `{one}`" for one in _unknown(http, asked.routes)),
        *(
            f"{name} has invalid TLS routes. Error: no route for port {one.port} and hosts {', '.join(one.sni_hosts)}"
            for one in _without(tls, asked.tls_routes, _is_tls)
        ),
        *(
            f"{name} has invalid TCP routes. Error: no route for port {one.port}"
            for one in _without(tcp, asked.tcp_routes, _is_tcp)
        ),
    ]
    if problems:
        raise Unroutable(*problems)
    if not (asked.routes or asked.tls_routes or asked.tcp_routes):
        return _only(name, http, tls, tcp)
    found = [one for one in http if one.get("name") in asked.routes]
    found += [one for one in tls if any(_is_tls(one, wanted) for wanted in asked.tls_routes)]
    return found + [one for one in tcp if any(_is_tcp(one, wanted) for wanted in asked.tcp_routes)]


def _only(name: str, *kinds: list[Obj]) -> list[Obj]:
    """Nothing is named: the only route of each kind."""
    several = [routes for routes in kinds if len(routes) > 1]
    found = [route for routes in kinds for route in routes]
    if several or not found:
        how = "more than one route: name those of this Rollout" if several else "no route"
        raise Unroutable(f"{name} has invalid HTTP routes. Error: it has {how}")
    return found


def _unknown(routes: list[Obj], names: tuple[str, ...]) -> Iterator[str]:
    known = {one.get("name") for one in routes}
    return (name for name in names if name not in known)


def _without(routes: list[Obj], asked: Iterable[Wanted], fits: Callable[[Obj, Wanted], bool]) -> Iterator[Wanted]:
    return (wanted for wanted in asked if not any(fits(one, wanted) for one in routes))


def _is_tls(route: Obj, wanted: TLSRoute) -> bool:
    """A match of the route has the port, and the hosts, where these are given."""
    return any(
        (wanted.port is None or match.get("port") == wanted.port)
        and (not wanted.sni_hosts or set(wanted.sni_hosts) == set(match.get("sniHosts") or ()))
        for match in route.get("match") or ()
    )


def _is_tcp(route: Obj, wanted: TCPRoute) -> bool:
    return wanted.port is None or any(match.get("port") == wanted.port for match in route.get("match") or ())
