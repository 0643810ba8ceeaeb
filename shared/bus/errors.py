"""What can go wrong on the bus, in our words; NATS' own errors never leave this package.

BusError
├── Disconnected     no server within the time given: nak and try again later
├── StreamMissing    the server has no stream for the subject, or JetStream is not up yet
├── TooLarge         the message does not fit: put the body into the object store, or send less
├── ObjectMissing    the object store has no such digest (it is a cache: make it again)
├── Corrupted        stored bytes do not match their digest
└── Conflict         a key was changed by someone else meanwhile
Reject               raised by a handler: this message can never succeed, dead-letter it now
"""


class BusError(Exception):
    """Base of what this package raises."""


class Disconnected(BusError):
    pass


class StreamMissing(BusError):
    pass


class TooLarge(BusError):
    pass


class ObjectMissing(BusError):
    pass


class Corrupted(BusError):
    pass


class Conflict(BusError):
    pass


class Reject(Exception):
    """A handler's verdict on a message that no retry can help; the text is the dead letter's reason."""
