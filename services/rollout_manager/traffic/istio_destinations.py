"""The weighted destinations of one Istio route: which are the Rollout's, which an experiment's, which of others."""

import copy
import re
from dataclasses import dataclass

from services.rollout_manager.keys import Obj
from services.rollout_manager.traffic import MOST, Plan, Unroutable
from shared.kinds.trafficrouting import IstioDestinationRule

HASH_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True)
class Names:
    """What a Rollout's destinations are called. `rule`: its subsets tell them apart, else the hosts do."""

    rollout: str
    canary: str
    stable: str
    rule: IstioDestinationRule | None = None

    def subset(self, role: str) -> str:
        if self.rule is None:
            return ""
        return self.rule.canary_subset_name if role == "canary" else self.rule.stable_subset_name

    def host(self, role: str) -> str:
        return self.canary if role == "canary" else self.stable

    def role(self, weighted: Obj) -> str:
        """`canary`, `stable`, `experiment`, or empty for somebody else's."""
        where = weighted.get("destination") or {}
        name = str(where.get("subset") or "") if self.rule else short(str(where.get("host") or ""))
        for role in ("canary", "stable"):
            if name and name == (self.subset(role) if self.rule else self.host(role)):
                return role
        return "experiment" if self.of_experiment(name) else ""

    def of_experiment(self, name: str) -> bool:
        """Services of a step's experiment are named after it: `<rollout>-<hash>-<revision>-<step>-<template>`."""
        pattern = rf"{re.escape(self.rollout)}-[{HASH_LETTERS}]{{1,10}}-\d+-\d+-.+"
        return re.fullmatch(pattern, name) is not None


def short(host: str) -> str:
    """A service's name without namespace and domain."""
    return host.partition(".")[0]


def destination(host: str, subset: str = "") -> Obj:
    return {"host": host, "subset": subset} if subset else {"host": host}


def weigh(route: Obj, names: Names, plan: Plan) -> list[Obj]:
    """The route's destinations with the plan's weights. Raises Unroutable where one of the Rollout's two lacks."""
    given: list[Obj] = copy.deepcopy(route.get("route") or [])
    roles = [names.role(one) for one in given]
    lacking = [role for role in ("canary", "stable") if role not in roles]
    if lacking:
        said = ", ".join(names.subset(role) or names.host(role) for role in lacking)
        raise Unroutable(f"Istio VirtualService has invalid routes. Error: no destination `{said}` in a route")
    foreign = sum(_weight(one) for one, role in zip(given, roles, strict=True) if not role)
    shares = divided(plan, max(0, MOST - foreign))
    kept = [one for one, role in zip(given, roles, strict=True) if role != "experiment"]
    for one in kept:
        if role := names.role(one):
            one["weight"] = shares[role]
    host = next(one["destination"]["host"] for one in kept if names.role(one) == "canary")
    added = sorted(plan.weights.additional, key=lambda one: one.service)
    return [
        *kept,
        *(
            {
                "destination": destination(host, one.service) if names.rule else destination(one.service),
                "weight": shares[one.service],
            }
            for one in added
        ),
    ]


def _weight(weighted: Obj) -> int:
    """What a person wrote as a weight may be text or a fraction."""
    try:
        return int(float(weighted.get("weight") or 0))
    except (TypeError, ValueError):
        return 0


def divided(plan: Plan, total: int) -> dict[str, int]:
    """The plan's weights as parts of what others leave; stable gets what rounding leaves."""
    most = plan.weights.max or MOST
    shares = {one.service: round(one.weight * total / most) for one in plan.weights.additional}
    shares["canary"] = round(plan.weights.canary * total / most)
    shares["stable"] = max(0, total - sum(shares.values()))
    return shares
