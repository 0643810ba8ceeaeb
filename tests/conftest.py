"""The real parts that tests run against; each is defined in tests/parts."""

import os

from hypothesis import HealthCheck, settings

from tests.parts.cluster import cluster, namespace
from tests.parts.delivery import delivery
from tests.parts.engines import engines
from tests.parts.logs import own_logging
from tests.parts.nats import bus, nats_url, unique
from tests.parts.shop import shop, telling_registry
from tests.parts.stack import stack

__all__ = [
    "bus",
    "cluster",
    "delivery",
    "engines",
    "namespace",
    "nats_url",
    "own_logging",
    "shop",
    "stack",
    "telling_registry",
    "unique",
]

# How fast the machine is at the moment is no property of the code; and what one run finds, the next one finds again.
# TIPHYS_EXPLORE=1 looks at other examples in each run.
settings.register_profile("tiphys", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("explore", settings.get_profile("tiphys"), derandomize=False, print_blob=True)
settings.load_profile("explore" if os.environ.get("TIPHYS_EXPLORE") else "tiphys")
