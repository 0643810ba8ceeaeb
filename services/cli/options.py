"""The options every command has: where the stack or the cluster is, and how to print.

`Where` holds exactly what the person said; services/cli/target.py decides what it means.
"""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

_PANEL = "Where and how"


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


@dataclass(frozen=True)
class Where:
    data: Path
    kubeconfig: Path | None = None
    context: str | None = None
    namespace: str | None = None
    nats: str | None = None
    output: Output = Output.TABLE


def default_data() -> Path:
    if given := os.environ.get("TIPHYS_DATA"):
        return Path(given).expanduser()
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser() / "tiphys"


Kubeconfig = Annotated[
    Path | None, typer.Option("--kubeconfig", help="Use this cluster instead of the running stack's.", metavar="FILE")
]
Context = Annotated[str | None, typer.Option("--context", help="The kubeconfig's context.", metavar="NAME")]
Namespace = Annotated[
    str | None, typer.Option("--namespace", "-n", help="Argo's namespace [default: argocd].", metavar="NAME")
]
Data = Annotated[Path | None, typer.Option("--data", help="The stack's folder [default: $TIPHYS_DATA].", metavar="DIR")]
Nats = Annotated[str | None, typer.Option("--nats", help="The bus [default: the running stack's].", metavar="URL")]
Format = Annotated[Output, typer.Option("-o", "--output", help="How to print.")]

SHARED = {
    "kubeconfig": (Kubeconfig, None),
    "context": (Context, None),
    "namespace": (Namespace, None),
    "data": (Data, None),
    "nats": (Nats, None),
    "output": (Format, Output.TABLE),
}
