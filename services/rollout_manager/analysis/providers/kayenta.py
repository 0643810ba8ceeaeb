"""Kayenta: a canary analysis that it makes itself; its score is judged by our thresholds.

It offers no way to be told of the end, so it is asked every few seconds.
"""

import asyncio
import json
from typing import Any

from services.rollout_manager.analysis import Phase
from services.rollout_manager.analysis.metrics import Metric
from services.rollout_manager.analysis.providers import Ask, needed, setting
from services.rollout_manager.analysis.providers.answer import Answer, ProviderError
from services.rollout_manager.analysis.providers.numbers import number, shown

EVERY_SECONDS = 5.0
ACCOUNTS = ("application", "metricsAccountName", "configurationAccountName", "storageAccountName")


async def measure(ask: Ask, metric: Metric) -> Answer:
    config = metric.config
    needed(config, "address", "canaryConfigName", *ACCOUNTS)
    address = setting(config, "address").rstrip("/")
    accounts = {name: setting(config, name) for name in ACCOUNTS}
    execution = await _begin(ask, address, await _config_id(ask, address, config, accounts), config, accounts)
    while True:
        found = (await ask.web.request("GET", f"{address}/canary/{execution}")).json()
        if isinstance(found, dict) and found.get("complete"):
            return judged(found, config.get("threshold") or {})
        await asyncio.sleep(EVERY_SECONDS)


async def _config_id(ask: Ask, address: str, config: dict[str, Any], accounts: dict[str, str]) -> str:
    params = {name: accounts[name] for name in ("application", "configurationAccountName")}
    found = (await ask.web.request("GET", f"{address}/canaryConfig", params=params)).json()
    named = [one for one in found if isinstance(one, dict) and one.get("name") == config["canaryConfigName"]]
    if not named:
        raise ProviderError(f"kayenta has no canary config {config['canaryConfigName']!r}")
    return str(named[0]["id"])


async def _begin(ask: Ask, address: str, id_: str, config: dict[str, Any], accounts: dict[str, str]) -> str:
    scopes = {
        one["name"]: {"controlScope": one.get("controlScope"), "experimentScope": one.get("experimentScope")}
        for one in config.get("scopes") or ()
    }
    body = json.dumps({"scopes": scopes, "thresholds": config.get("threshold") or {}}).encode()
    headers = {"Content-Type": "application/json"}
    answer = await ask.web.request("POST", f"{address}/canary/{id_}", params=accounts, headers=headers, body=body)
    found = answer.json()
    if not isinstance(found, dict) or not found.get("canaryExecutionId"):
        raise ProviderError("kayenta began no execution")
    return str(found["canaryExecutionId"])


def judged(found: dict[str, Any], threshold: dict[str, Any]) -> Answer:
    if found.get("status") != "succeeded":
        raise ProviderError(f"the canary execution ended {found.get('status')!r}")
    try:
        score = number(found["result"]["judgeResult"]["score"]["score"])
    except (KeyError, TypeError) as error:
        raise ProviderError("kayenta's judge gave no score") from error
    passed, marginal = number(threshold.get("pass") or 0), number(threshold.get("marginal") or 0)
    phase = Phase.SUCCESSFUL if score >= passed else Phase.INCONCLUSIVE if score >= marginal else Phase.FAILED
    return Answer(score, shown(score), phase)
