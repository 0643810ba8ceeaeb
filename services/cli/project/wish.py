"""What `proj create`, `set` and `generate-spec` may say of a project, as options and as fields of its spec."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from services.cli.errors import CliError, Exit

Obj = dict[str, object]


@dataclass(frozen=True)
class Wish:
    """None: nothing said."""

    description: Annotated[str | None, typer.Option("--description", help="What it is for.")] = None
    sources: Annotated[
        list[str] | None, typer.Option("-s", "--src", help="A permitted repository; globs, ! denies.", metavar="URL")
    ] = None
    destinations: Annotated[
        list[str] | None, typer.Option("-d", "--dest", help="A permitted destination.", metavar="SERVER,NAMESPACE")
    ] = None
    namespaces: Annotated[
        list[str] | None,
        typer.Option("--source-namespaces", help="A namespace whose Applications may use it.", metavar="NAME"),
    ] = None
    cluster_kinds: Annotated[
        list[str] | None, typer.Option("--allow-cluster-resource", help="A cluster-scoped kind.", metavar="GROUP/KIND")
    ] = None
    keys: Annotated[list[str] | None, typer.Option("--signature-keys", help="A key that may sign.", metavar="ID")] = (
        None
    )
    orphaned: Annotated[bool | None, typer.Option("--orphaned-resources", help="Look for orphaned resources.")] = None
    warn: Annotated[bool | None, typer.Option("--orphaned-resources-warn", help="And warn about them.")] = None

    def fields(self) -> dict[str, object]:
        """Give the fields of the spec that it sets."""
        found: dict[str, object] = {
            "description": self.description,
            "sourceRepos": _listed(self.sources),
            "sourceNamespaces": _listed(self.namespaces),
            "destinations": None if self.destinations is None else [destination(one) for one in self.destinations],
            "clusterResourceWhitelist": None
            if self.cluster_kinds is None
            else [kind(one) for one in self.cluster_kinds],
            "signatureKeys": None if self.keys is None else [{"keyID": key} for key in self.keys],
        }
        if self.orphaned or self.warn:
            found["orphanedResources"] = {"warn": bool(self.warn)}
        return {name: value for name, value in found.items() if value is not None}


def _listed(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else list(values)


def destination(word: str) -> Obj:
    """Read `SERVER,NAMESPACE`."""
    server, comma, namespace = word.partition(",")
    if not comma or not server:
        raise CliError(f"{word!r} is no destination: write SERVER,NAMESPACE", code=Exit.USAGE)
    return {"server": server.strip(), "namespace": namespace.strip()}


def kind(word: str) -> Obj:
    """Read `GROUP/KIND`; the core group is empty."""
    group, slash, name = word.rpartition("/")
    if not slash or not name:
        raise CliError(f"{word!r} is no kind: write GROUP/KIND, /KIND for the core group", code=Exit.USAGE)
    return {"group": group, "kind": name}
