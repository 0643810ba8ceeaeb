"""`tiphys cert ...` and `tiphys gpg ...`: trusted hosts, certificates, and keys that may sign commits."""

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.command import command
from services.cli.options import Where

cert = typer.Typer(help="Trusted SSH hosts and HTTPS servers of repositories.", no_args_is_help=True)
gpg = typer.Typer(help="Keys that may sign commits: GPG's and SSH's.", no_args_is_help=True)


class Kind(StrEnum):
    SSH = "ssh"
    HTTPS = "https"


From = Annotated[str, typer.Option("--from", help="Read this file; - is standard input.", metavar="FILE")]
Upsert = Annotated[bool, typer.Option("--upsert", help="Replace what is there already.")]
Only = Annotated[Kind | None, typer.Option("--cert-type", help="Only these.")]
KeyId = Annotated[str, typer.Argument(help="A GPG key's ID, or an SSH key's SHA256 fingerprint.", metavar="KEY-ID")]


@command(
    cert,
    "add-ssh",
    examples=("ssh-keyscan git.example.org | tiphys cert add-ssh", "tiphys cert add-ssh --from known_hosts"),
)
async def add_ssh(where: Where, source: From = "-", upsert: Upsert = False) -> None:
    """Trust SSH host keys, given as lines of known_hosts."""
    from services.cli.trust import certificates

    await certificates.add_hosts(where, source, upsert=upsert)


@command(cert, "add-tls", examples=("tiphys cert add-tls git.example.org --from ca.pem",))
async def add_tls(
    where: Where,
    server: Annotated[str, typer.Argument(help="The server's host name.", metavar="HOST")],
    source: From = "-",
    upsert: Upsert = False,
) -> None:
    """Trust certificates (PEM) for an HTTPS server, and only these."""
    from services.cli.trust import certificates

    await certificates.add_certificate(where, server, source, upsert=upsert)


@command(cert, "list", examples=("tiphys cert list", "tiphys cert list --cert-type ssh -o json"))
async def list_certificates(where: Where, only: Only = None) -> None:
    """List trusted SSH hosts and HTTPS servers."""
    from services.cli.trust import certificates

    await certificates.show(where, only.value if only else None)


@command(cert, "rm", examples=("tiphys cert rm git.example.org", "tiphys cert rm git.example.org --cert-type ssh"))
async def remove_certificate(
    where: Where,
    host: Annotated[str, typer.Argument(help="The host.", metavar="HOST")],
    only: Only = None,
    kind: Annotated[
        str | None, typer.Option("--cert-sub-type", help="Only SSH keys of this kind.", metavar="KIND")
    ] = None,
) -> None:
    """Forget what is trusted of a host."""
    from services.cli.trust import certificates

    await certificates.remove(where, host, only.value if only else None, kind)


@command(
    gpg, "add", examples=("gpg --armor --export ada@example.org | tiphys gpg add", "tiphys gpg add --from ada.asc")
)
async def add(where: Where, source: From = "-") -> None:
    """Add armored public GPG keys."""
    from services.cli.trust import keys

    await keys.add(where, source)


@command(gpg, "add-ssh", examples=("tiphys gpg add-ssh --from id_ed25519.pub --principal ada@example.org",))
async def add_ssh_signer(
    where: Where,
    source: From = "-",
    principal: Annotated[str, typer.Option("--principal", help="Whose public keys they are.", metavar="NAME")] = "",
) -> None:
    """Add SSH keys that may sign commits: public keys, or lines of allowed_signers."""
    from services.cli.trust import keys

    await keys.add_signers(where, source, principal)


@command(gpg, "list", examples=("tiphys gpg list",))
async def list_keys(where: Where) -> None:
    """List the keys that may sign commits."""
    from services.cli.trust import keys

    await keys.show_list(where)


@command(gpg, "get", examples=("tiphys gpg get 4AEE18F83AFDEB23",))
async def get(where: Where, key_id: KeyId) -> None:
    """Print a key."""
    from services.cli.trust import keys

    await keys.show(where, key_id)


@command(gpg, "rm", examples=("tiphys gpg rm 4AEE18F83AFDEB23",))
async def remove(where: Where, key_id: KeyId) -> None:
    """Remove a key: what only it has signed is no longer verified."""
    from services.cli.trust import keys

    await keys.remove(where, key_id)
