"""Our Go programs, built once and kept.

In comes a folder of Go sources (or a published package and its version) and a name; out goes the path of a binary.
The binary lives outside the checkout, under the digest of its sources, the build's settings and the Go version, so
the same sources are compiled once per machine and a checkout can be deleted freely. A file lock makes concurrent
callers wait for one build.

`$TIPHYS_BIN` names a folder of ready binaries (the container image has one): what is found there is used as it is
and Go is not needed. This module never runs what it built and never writes into the source folder.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

Report = Callable[[str], None]

REPORT_EVERY_SECONDS = 5.0
UNUSED_AFTER_SECONDS = 30 * 24 * 3600.0
NO_VARIABLES: Mapping[str, str] = MappingProxyType({})
HINTS = (
    (
        "no space left on device",
        "the disk is full: free some space (a first build wants about 3 GB for Go's own cache)",
    ),
    (
        "signal: killed",
        "the compiler was killed, most likely for lack of memory: close other programs or set GOFLAGS=-p=1",
    ),
    ("requires go >=", "install the Go version that is asked for, or set GOTOOLCHAIN=auto"),
    ("dial tcp", "Go could not reach its module proxy: check the network and `go env GOPROXY`"),
    ("i/o timeout", "Go could not reach its module proxy: check the network and `go env GOPROXY`"),
)


class BuildError(Exception):
    """A Go program could not be built; the message says what to do."""


class GoMissing(BuildError):
    """There is no `go` on the PATH and no ready binary either."""


def cache_root() -> Path:
    """Where everything that is built or fetched once per machine is kept."""
    if chosen := os.environ.get("TIPHYS_CACHE"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "tiphys"


def ensure_go_binary(source: Path, name: str, *, report: Report, variables: Mapping[str, str] = NO_VARIABLES) -> Path:
    """The binary of the main package in `source`; `variables` are Go string variables set when linking (`-X`)."""
    if ready := ready_binary(name):
        return ready
    identity = [_go_version(), *(f"{key}={value}" for key, value in sorted(variables.items())), *_file_digests(source)]
    flags = ["-trimpath", "-buildvcs=false", f"-ldflags={_ldflags(variables)}"]

    def build(target: Path) -> None:
        report(f"{name}: finding what must be compiled (modules are downloaded the first time)")
        total = _count_stale(source, flags)
        _go(["build", "-v", *flags, "-o", str(target), "."], name, source, report, total=total)

    return _cached(name, identity, build, report)


def ensure_go_install(package: str, version: str, *, report: Report) -> Path:
    """The binary of a published Go program, as `go install package@version` makes it."""
    name = package.rpartition("/")[2]
    if ready := ready_binary(name):
        return ready

    def build(target: Path) -> None:
        report(f"{name}: fetching and compiling {package}@{version}")
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            arguments = ["install", "-v", "-trimpath", "-ldflags=-s -w", f"{package}@{version}"]
            _go(arguments, name, Path(folder), report, environment={"GOBIN": folder})
            (Path(folder) / name).rename(target)

    return _cached(name, [_go_version(), package, version], build, report)


def ready_binary(name: str) -> Path | None:
    """A binary that somebody else put ready, in `$TIPHYS_BIN`."""
    folder = os.environ.get("TIPHYS_BIN")
    candidate = Path(folder).expanduser() / name if folder else None
    return candidate if candidate and os.access(candidate, os.X_OK) else None


def _cached(name: str, identity: Iterable[str], build: Callable[[Path], None], report: Report) -> Path:
    digest = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:16]
    target = cache_root() / "bin" / f"{name}-{digest}"
    if not target.exists():
        with _locked(target.parent, name, report):
            if not target.exists():
                _build_into(target, name, build, report)
    os.utime(target)
    return target


def _build_into(target: Path, name: str, build: Callable[[Path], None], report: Report) -> None:
    started = time.monotonic()
    partial = target.with_name(f".{target.name}.partial")
    try:
        build(partial)
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    _forget_unused(target, name)
    size = target.stat().st_size / 1e6
    report(f"{name}: built in {time.monotonic() - started:.0f} s ({size:.0f} MB, kept in {target.parent})")


def _forget_unused(newest: Path, name: str) -> None:
    limit = newest.stat().st_mtime - UNUSED_AFTER_SECONDS
    for other in newest.parent.glob(f"{name}-{'[0-9a-f]' * 16}"):
        if other.stat().st_mtime < limit:
            other.unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path, name: str, report: Report) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / f".{name}.lock").open("w")
    except OSError as error:
        raise BuildError(
            f"{folder} can't be written ({error.strerror}): set TIPHYS_CACHE to a folder that can"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(f"{name}: another process is building it, waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _go(
    arguments: list[str],
    name: str,
    folder: Path,
    report: Report,
    *,
    environment: Mapping[str, str] = NO_VARIABLES,
    total: int = 0,
) -> None:
    lines: list[str] = []
    progress = _Progress(name, total, report)
    with _running(arguments, folder, environment) as process:
        assert process.stderr is not None
        for line in process.stderr:
            progress.saw(line) if _is_package(line) else lines.append(line.rstrip())
    if process.returncode != 0:
        raise BuildError(_explain(name, lines))


class _Progress:
    """Turns the stream of compiled package names into a line every few seconds."""

    def __init__(self, name: str, total: int, report: Report) -> None:
        self.name, self.total, self.report = name, total, report
        self.seen, self.started = 0, time.monotonic()
        self.reported = self.started

    def saw(self, _line: str) -> None:
        self.seen += 1
        now = time.monotonic()
        if now - self.reported >= REPORT_EVERY_SECONDS:
            self.reported = now
            share = f"{self.seen} of {self.total}" if self.total else f"{self.seen}"
            self.report(f"{self.name}: compiled {share} packages ({now - self.started:.0f} s)")


@contextmanager
def _running(arguments: list[str], folder: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [_go_command(), *arguments],
        cwd=folder,
        env={**_environment(), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def _is_package(line: str) -> bool:
    return re.fullmatch(r"[\w.~-]+(/[\w.~-]+)*\n?", line) is not None


def _explain(name: str, lines: list[str]) -> str:
    output = "\n".join(lines[-15:])
    hint = next((hint for sign, hint in HINTS if sign in output), "the compiler's words are below")
    return f"{name} could not be built: {hint}\n{output}"


def _count_stale(source: Path, flags: list[str]) -> int:
    """How many packages Go will compile; 0 when it can't say, and then the build itself says why."""
    command = [_go_command(), "list", "-deps", *flags, "-f", "{{if .Stale}}x{{end}}", "."]
    found = subprocess.run(command, cwd=source, env=_environment(), capture_output=True, text=True, check=False)
    return found.stdout.count("x")


def _go_version() -> str:
    command = [_go_command(), "env", "GOVERSION", "GOOS", "GOARCH"]
    found = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
    if found.returncode != 0:
        raise BuildError(f"`go env` failed, so nothing can be built: {found.stderr.strip()[-500:]}")
    return " ".join(found.stdout.split())


def _go_command() -> str:
    if command := shutil.which("go"):
        return command
    raise GoMissing(
        "there is no `go` on the PATH: install Go 1.26 or newer (https://go.dev/dl), "
        "or set TIPHYS_BIN to a folder of ready binaries"
    )


def _environment() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0"}


def _ldflags(variables: Mapping[str, str]) -> str:
    return " ".join(["-s -w", *(f"-X {key}={value}" for key, value in sorted(variables.items()))])


def _file_digests(source: Path) -> list[str]:
    """One line per file, hidden ones left out: names count as much as contents."""
    files = sorted(path for path in source.rglob("*") if path.is_file())
    named = [(path.relative_to(source), path) for path in files]
    kept = [(name, path) for name, path in named if not any(part.startswith(".") for part in name.parts)]
    if not kept:
        raise BuildError(f"{source} holds no Go sources: is the checkout complete?")
    return [f"{name.as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}" for name, path in kept]
