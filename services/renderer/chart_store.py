"""Downloaded chart archives on disk, each under the SHA-256 of its bytes, and what each was called.

Whatever is read is verified again, so a damaged file is only fetched anew. Bounded: the longest unused go first.
Blocking; callers use it on an executor.
"""

import hashlib
import os
import tempfile
from pathlib import Path


def name_key(*parts: str) -> str:
    """One key of several names; who may see an archive is one of them."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


class ChartStore:
    """`capacity` in bytes."""

    def __init__(self, folder: Path, capacity: int) -> None:
        self.folder = folder
        self.capacity = capacity

    def find(self, key: str) -> bytes | None:
        """The archive that was last kept under a name."""
        try:
            digest = self._name(key).read_text()
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        return self.read(digest)

    def read(self, digest: str) -> bytes | None:
        path = self._archive(digest)
        try:
            data = path.read_bytes()
        except (FileNotFoundError, ValueError):
            return None
        if hashlib.sha256(data).hexdigest() != digest:
            path.unlink(missing_ok=True)
            return None
        os.utime(path)
        return data

    def keep(self, key: str, data: bytes) -> str:
        """Store an archive under its digest and remember its name; gives the digest."""
        digest = hashlib.sha256(data).hexdigest()
        if not self._archive(digest).exists():
            self._write(self._archive(digest), data)
            self._shrink()
        self._write(self._name(key), digest.encode())
        return digest

    def _archive(self, digest: str) -> Path:
        return self.folder / f"{digest[:64]}.tgz"

    def _name(self, key: str) -> Path:
        return self.folder / "names" / key

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, partial = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            Path(partial).replace(path)
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise

    def _shrink(self) -> None:
        """The newest archive stays even when it alone is too large; names of what is gone lead nowhere."""
        held = sorted(
            ((path.stat().st_mtime, path.stat().st_size, path) for path in self.folder.glob("*.tgz")), key=_age
        )
        total = sum(size for _, size, _ in held)
        for _, size, path in held[:-1]:
            if total <= self.capacity:
                return
            path.unlink(missing_ok=True)
            total -= size


def _age(item: tuple[float, int, Path]) -> float:
    return item[0]
