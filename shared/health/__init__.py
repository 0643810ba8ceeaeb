"""How an object is doing, by its own status: Argo CD's built-in checks as plain functions.

In: a live object. Out: `Health`, or None for kinds that have none. A malformed object is `Unknown`, no error.
"""

from shared.health.checks import DELETING, application_health, health, leaving
from shared.health.status import ORDER, Health, Status, worst

__all__ = ["DELETING", "ORDER", "Health", "Status", "application_health", "health", "leaving", "worst"]
