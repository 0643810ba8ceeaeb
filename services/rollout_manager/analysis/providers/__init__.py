"""Where measurements come from: one module for each provider that a metric may name.

A provider is `async (ask, metric) -> Answer`. `metric.config` is its part of the manifest, arguments filled in; `ask`
holds what it may use: HTTP with the house's limits, the secrets of the run's namespace, Jobs, the engines. It raises
`ProviderError` with words that a person can act on.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from services.rollout_manager.analysis.metrics import Metric
from services.rollout_manager.analysis.providers.answer import Answer, ProviderError
from services.rollout_manager.analysis.providers.web_access import WebAccess
from shared.engines.client import Engines

__all__ = ["Answer", "Ask", "ProviderError", "needed", "provider", "setting"]

MODULES = {
    "prometheus": "prometheus",
    "web": "web",
    "job": "job",
    "datadog": "datadog",
    "newRelic": "newrelic",
    "wavefront": "wavefront",
    "cloudWatch": "cloudwatch",
    "graphite": "graphite",
    "influxdb": "influxdb",
    "skywalking": "skywalking",
    "kayenta": "kayenta",
}


Jobs = Callable[[Metric], Awaitable[Answer]]
Secrets = Callable[[str], Awaitable[Mapping[str, str]]]


@dataclass(frozen=True)
class Ask:
    """What a provider may use. `secret` gives the data of a Secret of the run's namespace (of the manager's own when
    `shared_secret`), `job` runs a Job to its end.
    """

    web: WebAccess
    engines: Engines
    secret: Secrets
    shared_secret: Secrets
    job: Jobs


Provider = Callable[[Ask, Metric], Awaitable[Answer]]


def provider(name: str) -> Provider:
    """Raises ProviderError for a name that nobody knows; plugins are such."""
    if name not in MODULES:
        raise ProviderError(f"the metric provider {name!r} is not built: use one of {', '.join(sorted(MODULES))}")
    module = import_module(f"{__name__}.{MODULES[name]}")
    found: Provider = module.measure
    return found


def setting(config: Any, name: str, default: str = "") -> str:
    """One text of a provider's configuration."""
    value = config.get(name) if isinstance(config, dict) else None
    return default if value is None else str(value)


def needed(config: Any, *names: str) -> None:
    """Raises ProviderError with every setting that is missing."""
    missing = [name for name in names if not setting(config, name)]
    if missing:
        raise ProviderError(f"missing: {', '.join(missing)}")
