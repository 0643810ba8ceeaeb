"""`command` makes a function a command: the shared options, examples in its help, its event loop, and its errors as
two lines.

The function gets a `Where` first and returns nothing or an `Exit`; it may be async. A parameter that is a dataclass of
annotated fields is filled from options by their names. A traceback is shown with
TIPHYS_DEBUG=1 only.
"""

import dataclasses
import functools
import inspect
import os
import sys
from collections.abc import Callable
from typing import Any

import typer

from services.cli.errors import CliError, Exit, explained
from services.cli.options import SHARED, Where, default_data


def command(
    group: typer.Typer, name: str, *, examples: tuple[str, ...]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        run = _bound(function)
        group.command(name, epilog=_epilog(examples), help=inspect.getdoc(function))(run)
        return function

    return register


def _epilog(examples: tuple[str, ...]) -> str:
    return "\b\nExamples:\n" + "\n".join(f"  {example}" for example in examples)


def _bound(function: Callable[..., Any]) -> Callable[..., None]:
    """The function with its options one by one: those that all commands have, and those of each dataclass it takes."""
    own = [p for name, p in inspect.signature(function).parameters.items() if name != "where"]
    bundles: dict[str, Any] = {p.name: p.annotation for p in own if dataclasses.is_dataclass(p.annotation)}
    bundled = [(one.name, one.type, one.default) for kind in bundles.values() for one in dataclasses.fields(kind)]
    shared = [(name, annotation, default) for name, (annotation, default) in SHARED.items()]

    @functools.wraps(function)
    def run(**values: Any) -> None:
        given = {name: values.pop(name) for name in SHARED}
        where = Where(**{**given, "data": given["data"] or default_data()})
        for name, kind in bundles.items():
            values[name] = kind(**{one.name: values.pop(one.name) for one in dataclasses.fields(kind)})
        sys.exit(guarded(lambda: function(where, **values)))

    single = [p for p in own if p.name not in bundles]
    run.__signature__ = inspect.Signature([*single, *map(_option, (*bundled, *shared))])  # type: ignore[attr-defined]
    return run


def _option(option: tuple[str, Any, Any]) -> inspect.Parameter:
    name, annotation, default = option
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def guarded(call: Callable[[], Any]) -> int:
    """Runs a command; its exit code. The one place where errors become words."""
    try:
        return int(_completed(call()) or Exit.OK)
    except (KeyboardInterrupt, BrokenPipeError):
        return 130
    except Exception as error:  # noqa: BLE001 - the last one to see it, and it is reported
        return _report(error)


def _completed(result: Any) -> Any:
    if not inspect.isawaitable(result):
        return result
    import asyncio
    import signal

    async def main() -> Any:
        """SIGTERM ends a command as Ctrl-C does: what it started is stopped."""
        task = asyncio.current_task()
        assert task
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            return await result
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None

    return asyncio.run(main())


def _report(error: Exception) -> int:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    known = explained(error)
    if os.environ.get("TIPHYS_DEBUG") == "1":
        raise error
    if known is None:
        known = CliError(
            f"{type(error).__name__}: {error}", hint="this is a fault of tiphys; TIPHYS_DEBUG=1 shows where"
        )
    print(f"tiphys: {known.message}", file=sys.stderr)
    if known.hint:
        print(f"        {known.hint}", file=sys.stderr)
    return int(known.code)
