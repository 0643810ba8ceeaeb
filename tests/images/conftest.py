"""The team that tests of images play, on the session's stack."""

from tests.parts.shop import registry, shop

__all__ = ["registry", "shop"]
