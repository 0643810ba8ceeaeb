"""`cert`: SSH host keys (argocd-ssh-known-hosts-cm) and certificates of HTTPS servers (argocd-tls-certs-cm)."""

import re

from services.cli.errors import CliError, Exit
from services.cli.options import Where
from services.cli.output import emit, note
from services.cli.session import open_cluster
from services.cli.trust import store
from services.cli.trust.lines import NotSsh, SshLine, parsed

HOSTS, KNOWN = "argocd-ssh-known-hosts-cm", "ssh_known_hosts"
CERTIFICATES = "argocd-tls-certs-cm"
HEADER = ("HOSTNAME", "TYPE", "SUBTYPE", "INFO")
_NAME = re.compile(r"[-._a-zA-Z0-9]+")


def _hosts(text: str) -> list[SshLine]:
    try:
        lines = parsed(text)
    except NotSsh as error:
        raise CliError(f"these are no SSH host keys: {error}", hint="`ssh-keyscan HOST` prints them") from error
    if any(not line.names for line in lines):
        raise CliError("an SSH host key needs its host's name in front", hint="`ssh-keyscan HOST` prints both")
    return lines


def with_hosts(before: str, fresh: list[SshLine], *, upsert: bool) -> str:
    """Add host keys; one of the same host and kind is replaced only when that is asked for. Pure."""
    known = _hosts(before)
    places = {(line.names, line.kind) for line in fresh}
    clash = [line for line in known if (line.names, line.kind) in places and line not in fresh]
    if clash and not upsert:
        raise CliError(f"{clash[0].names} has another {clash[0].kind} key already", hint="--upsert replaces it")
    gone = {line.rest for line in (*clash, *fresh)}
    kept = [line for line in before.splitlines() if line.strip() not in gone]
    return "\n".join([*kept, *(line.rest for line in fresh)]).strip() + "\n"


async def add_hosts(where: Where, source: str, *, upsert: bool) -> None:
    fresh = _hosts(store.text_of(source))
    if not fresh:
        raise CliError(f"there is no SSH host key in {source}", code=Exit.USAGE)
    async with open_cluster(where) as session:
        await store.edit(
            session, HOSTS, lambda data: {**data, KNOWN: with_hosts(data.get(KNOWN, ""), fresh, upsert=upsert)}
        )
    note(f"{len(fresh)} SSH host keys added")


async def add_certificate(where: Where, server: str, source: str, *, upsert: bool) -> None:
    text = store.text_of(source)
    if not _NAME.fullmatch(server):
        raise CliError(f"{server!r} is no host name: give it without scheme and port", code=Exit.USAGE)
    if not subjects(text):
        raise CliError(f"there is no PEM certificate in {source}", code=Exit.USAGE)

    def change(data: store.Data) -> store.Data:
        if data.get(server, text) != text and not upsert:
            raise CliError(f"{server} has other certificates already", hint="--upsert replaces them")
        return {**data, server: text}

    async with open_cluster(where) as session:
        await store.edit(session, CERTIFICATES, change)
    note(f"certificates for {server} added")


def subjects(pem: str) -> list[str]:
    """Give the subject of each certificate; none where the text holds none."""
    from cryptography import x509

    try:
        return [found.subject.rfc4514_string() for found in x509.load_pem_x509_certificates(pem.encode())]
    except ValueError:
        return []


def rows(hosts: str, certificates: store.Data, only: str | None) -> list[tuple[str, ...]]:
    """Give a row for every host key and certificate. Pure."""
    ssh = [(line.names, "ssh", line.kind, line.fingerprint) for line in _hosts(hosts)]
    tls = [(server, "https", "", subject) for server, pem in sorted(certificates.items()) for subject in subjects(pem)]
    return [row for row in (*ssh, *tls) if only in (None, row[1])]


async def show(where: Where, only: str | None) -> None:
    async with open_cluster(where) as session:
        hosts = (await store.read(session, HOSTS)).get(KNOWN, "")
        found = rows(hosts, await store.read(session, CERTIFICATES), only)
    names = ("hostname", "type", "subtype", "info")
    emit(where.output, [dict(zip(names, row, strict=True)) for row in found], HEADER, found)


async def remove(where: Where, host: str, only: str | None, kind: str | None) -> None:
    """Remove what is known of a host."""
    removed = 0

    def hosts(data: store.Data) -> store.Data:
        nonlocal removed
        gone = {line.rest for line in _hosts(data.get(KNOWN, "")) if line.names == host and kind in (None, line.kind)}
        removed += len(gone)
        kept = [line for line in data.get(KNOWN, "").splitlines() if line.strip() not in gone]
        return {**data, KNOWN: "\n".join([*kept, ""])} if gone else data

    def certificates(data: store.Data) -> store.Data:
        nonlocal removed
        removed += host in data
        return {server: pem for server, pem in data.items() if server != host}

    async with open_cluster(where) as session:
        if only in (None, "ssh"):
            await store.edit(session, HOSTS, hosts)
        if only in (None, "https") and kind is None:
            await store.edit(session, CERTIFICATES, certificates)
    if not removed:
        raise CliError(f"nothing is known of {host}", hint="`tiphys cert list` shows what is", code=Exit.NOT_FOUND)
    note(f"{removed} removed")
