"""What an API server has counted: writing requests by resource, as its own metrics tell them."""

import re
from collections import Counter
from collections.abc import Iterable

from shared.kube import Cluster

WRITING = frozenset({"POST", "PUT", "PATCH", "APPLY", "DELETE"})
_LABELS = re.compile(r'(\w+)="([^"]*)"')

Writes = Counter[tuple[str, str]]


async def written(cluster: Cluster, *, dry_runs: bool = True) -> Writes:
    """How many so far, by resource and subresource (empty: the object itself)."""
    return counted((await cluster.request("GET", "/metrics")).decode().splitlines(), dry_runs=dry_runs)


def counted(lines: Iterable[str], *, dry_runs: bool = True) -> Writes:
    """Pure."""
    found: Writes = Counter()
    for line in lines:
        if line.startswith("apiserver_request_total{"):
            text, _, value = line.rpartition("} ")
            labels = dict(_LABELS.findall(text))
            if labels["verb"] in WRITING and (dry_runs or not labels.get("dry_run")):
                found[labels["resource"], labels["subresource"]] += int(float(value))
    return found
