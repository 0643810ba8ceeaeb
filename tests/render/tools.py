"""Small makers for these tests: commits in bare mirrors, packaged charts, plain objects."""

import gzip
import io
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.git.mirror import mirror_path
from shared.kinds.secrets import normalise_url

Content = str | bytes | None


class Link(str):
    """A symlink's target, as a file's content."""

    __slots__ = ()


@dataclass
class Mirror:
    """A bare repository where the renderer looks for the mirror of `url`."""

    folder: Path
    url: str
    tip: str = ""

    @property
    def path(self) -> Path:
        return mirror_path(self.folder, normalise_url(self.url))

    def commit(self, files: Mapping[str, Content]) -> str:
        """One more commit with these files written (None: deleted); gives its SHA."""
        if not self.path.exists():
            subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(self.path)], check=True)
        lines = [b"commit refs/heads/main\ncommitter T <t@example.org> 1700000000 +0000\ndata 1\nc\n"]
        if self.tip:
            lines.append(f"from {self.tip}\n".encode())
        lines += [_change(path, content) for path, content in files.items()]
        command = ["git", "-C", str(self.path), "fast-import", "--quiet", "--force"]
        subprocess.run(command, input=b"".join(lines) + b"\n", check=True, capture_output=True)
        shown = subprocess.run(["git", "-C", str(self.path), "rev-parse", "main"], check=True, capture_output=True)
        self.tip = shown.stdout.decode().strip()
        return self.tip


def _change(path: str, content: Content) -> bytes:
    if content is None:
        return f"D {path}\n".encode()
    mode = "120000" if isinstance(content, Link) else "100644"
    data = content if isinstance(content, bytes) else content.encode()
    return f"M {mode} inline {path}\ndata {len(data)}\n".encode() + data + b"\n"


def config_map(name: str, **data: str) -> str:
    """One small object as YAML."""
    lines = "".join(f"  {key}: {value!r}\n" for key, value in data.items())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n" + (f"data:\n{lines}" if data else "")


def packed(files: Mapping[str, Content]) -> bytes:
    """A gzipped tar."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for path, content in files.items():
            assert content is not None
            info = tarfile.TarInfo(path)
            data = content if isinstance(content, bytes) else content.encode()
            if isinstance(content, Link):
                info.type, info.linkname, data = tarfile.SYMTYPE, str(content), b""
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(target.getvalue(), mtime=0)


def chart(name: str, files: Mapping[str, Content] | None = None, *, version: str = "1.0.0") -> dict[str, Content]:
    """A chart's files below a folder with its name; `files` are added or replace what every chart has."""
    own: dict[str, Content] = {
        "Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: {version}\n",
        "values.yaml": "text: default\n",
        "templates/config.yaml": TEMPLATE,
    }
    return {f"{name}/{path}": content for path, content in {**own, **(files or {})}.items()}


TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-config
  namespace: {{ .Release.Namespace }}
data:
  text: {{ .Values.text | quote }}
"""
