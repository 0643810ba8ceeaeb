"""Where each part's program is: our one binary under each part's name, kwok beside it, or the folder that was given.

`$KUBEBUILDER_ASSETS` (a folder with etcd, kube-apiserver and kubectl, as setup-envtest makes it) is used as it is
and nothing is built; what that folder lacks is looked up on the PATH, and what is found nowhere is left out and
said.
"""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.stack.cluster.errors import ClusterError
from shared.engines.build import Report, cache_root, ensure_go_binary, ensure_go_install, ready_binary

SOURCE = Path(__file__).parents[3] / "deploy" / "cluster"
KWOK_PACKAGE, KWOK_VERSION = "sigs.k8s.io/kwok/cmd/kwok", "v0.8.0"
_NAME = "tiphys-cluster"
_LINKED = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
    "kubectl",
)
_NEEDED = ("etcd", "kube-apiserver")


@dataclass(frozen=True)
class Binaries:
    """A program for each part's name; a part without one can't run."""

    programs: Mapping[str, Path]

    def __contains__(self, part: str) -> bool:
        return part in self.programs

    def __getitem__(self, part: str) -> Path:
        if part in self.programs:
            return self.programs[part]
        raise ClusterError(f"there is no program for {part}: unset KUBEBUILDER_ASSETS to have everything built")


def find(report: Report) -> Binaries:
    """Builds what is missing; takes minutes the first time and milliseconds afterwards."""
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        return _from_assets(Path(assets).expanduser(), report)
    programs = _linked(_program(report))
    return Binaries({**programs, "kwok": ensure_go_install(KWOK_PACKAGE, KWOK_VERSION, report=report)})


def kubectl(report: Report) -> Path:
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        return _from_assets(Path(assets).expanduser(), report)["kubectl"]
    return _linked(_program(report))["kubectl"]


def _program(report: Report) -> Path:
    if ready := ready_binary(_NAME):
        return ready
    if not SOURCE.is_dir():
        raise ClusterError(f"{SOURCE} is missing, so no cluster can be built: set KUBEBUILDER_ASSETS or TIPHYS_BIN")
    return ensure_go_binary(SOURCE, _NAME, report=report, variables=_version_variables())


def _version_variables() -> dict[str, str]:
    """Without these the parts call themselves v0.0.0, and clients that check versions refuse them."""
    found = re.search(r"k8s\.io/kubernetes (v(\d+)\.(\d+)\.\S+)", (SOURCE / "go.mod").read_text())
    assert found, "go.mod names the Kubernetes version"
    prefix = "k8s.io/component-base/version."
    return {f"{prefix}gitVersion": found[1], f"{prefix}gitMajor": found[2], f"{prefix}gitMinor": found[3]}


def _linked(program: Path) -> dict[str, Path]:
    """The program runs the part it is called as, so each part is a link to it."""
    folder = cache_root() / "bin" / f"{program.name}.parts"
    folder.mkdir(parents=True, exist_ok=True)
    for part in _LINKED:
        _link(folder / part, program)
    return {part: folder / part for part in _LINKED}


def _link(link: Path, program: Path) -> None:
    if link.is_symlink() and link.readlink() == program:
        return
    partial = link.with_name(f".{link.name}.{os.getpid()}")
    partial.symlink_to(program)
    partial.replace(link)


def _from_assets(folder: Path, report: Report) -> Binaries:
    found = {part: path for part in (*_LINKED, "kwok") if (path := _in(folder, part))}
    if missing := [part for part in _NEEDED if part not in found]:
        raise ClusterError(f"KUBEBUILDER_ASSETS={folder} holds no {' and no '.join(missing)}: correct it or unset it")
    absent = [part for part in (*_LINKED, "kwok") if part not in found]
    if absent:
        report(f"KUBEBUILDER_ASSETS={folder}: running without {', '.join(absent)}")
    return Binaries(found)


def _in(folder: Path, part: str) -> Path | None:
    if os.access(folder / part, os.X_OK):
        return (folder / part).absolute()
    return Path(found) if part not in _NEEDED and (found := shutil.which(part)) else None
