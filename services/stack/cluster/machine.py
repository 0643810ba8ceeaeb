"""What a real node needs of this machine: Linux, root, a few Debian packages, a bridge, a cgroup. It says all that is
missing at once.

One real node per machine: the bridge, the iptables rules and the kubelet's port are the machine's. Whoever holds
them is written to `OWNER`; a cluster that crashed leaves them, and its next start or stop sweeps them away.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from services.stack.cluster.errors import NodeImpossibleError
from services.stack.cluster.layout import POD_RANGE
from services.stack.state import started
from shared.engines.build import Report

BRIDGE, BRIDGE_ADDRESS, POD_SUBNET = "tiphys0", "10.244.0.1", "10.244.0.0/24"
STATE = Path("/run/tiphys")
OWNER = STATE / "owner"
CGROUP = "tiphys"
KUBELET_PORT = 10250
CNI_PLUGINS = Path("/usr/lib/cni")
_CGROUPS = Path("/sys/fs/cgroup")
_PROGRAMS = {
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "mount": "mount",
    "busybox": "busybox-static",
}
_MAY_RAISE_LIMITS = 24  # CAP_SYS_RESOURCE
_RULES = (
    ("nat", "POSTROUTING", f"-s {POD_RANGE} ! -d {POD_RANGE} -j MASQUERADE"),
    ("filter", "FORWARD", f"-i {BRIDGE} -j ACCEPT"),
    ("filter", "FORWARD", f"-o {BRIDGE} -j ACCEPT"),
)
_SETTINGS = ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables")


def ensure_able(report: Report) -> None:
    """Installs what Debian has; raises NodeImpossibleError with everything that stays missing."""
    if reasons := impossible(platform=sys.platform, user=os.geteuid(), cgroups=_has_cgroups()):
        raise NodeImpossibleError(reasons)
    if (packages := missing_packages()) and shutil.which("apt-get"):
        report(f"installing Debian packages for the node: {', '.join(packages)}")
        _install(packages)
    if packages := missing_packages():
        raise NodeImpossibleError((f"install these packages: {', '.join(packages)}",))


def impossible(*, platform: str, user: int, cgroups: bool) -> tuple[str, ...]:
    """What no package can mend."""
    problems = (
        (platform != "linux", "it needs Linux"),
        (user != 0, "it needs root"),
        (not cgroups, "no cgroups are mounted at /sys/fs/cgroup"),
    )
    return tuple(reason for applies, reason in problems if applies)


def _has_cgroups() -> bool:
    return (_CGROUPS / "cgroup.procs").exists() or any(_CGROUPS.glob("*/cgroup.procs"))


def missing_packages() -> list[str]:
    missing = [package for program, package in _PROGRAMS.items() if not shutil.which(program, path=search_path())]
    plugins = ("bridge", "host-local", "loopback", "portmap")
    if any(not (CNI_PLUGINS / plugin).exists() for plugin in plugins):
        missing.append("containernetworking-plugins")
    return missing


def search_path() -> str:
    return os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"


def _install(packages: Sequence[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", *command], env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NodeImpossibleError((f"apt-get {command[0]} failed: {done.stderr.strip()[-500:]}",))


def lacks_resource_rights() -> bool:
    """Without CAP_SYS_RESOURCE scores and limits can't be raised; kubelet and containerd can be told so."""
    status = Path("/proc/self/status").read_text()
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return not int(effective, 16) >> _MAY_RAISE_LIMITS & 1


def own(directory: Path) -> None:
    """The machine's one real node is ours from now on."""
    owner = _owner()
    if owner and owner != directory and _runs(owner):
        raise NodeImpossibleError((f"this machine's node belongs to the cluster in {owner}, which runs",))
    STATE.mkdir(mode=0o700, exist_ok=True)
    OWNER.write_text(str(directory))


def owned_by(directory: Path) -> bool:
    return _owner() in (directory, None)


def _owner() -> Path | None:
    return Path(OWNER.read_text()) if OWNER.exists() else None


def _runs(directory: Path) -> bool:
    try:
        pid, since = (directory / "run" / "kubelet").read_text().split()
    except (OSError, ValueError):
        return False
    return started(int(pid)) == int(since)


def make_network() -> None:
    """The bridge comes before the API server, which listens on its address, where pods can reach it."""
    if not Path(f"/sys/class/net/{BRIDGE}").exists():
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        run("ip", "address", "add", f"{BRIDGE_ADDRESS}/24", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")
    for setting in _SETTINGS:
        path = Path("/proc/sys") / setting
        if path.exists() and path.read_text().strip() != "1":
            path.write_text("1")
    for table, chain, rule in _RULES:
        if not succeeds("iptables", "-w", "-t", table, "-C", chain, *rule.split()):
            run("iptables", "-w", "-t", table, "-I", chain, *rule.split())


def remove_network() -> None:
    """Our rules and those of kubelet and kube-proxy, which have no other owner while the node is ours."""
    ours = ("KUBE-", BRIDGE, *(f"{chain} {rule}" for _table, chain, rule in _RULES))
    before = run("iptables-save")
    kept = [line for line in before.splitlines() if not any(sign in line for sign in ours)]
    if kept != before.splitlines():
        run("iptables-restore", "-w", stdin="\n".join(kept) + "\n")
    succeeds("ip", "link", "delete", BRIDGE)


def make_cgroup() -> None:
    for root in _hierarchies():
        folder = root / CGROUP
        folder.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            own_setting = folder / setting
            if (root / setting).exists() and own_setting.exists() and not own_setting.read_text().strip():
                own_setting.write_text((root / setting).read_text())
        if (root / "cgroup.subtree_control").exists():
            _delegate(root)


def _delegate(root: Path) -> None:
    controllers = " ".join(f"+{each}" for each in (root / "cgroup.controllers").read_text().split())
    for folder in (root, root / CGROUP):
        (folder / "cgroup.subtree_control").write_text(controllers)


def _hierarchies() -> list[Path]:
    if (_CGROUPS / "cgroup.procs").exists():
        return [_CGROUPS]
    return [
        folder
        for folder in sorted(_CGROUPS.iterdir())
        if (folder / "cgroup.procs").exists() and not folder.is_symlink()
    ]


def processes_in_cgroup() -> set[int]:
    return {pid for root in _hierarchies() for folder, *_ in os.walk(root / CGROUP) for pid in _members(Path(folder))}


def _members(cgroup: Path) -> list[int]:
    """Nobody where it ended while we looked."""
    try:
        return [int(line) for line in (cgroup / "cgroup.procs").read_text().split()]
    except OSError:
        return []


def remove_cgroup() -> None:
    for root in _hierarchies():
        folders = [folder for folder in (root / CGROUP).glob("**/") if folder.is_dir()]
        for folder in sorted(folders, key=lambda each: len(each.parts), reverse=True):
            _quietly(folder.rmdir)


def unmount_under(*folders: Path) -> None:
    """Deepest first; what is busy is detached."""
    points = [
        line.split()[1].encode().decode("unicode_escape") for line in Path("/proc/self/mounts").read_text().splitlines()
    ]
    for point in sorted(points, key=len, reverse=True):
        if any(Path(point).is_relative_to(folder) for folder in folders):
            succeeds("umount", "--lazy", point)


def run(*command: str, stdin: str | None = None) -> str:
    environment = {"PATH": search_path()}
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise NodeImpossibleError((f"`{' '.join(command)}` failed: {done.stderr.strip()[-500:]}",))
    return done.stdout


def succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False, env={"PATH": search_path()}).returncode == 0


def _quietly(action: Callable[[], None]) -> None:
    try:
        action()
    except OSError:
        return
