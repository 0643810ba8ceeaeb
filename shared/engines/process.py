"""One worker process and the conversation with it, blocking: each call runs on one of the pool's threads.

In: an operation, its arguments, a `FileAccess`. Out: the result, or a typed error. It knows nothing of deadlines:
whoever called kills the process, and the conversation then ends by itself.
"""

import struct
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from shared.engines.errors import EngineCrashed, EngineError, EngineOutputTooLarge, EngineUnavailable
from shared.engines.files import FileAccess

BIG_INTEGERS = 1
CRASH_WORDS = 4096
HEAD = struct.Struct(">I")


def _extension(code: int, data: memoryview) -> Any:
    return int(bytes(data)) if code == BIG_INTEGERS else bytes(data)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ext_hook=_extension)


class Worker:
    """A running worker. `used` counts its calls."""

    def __init__(self, binary: Path, arguments: Sequence[str], max_reply: int) -> None:
        self.used = 0
        self._killed = False
        self._max_reply = max_reply
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the worker)
        try:
            self._process = _started([str(binary), *arguments], self._words.fileno())
        except OSError as error:
            self._words.close()
            raise EngineUnavailable(binary.name, error.strerror or str(error)) from error

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return not self._killed and self._process.poll() is None

    def kill(self) -> None:
        """End it at once; a conversation that is going on ends with `EngineCrashed`."""
        self._killed = True
        self._process.kill()

    def close(self) -> None:
        """Kill it, wait for it, give back its pipes."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            _close(stream)
        self._words.close()

    def call(self, op: str, args: Any, cpu_seconds: int, files: FileAccess | None) -> Any:
        """One request and its reply; questions for files are answered in between."""
        self.used += 1
        request = _request(op, args, cpu_seconds)
        try:
            self._write(request)
            return self._reply(op, files)
        except msgspec.DecodeError as error:
            self.kill()
            raise EngineCrashed(op, "its reply can't be read") from error
        except (BrokenPipeError, EOFError) as error:
            self._process.wait()
            raise EngineCrashed(op, self._last_words()) from error

    def _reply(self, op: str, files: FileAccess | None) -> Any:
        problem: Exception | None = None
        while True:
            match self._receive():
                case ["ask", str(kind), list(paths)]:
                    answers, problem = _answers(kind, paths, files, problem)
                    self._write(_encoder.encode(answers))
                case _ if problem is not None:
                    raise problem
                case ["done", result]:
                    return result
                case ["fail", "OutputTooLarge", str(message), _]:
                    raise EngineOutputTooLarge(f"{op}: {message}: split it or ask for less")
                case ["fail", str(reason), str(message), details]:
                    raise EngineError(reason, message, details)
                case other:
                    raise EngineCrashed(op, f"an unknown reply: {str(other)[:100]}")

    def _write(self, data: bytes) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(HEAD.pack(len(data)))
        stdin.write(data)
        stdin.flush()

    def _receive(self) -> Any:
        (size,) = HEAD.unpack(self._exactly(HEAD.size))
        if size > self._max_reply:
            self.kill()
            raise EOFError
        return _decoder.decode(self._exactly(size))

    def _exactly(self, size: int) -> bytes:
        stdout = self._process.stdout
        assert stdout is not None
        data = stdout.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def _last_words(self) -> str:
        """What Go says first is what happened; the stacks of its threads follow."""
        self._words.seek(0)
        return self._words.read(CRASH_WORDS).decode(errors="replace") or f"exit status {self._process.returncode}"


def _started(command: list[str], words: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=words,
        env={},
        cwd="/",
        start_new_session=True,
    )


def _request(op: str, args: Any, cpu_seconds: int) -> bytes:
    try:
        return _encoder.encode([op, args, cpu_seconds])
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise EngineError("BadArguments", f"{op} can't be given these arguments: {error}") from error


Answers = list[Any]


def _answers(
    kind: str, paths: Sequence[str], files: FileAccess | None, problem: Exception | None
) -> tuple[Answers, Exception | None]:
    """An answer for each path; none at all once the caller's files have failed, so that the worker gives up."""
    if problem is not None or files is None:
        return ([] if problem else [None] * len(paths)), problem
    answer: Callable[[str], Any] = files.read if kind == "read" else lambda path: _entries(files, path)
    try:
        return [answer(path) for path in paths], None
    except Exception as error:  # noqa: BLE001 (the caller's own: raised to the caller)
        return [], error


def _entries(files: FileAccess, path: str) -> list[tuple[str, bool]] | None:
    found = files.list(path)
    return None if found is None else [(entry.name, entry.is_dir) for entry in found]


def _close(stream: Any) -> None:
    try:
        stream.close()
    except BrokenPipeError:
        return  # what was still to be written has no reader any more
