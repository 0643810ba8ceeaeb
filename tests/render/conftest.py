"""The real parts of these tests."""

from tests.parts.registry import registry

__all__ = ["registry"]
