"""InfluxDB 2: a Flux query; the numbers of its `_value` column."""

import csv
from urllib.parse import quote

from services.rollout_manager.analysis.metrics import Metric
from services.rollout_manager.analysis.providers import Ask, needed, setting
from services.rollout_manager.analysis.providers.answer import Answer, ProviderError
from services.rollout_manager.analysis.providers.numbers import several

SECRET = "influxdb"  # noqa: S105 - the name of a Secret
VALUE = "_value"


async def measure(ask: Ask, metric: Metric) -> Answer:
    needed(metric.config, "query")
    name = setting(metric.config, "profile", SECRET) or SECRET
    profile = await ask.shared_secret(name)
    missing = [key for key in ("address", "authToken", "org") if not profile.get(key)]
    if missing:
        raise ProviderError(f"the Secret {name} has no {', no '.join(missing)}")
    answer = await ask.web.request(
        "POST",
        f"{profile['address'].rstrip('/')}/api/v2/query?org={quote(profile['org'], safe='')}",
        headers={
            "Authorization": f"Token {profile['authToken']}",
            "Content-Type": "application/vnd.flux",
            "Accept": "application/csv",
        },
        body=setting(metric.config, "query").encode(),
    )
    return several(values(answer.text))


def values(text: str) -> list[str]:
    """Annotated CSV holds several tables, each with a header of its own."""
    found, at = [], None
    for row in csv.reader(text.splitlines()):
        if not row or row[0].startswith("#"):
            at = None
        elif VALUE in row:
            at = row.index(VALUE)
        elif "error" in row and "reference" in row:
            raise ProviderError(f"influxdb: {text.splitlines()[-1]}")
        elif at is not None and len(row) > at and row[at]:
            found.append(row[at])
    return found
