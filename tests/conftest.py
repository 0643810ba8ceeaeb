"""The real parts that tests run against; each is defined in tests/parts."""

from tests.parts.cluster import cluster, namespace
from tests.parts.delivery import delivery
from tests.parts.engines import engines
from tests.parts.nats import bus, nats_url, unique
from tests.parts.stack import stack

__all__ = ["bus", "cluster", "delivery", "engines", "namespace", "nats_url", "stack", "unique"]
