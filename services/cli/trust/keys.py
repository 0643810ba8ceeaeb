"""`gpg`: the keys that may sign commits: GPG's (argocd-gpg-keys-cm) and SSH's (tiphys-ssh-signers-cm, our addition)."""

import asyncio

from services.cli.errors import CliError, Exit
from services.cli.options import Output, Where
from services.cli.output import emit, emit_data, note
from services.cli.session import open_cluster
from services.cli.trust import store
from services.cli.trust.lines import NotSsh, SshLine, parsed
from shared.git import gpg
from shared.git.errors import ToolFailed
from shared.kinds.keyring import GPG_CONFIG_MAP, SIGNERS, SSH_CONFIG_MAP

HEADER = ("KEYID", "TYPE", "IDENTITY")


async def add(where: Where, source: str) -> None:
    text = store.text_of(source)
    if "PRIVATE KEY" in text:
        raise CliError(f"{source} holds a private key", hint="give the public one: `gpg --armor --export ID`")
    try:
        keys = await asyncio.to_thread(gpg.split_keys, text)
    except ToolFailed as error:
        raise CliError(str(error)) from error
    if not keys:
        raise CliError(f"there is no GPG key in {source}", hint="`gpg --armor --export ID` prints one")
    async with open_cluster(where) as session:
        await store.edit(session, GPG_CONFIG_MAP, lambda data: {**data, **keys})
    note(f"added: {', '.join(keys)}")


async def add_signers(where: Where, source: str, principal: str) -> None:
    """Add lines of an allowed_signers file, or public keys for a person."""
    lines = [line if line.names else named(line, principal) for line in _signers(store.text_of(source))]
    if not lines:
        raise CliError(f"there is no SSH key in {source}", code=Exit.USAGE)

    def change(data: store.Data) -> store.Data:
        known = {line.fingerprint for line in _signers(data.get(SIGNERS, ""))}
        fresh = [line.rest for line in lines if line.fingerprint not in known]
        return {**data, SIGNERS: "\n".join([*data.get(SIGNERS, "").splitlines(), *fresh, ""])}

    async with open_cluster(where) as session:
        await store.edit(session, SSH_CONFIG_MAP, change)
    note(f"added: {', '.join(line.fingerprint for line in lines)}")


def named(line: SshLine, principal: str) -> SshLine:
    """Make a public key a line of an allowed_signers file."""
    if not principal:
        raise CliError("whose key is it?", hint="--principal ada@example.org", code=Exit.USAGE)
    return line._replace(names=principal, rest=f'{principal} namespaces="git" {line.kind} {line.key}')


def _signers(text: str) -> list[SshLine]:
    try:
        return parsed(text)
    except NotSsh as error:
        raise CliError(f"these are no allowed signers: {error}", hint="ssh-keygen(1), ALLOWED SIGNERS") from error


def rows(keys: store.Data, signers: str) -> list[tuple[str, ...]]:
    """Give a row for every key; asks gpg what each entry holds."""
    found = [(name, gpg.keys_in(armored)) for name, armored in sorted(keys.items())]
    of_gpg = [
        (name, held[0].kind, held[0].owner) if held else (name, "", "can't be read: no GPG key") for name, held in found
    ]
    return [*of_gpg, *((line.fingerprint, line.kind, line.names) for line in _signers(signers))]


async def show_list(where: Where) -> None:
    keys, signers = await _read(where)
    try:
        found = await asyncio.to_thread(rows, keys, signers)
    except ToolFailed as error:
        raise CliError(str(error)) from error
    data = [dict(zip(("keyID", "type", "identity"), row, strict=True)) for row in found]
    emit(where.output, data, HEADER, found)


async def show(where: Where, key_id: str) -> None:
    keys, signers = await _read(where)
    line = next((line for line in _signers(signers) if line.fingerprint == key_id), None)
    name = next((name for name in keys if same(name, key_id)), None)
    if name is None and line is None:
        raise _missing(key_id)
    text = line.rest if line is not None else keys[name or ""]
    if where.output is Output.TABLE:
        print(text)
    else:
        emit_data(where.output, {"keyID": name or key_id, "keyData": text})


async def remove(where: Where, key_id: str) -> None:
    """Remove a key; commits that it signed are no longer verified."""
    keys, signers = await _read(where)
    async with open_cluster(where) as session:
        if any(same(name, key_id) for name in keys):
            kept = {name: text for name, text in keys.items() if not same(name, key_id)}
            await store.edit(session, GPG_CONFIG_MAP, lambda _data: kept)
        elif any(line.fingerprint == key_id for line in _signers(signers)):
            lines = [line.rest for line in _signers(signers) if line.fingerprint != key_id]
            await store.edit(session, SSH_CONFIG_MAP, lambda data: {**data, SIGNERS: "\n".join([*lines, ""])})
        else:
            raise _missing(key_id)
    note(f"{key_id} removed")


def same(name: str, key_id: str) -> bool:
    """Tell whether a key ID, long, short or whole, means an entry."""
    written = key_id.removeprefix("0x").upper()
    return len(written) >= 8 and (name.upper().endswith(written) or written.endswith(name.upper()))


def _missing(key_id: str) -> CliError:
    return CliError(f"there is no key {key_id}", hint="`tiphys gpg list` shows what there is", code=Exit.NOT_FOUND)


async def _read(where: Where) -> tuple[store.Data, str]:
    async with open_cluster(where) as session:
        keys = await store.read(session, GPG_CONFIG_MAP)
        return keys, (await store.read(session, SSH_CONFIG_MAP)).get(SIGNERS, "")
