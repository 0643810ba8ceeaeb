"""What can be wrong with an Application, each with the condition it becomes and whether trying again may help.

Raised where the fault is found, turned into a condition, an event and a pause in one place (reconcile.py).
"""


class ApplicationError(Exception):
    """Something stops this Application from being compared. `retriable`: it may pass by itself."""

    condition = "UnknownError"

    def __init__(self, message: str, *, retriable: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.retriable = retriable


class InvalidSpec(ApplicationError):
    """The spec can't mean anything, or its project does not permit it."""

    condition = "InvalidSpecError"


class ComparisonFailed(ApplicationError):
    """The sources can't be rendered or the destination can't be read: nothing is known, so nothing is changed."""

    condition = "ComparisonError"


class SyncRefused(ApplicationError):
    """A sync that was asked for may not be, whatever the objects are."""

    condition = "SyncError"


class Unverified(ComparisonFailed):
    """A revision is not signed as the project wants it: it is neither rendered nor synced."""


class DeletionFailed(ApplicationError):
    """The Application is being deleted and its objects could not be."""

    condition = "DeletionError"
