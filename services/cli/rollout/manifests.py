"""Manifests of files, for `rollout lint` and `rollout create`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.cli.errors import CliError, Exit
from services.cli.options import Where
from services.cli.output import note
from services.cli.rollout.store import kind_of
from services.cli.session import open_cluster
from shared import yamlio
from shared.kube import verbs

Obj = dict[str, Any]
CREATED = ("Rollout", "Experiment", "AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun")


def documents(path: Path) -> list[Obj]:
    """The objects of a file. Raises CliError."""
    try:
        loaded = yamlio.load_all(path.read_bytes(), str(path))
    except OSError as error:
        raise CliError(f"{path} can't be read: {error.strerror}", code=Exit.NOT_FOUND) from error
    except yamlio.YamlError as error:
        raise CliError(str(error)) from error
    return [obj for obj in loaded if isinstance(obj, dict)]


def creatable(files: Sequence[Path], namespace: str) -> list[Obj]:
    """All objects of some files, each with its namespace. Raises CliError where one is of another kind."""
    found = []
    for path in files:
        for obj in documents(path):
            if obj.get("kind") not in CREATED or not str(obj.get("apiVersion")).startswith("argoproj.io/"):
                hint = f"it creates {', '.join(CREATED)}; nothing was created"
                raise CliError(f"{path}: {obj.get('apiVersion')} {obj.get('kind')} is none of them", hint=hint)
            metadata = dict(obj.get("metadata") or {})
            place = {} if obj["kind"].startswith("Cluster") else {"namespace": metadata.get("namespace") or namespace}
            found.append({**obj, "metadata": {**metadata, **place}})
    if not found:
        raise CliError("there is nothing to create in these files", code=Exit.NOT_FOUND)
    return found


async def create(where: Where, files: Sequence[Path]) -> None:
    wanted = creatable(files, where.namespace or "default")
    async with open_cluster(where) as session:
        for obj in wanted:
            made = await verbs.create(session.cluster, await kind_of(session, obj["kind"]), obj)
            namespace = made["metadata"].get("namespace")
            note(f"{obj['kind']} {namespace + '/' if namespace else ''}{made['metadata']['name']} created")
