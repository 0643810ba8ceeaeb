"""New Relic: an NRQL query by NerdGraph. One row is an object, several are a list; no row means the metric failed."""

import json

from services.rollout_manager.analysis import Phase
from services.rollout_manager.analysis.metrics import Metric
from services.rollout_manager.analysis.providers import Ask, needed, setting
from services.rollout_manager.analysis.providers.answer import Answer, ProviderError

SECRET = "newrelic"  # noqa: S105 - the name of a Secret
ADDRESSES = {"us": "https://api.newrelic.com/graphql", "eu": "https://api.eu.newrelic.com/graphql"}
QUESTION = (
    "query($accountId: Int!, $query: Nrql!) { actor { account(id: $accountId) { nrql(query: $query) { results } } } }"
)


async def measure(ask: Ask, metric: Metric) -> Answer:
    needed(metric.config, "query")
    name = setting(metric.config, "profile", SECRET) or SECRET
    profile = await ask.shared_secret(name)
    missing = [key for key in ("personal-api-key", "account-id") if not profile.get(key)]
    if missing or not str(profile.get("account-id", "")).isdigit():
        raise ProviderError(f"the Secret {name} needs a personal-api-key and a numeric account-id")
    region = profile.get("region") or "us"
    address = profile.get("base-url-nerdgraph") or ADDRESSES.get(region)
    if not address:
        raise ProviderError(f"the Secret {name}: region is us or eu, not {region!r}")
    variables = {"accountId": int(profile["account-id"]), "query": setting(metric.config, "query")}
    headers = {"API-Key": profile["personal-api-key"], "Content-Type": "application/json"}
    body = json.dumps({"query": QUESTION, "variables": variables}).encode()
    found = (await ask.web.request("POST", address, headers=headers, body=body)).json()
    if isinstance(found, dict) and found.get("errors"):
        raise ProviderError(f"new relic: {'; '.join(str(one.get('message')) for one in found['errors'])}")
    try:
        rows = found["data"]["actor"]["account"]["nrql"]["results"]
    except (KeyError, TypeError) as error:
        raise ProviderError("new relic answered something that is no result") from error
    if not rows:
        return Answer(phase=Phase.FAILED, message="no results returned from NRQL query", empty=True)
    value = rows[0] if len(rows) == 1 else rows
    shown = json.dumps(value, separators=(",", ":"))
    return Answer(value, shown, metadata={"ResolvedNewRelicQuery": setting(metric.config, "query")})
