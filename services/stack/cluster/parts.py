"""The command line of each part: pure functions from the cluster's choices to arguments. Nothing is started here.

Tuned for one machine: few ports (the two that clients dial), no leader election, no audit, no client-side rate
limits worth the name, and etcd without fsync unless the cluster is to survive a power cut.
"""

from pathlib import Path

from services.stack.cluster.layout import SERVICE_RANGE, Choices, Layout

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
_ISSUER = "https://kubernetes.default.svc.cluster.local"
_CONCURRENT = {
    "deployment": 20,
    "replicaset": 20,
    "statefulset": 10,
    "job": 10,
    "namespace": 50,
    "gc": 20,
    "endpoint": 10,
    "service-endpoint": 10,
}


def arguments(part: str, layout: Layout, choices: Choices) -> list[str]:
    match part:
        case "etcd":
            return _etcd(layout, choices)
        case "kube-apiserver":
            return _api_server(layout, choices)
        case "kube-controller-manager":
            return _controller_manager(layout)
        case "kube-scheduler":
            return _scheduler(layout)
        case "kwok":
            return _kwok(layout)
    raise ValueError(f"{part} is no part of the control plane")


def _etcd(layout: Layout, choices: Choices) -> list[str]:
    """The peer address is never dialled (there is one member); port 0 keeps it out of everybody's way."""
    client, peer = f"https://127.0.0.1:{choices.etcd_port}", "https://127.0.0.1:0"
    files = [
        f"--{side}{flag}={layout.pki / file}"
        for side in ("", "peer-")
        for flag, file in (
            ("trusted-ca-file", "etcd-ca.crt"),
            ("cert-file", "etcd-server.crt"),
            ("key-file", "etcd-server.key"),
        )
    ]
    return [
        "--name=tiphys",
        f"--data-dir={layout.directory / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=tiphys={peer}",
        "--client-cert-auth",
        "--peer-client-cert-auth",
        *files,
        *([] if choices.durable else ["--unsafe-no-fsync"]),
        "--quota-backend-bytes=4294967296",
        "--log-level=warn",
    ]


def _api_server(layout: Layout, choices: Choices) -> list[str]:
    pki = layout.pki
    return [
        f"--etcd-servers=https://127.0.0.1:{choices.etcd_port}",
        f"--etcd-cafile={pki / 'etcd-ca.crt'}",
        *_pair(pki, "etcd-client", "etcd-certfile", "etcd-keyfile"),
        f"--bind-address={choices.address}",
        f"--advertise-address={choices.address}",
        f"--secure-port={choices.api_port}",
        *_endpoints(choices),
        *_pair(pki, "kube-apiserver", "tls-cert-file", "tls-private-key-file"),
        *_pair(pki, "kubelet-client", "kubelet-client-certificate", "kubelet-client-key"),
        f"--kubelet-certificate-authority={pki / 'ca.crt'}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--service-account-issuer={_ISSUER}",
        f"--service-account-key-file={pki / 'service-accounts.key'}",
        f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        *_front_proxy(pki),
        "--max-requests-inflight=800",
        "--max-mutating-requests-inflight=400",
        "--profiling=false",
    ]


def _endpoints(choices: Choices) -> list[str]:
    """Loopback may not be an endpoint: without a real node nobody needs the endpoints of `kubernetes.default`."""
    return [
        "--enable-aggregator-routing=true",
        *([] if choices.node == "real" else ["--endpoint-reconciler-type=none"]),
    ]


def _front_proxy(pki: Path) -> list[str]:
    return [
        f"--requestheader-client-ca-file={pki / 'front-proxy-ca.crt'}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        *_pair(pki, "front-proxy-client", "proxy-client-cert-file", "proxy-client-key-file"),
    ]


def _controller_manager(layout: Layout) -> list[str]:
    return [
        f"--kubeconfig={layout.kubeconfig_of('kube-controller-manager')}",
        f"--root-ca-file={layout.pki / 'ca.crt'}",
        f"--service-account-private-key-file={layout.pki / 'service-accounts.key'}",
        *_pair(layout.pki, "ca", "cluster-signing-cert-file", "cluster-signing-key-file"),
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--secure-port=0",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--horizontal-pod-autoscaler-sync-period=2s",  # before that time an autoscaler does nothing, new ones too
        *(f"--concurrent-{kind}-syncs={workers}" for kind, workers in _CONCURRENT.items()),
    ]


def _scheduler(layout: Layout) -> list[str]:
    kubeconfig = f"--kubeconfig={layout.kubeconfig_of('kube-scheduler')}"
    return [kubeconfig, "--leader-elect=false", "--secure-port=0", "--kube-api-qps=500", "--kube-api-burst=1000"]


def _kwok(layout: Layout) -> list[str]:
    return [
        f"--kubeconfig={layout.kubeconfig}",
        f"--config={Path(__file__).with_name('kwok.yaml')}",
        "--manage-all-nodes",
        "--node-lease-duration-seconds=40",
        "--cidr=10.244.0.0/16",
        "--node-ip=10.244.0.1",
        "--v=WARN",
    ]


def _pair(pki: Path, name: str, certificate_flag: str, key_flag: str) -> list[str]:
    return [f"--{certificate_flag}={pki / f'{name}.crt'}", f"--{key_flag}={pki / f'{name}.key'}"]
