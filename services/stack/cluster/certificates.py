"""The cluster's identities: three authorities (Kubernetes, etcd, the front proxy), their certificates, and
kubeconfigs.

Made once per cluster folder and kept, so that a kubeconfig stays good over `down` and `up`. Keys are ECDSA P-256,
files are readable by their owner only, and nothing here is ever printed.
"""

import base64
import ipaddress
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.stack.cluster.layout import SERVICE_ADDRESS, Layout, write_private
from shared.clock import now

_LIFETIME = timedelta(days=3650)
_CLOCKS_MAY_DIFFER = timedelta(hours=1)


@dataclass(frozen=True)
class Identity:
    """One certificate: who signs it, whom it names, and where it may be served."""

    file: str
    authority: str
    name: str
    group: str = ""
    hosts: tuple[str, ...] = ()


def identities(address: str, node: str) -> tuple[Identity, ...]:
    services = tuple(f"kubernetes{suffix}" for suffix in ("", ".default", ".default.svc", ".default.svc.cluster.local"))
    serving = (*services, "localhost", "127.0.0.1", "::1", SERVICE_ADDRESS, address)
    return (
        Identity("etcd-server", "etcd-ca", "etcd", hosts=("localhost", "127.0.0.1")),
        Identity("etcd-client", "etcd-ca", "kube-apiserver"),
        Identity("kube-apiserver", "ca", "kube-apiserver", hosts=serving),
        Identity("kubelet-client", "ca", "kube-apiserver-kubelet-client", "system:masters"),
        Identity("front-proxy-client", "front-proxy-ca", "front-proxy-client"),
        Identity("admin", "ca", "admin", "system:masters"),
        Identity("kube-controller-manager", "ca", "system:kube-controller-manager"),
        Identity("kube-scheduler", "ca", "system:kube-scheduler"),
        Identity("kube-proxy", "ca", "system:kube-proxy"),
        Identity("kubelet", "ca", f"system:node:{node}", "system:nodes", hosts=(node, address, "127.0.0.1")),
    )


def ensure(layout: Layout, address: str, node: str) -> None:
    """Every key and certificate of the cluster; `done` is written last, so a start that was cut short begins anew."""
    done = layout.pki / "done"
    if done.exists() and done.read_text() == address:
        return
    for authority in ("ca", "etcd-ca", "front-proxy-ca"):
        _write_authority(layout.pki, authority)
    for identity in identities(address, node):
        _write_identity(layout.pki, identity)
    _write_key(layout.pki / "service-accounts.key", ec.generate_private_key(ec.SECP256R1()))
    done.write_text(address)


def write_kubeconfigs(layout: Layout, server: str) -> None:
    for user in ("kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet"):
        write_private(layout.kubeconfig_of(user), _kubeconfig(layout.pki, user, server))
    write_private(layout.kubeconfig, _kubeconfig(layout.pki, "admin", server))


def _kubeconfig(pki: Path, user: str, server: str) -> str:
    """JSON is YAML, and needs no care with quoting."""
    cluster = {"server": server, "certificate-authority-data": _base64(pki / "ca.crt")}
    keys = {"client-certificate-data": _base64(pki / f"{user}.crt"), "client-key-data": _base64(pki / f"{user}.key")}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tiphys", "cluster": cluster}],
        "users": [{"name": user, "user": keys}],
        "contexts": [{"name": "tiphys", "context": {"cluster": "tiphys", "user": user}}],
        "current-context": "tiphys",
    }
    return json.dumps(document, indent=2) + "\n"


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _write_authority(pki: Path, name: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject(f"tiphys-{name}")
    builder = _certificate(subject, subject, key.public_key()).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    builder = builder.add_extension(_usage(authority=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    _write_pair(pki, name, key, builder.sign(key, hashes.SHA256()))


def _write_identity(pki: Path, identity: Identity) -> None:
    issuer = x509.load_pem_x509_certificate((pki / f"{identity.authority}.crt").read_bytes())
    signer = serialization.load_pem_private_key((pki / f"{identity.authority}.key").read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH] + ([ExtendedKeyUsageOID.SERVER_AUTH] if identity.hosts else [])
    builder = (
        _certificate(_subject(identity.name, identity.group), issuer.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if identity.hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(_names(identity.hosts)), critical=False)
    _write_pair(pki, identity.file, key, builder.sign(signer, hashes.SHA256()))


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    start = now() - _CLOCKS_MAY_DIFFER
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(start + _LIFETIME)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _subject(name: str, group: str = "") -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)] if group else []
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _names(hosts: tuple[str, ...]) -> list[x509.GeneralName]:
    return [_name(host) for host in dict.fromkeys(hosts)]


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write_pair(pki: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    _write_key(pki / f"{name}.key", key)
    write_private(pki / f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM).decode())


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    write_private(path, text.decode())
