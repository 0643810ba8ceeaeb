"""The real node: containerd, kubelet and kube-proxy, so that containers run and Services route.

Pure functions make the parts' files and arguments; `prepare` and `sweep` touch the machine, through
services.stack.cluster.machine. A node has no cluster DNS; pods reach Services by address and the world through the
machine's resolver.
"""

import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from services.stack.cluster import machine
from services.stack.cluster.binaries import SOURCE, Binaries
from services.stack.cluster.errors import NodeImpossibleError
from services.stack.cluster.images import Image, archive
from services.stack.cluster.layout import POD_RANGE, Layout
from shared.engines.build import Report, ensure_go_binary

PARTS = ("containerd", "kubelet", "kube-proxy")
NAME = "tiphys"
PAUSE, BUSYBOX = "tiphys.local/pause:1", "tiphys.local/busybox:1"
SOCKET = machine.STATE / "containerd.sock"
LONGEST_SOCKET = 107
_GONE_SECONDS = 10.0
_CNI_RESULTS = Path("/var/lib/cni/results")
_SHIM, _SHIM_SOCKETS = "containerd-shim", Path("/run/containerd/s")


def prepare(layout: Layout) -> None:
    """Everything before the first part starts: what a crash left goes; bridge, cgroup and configuration come."""
    check_length(layout)
    machine.own(layout.directory)
    sweep(layout)
    machine.own(layout.directory)
    machine.make_network()
    machine.make_cgroup()
    node = layout.node
    for folder in ("cni", "ipam", "containerd", "kubelet", "logs", "volume-plugins"):
        (node / folder).mkdir(parents=True, exist_ok=True)
    (node / "cni" / "10-tiphys.conflist").write_text(json.dumps(_network(node), indent=2))
    (node / "containerd.toml").write_text(_containerd(node))
    (node / "kubelet.json").write_text(json.dumps(_kubelet(layout), indent=2))


def check_length(layout: Layout) -> None:
    """The kernel refuses longer paths of sockets (unix(7)), and the kubelet then ends without saying why."""
    longest = layout.node / "kubelet" / "pod-resources" / "kubelet.sock"
    over = len(os.fsencode(longest)) - LONGEST_SOCKET
    if over > 0:
        raise NodeImpossibleError((f"the kubelet's sockets need a folder that is {over} bytes shorter: {layout.node}",))


def programs(linked: Binaries, report: Report) -> Binaries:
    """The control plane's programs and the machine's own."""
    machine.ensure_able(report)
    containerd = Path(shutil.which("containerd", path=machine.search_path()) or "containerd")
    pause = ensure_go_binary(SOURCE / "pause", "tiphys-pause", report=report)
    return Binaries({**linked.programs, "containerd": containerd, "pause": pause})


def sweep(layout: Layout) -> None:
    """What containers leave behind when they aren't asked to go: processes, mounts, cgroups, rules, sockets."""
    if not machine.owned_by(layout.directory):
        return
    _kill_all()
    machine.unmount_under(machine.STATE, layout.node)
    machine.remove_cgroup()
    machine.remove_network()
    shutil.rmtree(layout.node / "ipam", ignore_errors=True)
    shutil.rmtree(machine.STATE, ignore_errors=True)
    for remembered in _CNI_RESULTS.glob("tiphys-*"):
        remembered.unlink(missing_ok=True)


def import_images(report: Report, pause: Path) -> None:
    busybox = Path(shutil.which("busybox", path=machine.search_path()) or "/bin/busybox")
    applets = subprocess.run([str(busybox), "--list"], capture_output=True, text=True, check=True).stdout.split()
    links = {f"bin/{applet}": "busybox" for applet in applets if applet != "busybox"}
    for image in (
        Image(PAUSE, {"pause": pause}, ("/pause",)),
        Image(BUSYBOX, {"bin/busybox": busybox}, ("/bin/sh",), links),
    ):
        load(archive(image, platform.machine()))
        report(f"the node has the image {image.name}")


def load(image_archive: bytes) -> None:
    """Gives the node an image as `docker save` writes it."""
    command = ["ctr", "--address", str(SOCKET), "--namespace", "k8s.io", "image", "import", "-"]
    done = subprocess.run(command, input=image_archive, capture_output=True, check=False)
    if done.returncode != 0:
        raise NodeImpossibleError((f"an image could not be imported: {done.stderr.decode(errors='replace')[-500:]}",))


def arguments(part: str, layout: Layout) -> list[str]:
    match part:
        case "containerd":
            return [f"--config={layout.node / 'containerd.toml'}"]
        case "kubelet":
            return [
                f"--config={layout.node / 'kubelet.json'}",
                f"--kubeconfig={layout.kubeconfig_of('kubelet')}",
                f"--root-dir={layout.node / 'kubelet'}",
                f"--hostname-override={NAME}",
                f"--node-ip={machine.BRIDGE_ADDRESS}",
            ]
    return [
        f"--kubeconfig={layout.kubeconfig_of('kube-proxy')}",
        f"--hostname-override={NAME}",
        "--proxy-mode=iptables",
        f"--cluster-cidr={POD_RANGE}",
        "--healthz-bind-address=",
        "--metrics-bind-address=",
        "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
    ]


def works(part: str) -> bool:
    if part == "containerd":
        return machine.succeeds("ctr", "--address", str(SOCKET), "--timeout", "1s", "version")
    return machine.succeeds("iptables", "-w", "-t", "nat", "-C", "PREROUTING", *_SERVICES_RULE)


_SERVICES_RULE = ("-m", "comment", "--comment", "kubernetes service portals", "-j", "KUBE-SERVICES")


def _network(node: Path) -> dict[str, object]:
    subnet = {"type": "host-local", "subnet": machine.POD_SUBNET, "dataDir": str(node / "ipam")}
    bridge = {
        "type": "bridge",
        "bridge": machine.BRIDGE,
        "isGateway": True,
        "hairpinMode": True,
        "ipam": {**subnet, "routes": [{"dst": "0.0.0.0/0"}]},
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True}
    return {"cniVersion": "0.4.0", "name": "tiphys", "plugins": [bridge, ports]}


def _containerd(node: Path) -> str:
    cri = '[plugins."io.containerd.grpc.v1.cri"'
    return f"""version = 2
root = "{node / "containerd"}"
state = "{machine.STATE / "containerd"}"
[grpc]
  address = "{SOCKET}"
[ttrpc]
  address = "{SOCKET}.ttrpc"
{cri}]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = {str(machine.lacks_resource_rights()).lower()}
  disable_apparmor = {str(not Path("/sys/module/apparmor").exists()).lower()}
  netns_mounts_under_state_dir = true
{cri}.cni]
  bin_dir = "{machine.CNI_PLUGINS}"
  conf_dir = "{node / "cni"}"
{cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
{cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
"""


def _kubelet(layout: Layout) -> dict[str, object]:
    pki, node = layout.pki, layout.node
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": machine.BRIDGE_ADDRESS,
        "port": machine.KUBELET_PORT,
        "healthzPort": 0,
        "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": str(pki / "ca.crt")}},
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(pki / "kubelet.key"),
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{machine.CGROUP}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "featureGates": {"KubeletInUserNamespace": machine.lacks_resource_rights()},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {"nodefs.available": "1%", "memory.available": "50Mi"},
        "podLogsDir": str(node / "logs"),
        "volumePluginDir": str(node / "volume-plugins"),
        "staticPodPath": "",
        "makeIPTablesUtilChains": False,
        "nodeStatusUpdateFrequency": "5s",
    }


def _kill_all() -> None:
    """Containers by our cgroup, their shims by our socket; nobody else's."""
    sockets = {socket for pid in _shims() for socket in _shim_sockets(pid)}
    limit = time.monotonic() + _GONE_SECONDS
    while (alive := machine.processes_in_cgroup() | _shims()) and time.monotonic() < limit:
        for pid in alive:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    for socket in sockets:
        socket.unlink(missing_ok=True)


def _shim_sockets(pid: int) -> list[Path]:
    """A shim that is killed leaves its socket, named by a digest of what it serves."""
    words = _words(Path(f"/proc/{pid}"))
    if not {"-namespace", "-id"} <= set(words):
        return []
    namespace, name = (words[words.index(flag) + 1] for flag in ("-namespace", "-id"))
    return [_SHIM_SOCKETS / hashlib.sha256(f"{SOCKET}/{namespace}/{name}".encode()).hexdigest()]


def _shims() -> set[int]:
    return {int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _is_our_shim(folder)}


def _is_our_shim(process: Path) -> bool:
    words = _words(process)
    return _SHIM in words[0] and str(SOCKET) in words


def _words(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return [""]
