"""What a project permits, changed: sources, destinations, namespaces, kinds, keys, accounts."""

from services.cli.options import Where
from services.cli.project import store
from services.cli.project.change import Change, Obj, Path, added, named, removed, rule_changed, set_to, written
from services.cli.project.wish import Wish

LISTS = {"allow": "Whitelist", "deny": "Blacklist"}


async def set_(where: Where, name: str, wish: Wish) -> None:
    await store.edit(where, name, set_to(wish.fields()), "changed")


async def text(where: Where, name: str, field: str, value: str, *, add: bool) -> None:
    """Add a text to a list of texts, or remove it."""
    change = added((field,), value, value) if add else removed((field,), lambda item: item == value, value)
    await store.edit(where, name, change, f"{value} {'added' if add else 'removed'}")


async def place(where: Where, name: str, cluster: str, namespace: str, *, by_name: bool, add: bool) -> None:
    """Add a destination, or remove it."""
    rule = {"name" if by_name else "server": cluster, "namespace": namespace}
    what = f"destination {cluster},{namespace}"
    await _entry(where, name, ("destinations",), rule, what, add=add)


async def key(where: Where, name: str, key_id: str, *, add: bool) -> None:
    await _entry(where, name, ("signatureKeys",), {"keyID": key_id}, f"signature key {key_id}", add=add)


async def orphaned(where: Where, name: str, rule: Obj, *, add: bool) -> None:
    """Add a kind of orphaned resources that is ignored, or remove it."""
    what = f"orphaned {rule.get('group', '')}/{rule['kind']} {rule.get('name', '')}".rstrip()
    await _entry(where, name, ("orphanedResources", "ignore"), rule, what, add=add)


async def account(where: Where, name: str, rule: Obj) -> None:
    """Add the ServiceAccount that syncs to a destination act as."""
    what = f"service account for {rule['server']},{rule.get('namespace', '')}"
    await _entry(where, name, ("destinationServiceAccounts",), rule, what, add=True)


async def no_account(where: Where, name: str, server: str, namespace: str, account_name: str) -> None:
    wanted = named(server=server, namespace=namespace, **written(defaultServiceAccount=account_name))
    change = removed(("destinationServiceAccounts",), wanted, f"service account for {server},{namespace}")
    await store.edit(where, name, change, f"service account for {server},{namespace} removed")


async def kinds(where: Where, name: str, scope: str, rule: Obj, *, allow: bool, in_list: str) -> None:
    """Allow or deny a kind by one of its two lists: what is to be in the one is what must not be in the other."""
    field = f"{scope}Resource{LISTS[in_list]}"
    keep = allow == (in_list == "allow")
    word = f"{rule.get('group', '')}/{rule['kind']} {rule.get('name', '')}".rstrip()
    said = f"{word} {'added to' if keep else 'removed from'} spec.{field}"
    await store.edit(where, name, rule_changed(field, rule, keep=keep), said)


async def _entry(where: Where, name: str, path: Path, rule: Obj, what: str, *, add: bool) -> None:
    change: Change = added(path, rule, what) if add else removed(path, named(**rule), what)
    await store.edit(where, name, change, f"{what} {'added' if add else 'removed'}")
