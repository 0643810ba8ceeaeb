"""Container images made on the spot from a few files, so that a node runs containers without any registry.

The archive has the shape that `docker save` writes and every runtime imports. Files are dated 1970, so the same
content is the same image.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Image:
    """`files` are programs by their path in the image, `links` symbolic links to them."""

    name: str
    files: Mapping[str, Path]
    command: Sequence[str]
    links: Mapping[str, str] = field(default_factory=dict)


def archive(image: Image, machine: str) -> bytes:
    layer = _layer(image)
    config = {
        "architecture": _MACHINES.get(machine, machine),
        "os": "linux",
        "config": {"Cmd": list(image.command), "Env": ["PATH=/bin:/usr/bin:/sbin:/usr/sbin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created_by": "tiphys"}],
    }
    encoded = json.dumps(config).encode()
    digest = hashlib.sha256(encoded).hexdigest()
    manifest = [{"Config": f"{digest}.json", "RepoTags": [image.name], "Layers": ["layer.tar"]}]
    return _tar(
        [
            _file(f"{digest}.json", encoded),
            _file("layer.tar", layer),
            _file("manifest.json", json.dumps(manifest).encode()),
        ]
    )


def _layer(image: Image) -> bytes:
    folders = sorted(
        {parent.as_posix() for name in (*image.files, *image.links) for parent in Path(name).parents} - {"."}
    )
    return _tar(
        [
            *(_folder(name) for name in (*folders, *(each for each in ("etc", "tmp") if each not in folders))),
            *(_file(name, path.read_bytes(), mode=0o755) for name, path in image.files.items()),
            *(_link(name, target) for name, target in image.links.items()),
        ]
    )


_Entry = tuple[tarfile.TarInfo, bytes]


def _tar(entries: Sequence[_Entry]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for info, data in entries:
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _file(name: str, data: bytes, mode: int = 0o644) -> _Entry:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode
    return info, data


def _folder(name: str) -> _Entry:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
    return info, b""


def _link(name: str, target: str) -> _Entry:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = tarfile.SYMTYPE, target, 0o777
    return info, b""
