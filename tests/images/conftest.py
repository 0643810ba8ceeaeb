"""The team that tests of images play, on the session's stack."""

from tests.parts.shop import shop, telling_registry

__all__ = ["shop", "telling_registry"]
