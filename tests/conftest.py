"""The real parts that tests run against; each is defined in tests/parts."""

from tests.parts.cluster import cluster, namespace
from tests.parts.nats import bus, nats_url, unique

__all__ = ["bus", "cluster", "namespace", "nats_url", "unique"]
