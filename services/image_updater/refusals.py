"""What keeps an image from being updated, as one error with a machine reason and a sentence that says what to do."""

FIRST_RETRY = 5.0


class Refused(Exception):
    """`retriable`: it may pass by itself, so it is tried again."""

    def __init__(self, reason: str, message: str, *, retriable: bool = False, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retriable = retriable
        self.retry_after = retry_after

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Refused) and (self.reason, self.message) == (other.reason, other.message)

    def __hash__(self) -> int:
        return hash((self.reason, self.message))
