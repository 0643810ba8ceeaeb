"""What a person may choose about a stack."""

import socket
from dataclasses import dataclass
from pathlib import Path


class StackError(Exception):
    """The stack can't do what was asked; the message says what to do."""


@dataclass(frozen=True)
class Options:
    data: Path
    host: str = "127.0.0.1"
    port: int = 8080
    namespace: str = "argocd"
    kubeconfig: Path | None = None
    context: str | None = None
    nats: str | None = None
    git: bool = False
    node: str = "kwok"

    @property
    def embedded_cluster(self) -> bool:
        return self.kubeconfig is None and self.context is None


def address(text: str) -> tuple[str, int]:
    """HOST:PORT as the command line takes it; an IPv6 host stands in brackets."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise StackError(f"{text!r} is not HOST:PORT; for example 127.0.0.1:8080")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - an empty host means every address, as in Go


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on now; whoever takes it meanwhile makes the start fail with a clear message."""
    return probe(host, 0)


def probe(host: str, port: int) -> int:
    """Listens for a moment, to find out early whether that is possible; raises StackError when it is not."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
        except OSError as error:
            why = error.strerror or str(error)
            raise StackError(f"can't listen on {host}:{port} ({why}); choose another --listen HOST:PORT") from error
        found: int = listening.getsockname()[1]
        return found
