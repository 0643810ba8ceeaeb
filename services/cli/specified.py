"""The options that say what an Application's spec is to be: `app create` and `app set` have the same ones.

`specified` gives a command that takes a `Change` these options instead.
"""

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

if TYPE_CHECKING:
    from services.cli.app.edit import Change


class Field(NamedTuple):
    """One option: its flag, where its value goes, what to say about it."""

    flag: str
    path: tuple[str, ...]
    help: str
    kind: type = str
    in_source: bool = False


AUTOMATED = ("syncPolicy", "automated")
FIELDS = (
    Field("--project", ("project",), "The project it belongs to."),
    Field("--dest-server", ("destination", "server"), "The URL of the cluster it goes to."),
    Field("--dest-name", ("destination", "name"), "The name of the cluster it goes to."),
    Field("--dest-namespace", ("destination", "namespace"), "The namespace it goes to."),
    Field("--auto-prune", (*AUTOMATED, "prune"), "Automated syncs delete what left git.", bool),
    Field("--self-heal", (*AUTOMATED, "selfHeal"), "Automated syncs undo foreign changes.", bool),
    Field("--allow-empty", (*AUTOMATED, "allowEmpty"), "Automated syncs may delete everything.", bool),
    Field(
        "--sync-retry-limit", ("syncPolicy", "retry", "limit"), "Retries of a failed sync; below 0: without end.", int
    ),
    Field("--revision-history-limit", ("revisionHistoryLimit",), "How many deployments are remembered.", int),
    Field("--repo", ("repoURL",), "The repository.", str, True),
    Field("--path", ("path",), "The folder in the repository.", str, True),
    Field("--helm-chart", ("chart",), "The chart of a chart repository.", str, True),
    Field("--revision", ("targetRevision",), "Branch, tag, commit, or version range.", str, True),
    Field("--release-name", ("helm", "releaseName"), "Helm's release name.", str, True),
    Field("--helm-values", ("helm", "values"), "Helm values, as YAML.", str, True),
    Field("--nameprefix", ("kustomize", "namePrefix"), "Kustomize's prefix of names.", str, True),
    Field("--namesuffix", ("kustomize", "nameSuffix"), "Kustomize's suffix of names.", str, True),
    Field("--kustomize-namespace", ("kustomize", "namespace"), "Kustomize's namespace.", str, True),
    Field("--directory-recurse", ("directory", "recurse"), "Read folders in the folder too.", bool, True),
)
LISTS = {
    "parameters": ("-p", "--parameter", "NAME=VALUE", "A Helm parameter."),
    "value_files": ("--values", "--values", "FILE", "A Helm values file of the repository."),
    "images": ("--kustomize-image", "--kustomize-image", "[OLD=]NEW:TAG", "A Kustomize image override."),
    "sync_options": ("--sync-option", "--sync-option", "NAME=VALUE", "A sync option; !NAME takes it away."),
}
POLICIES = {"none": False, "manual": False, "automated": True, "auto": True}


def specified(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give `function` the options above in place of its parameter `change`."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def with_options(*args: Any, **values: Any) -> Any:
        given = {name: values.pop(name) for name in OPTIONS}
        return function(*args, **values, change=change_of(given))

    with_options.__annotations__ = {name: kind for name, kind in function.__annotations__.items() if name != "change"}
    own = [parameter for name, parameter in signature.parameters.items() if name != "change"]
    with_options.__signature__ = inspect.Signature([*own, *OPTIONS.values()])  # type: ignore[attr-defined]
    return with_options


def _name(field: Field) -> str:
    return field.flag.removeprefix("--").replace("-", "_")


def _option(name: str, kind: Any, *flags: str, **said: Any) -> inspect.Parameter:
    flags = tuple(f"{flag}/--no-{flag.removeprefix('--')}" for flag in flags) if kind is bool else flags
    annotation = Annotated[kind | None, typer.Option(*flags, **said)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


OPTIONS = {
    **{_name(one): _option(_name(one), one.kind, one.flag, help=one.help) for one in FIELDS},
    **{
        name: _option(name, list[str], *dict.fromkeys(flags), metavar=word, help=said)
        for name, (*flags, word, said) in LISTS.items()
    },
    "sync_policy": _option("sync_policy", str, "--sync-policy", metavar="none|automated", help="Who starts a sync."),
    "source_position": _option("source_position", int, "--source-position", help="Which of several sources, from 1."),
}


def change_of(given: dict[str, Any]) -> "Change":
    from services.cli.app.edit import Change
    from services.cli.errors import CliError, Exit

    policy = given["sync_policy"]
    if policy is not None and policy not in POLICIES:
        raise CliError(f"--sync-policy is none or automated, not {policy!r}", code=Exit.USAGE)
    said = [one for one in FIELDS if given[_name(one)] is not None]
    values = {one.path: given[_name(one)] for one in said if not one.in_source}
    source = {one.path: given[_name(one)] for one in said if one.in_source}
    lists = {name: tuple(given[name] or ()) for name in LISTS}
    automated = POLICIES[policy] if policy is not None else None
    return Change(values, source, automated=automated, position=given["source_position"], **lists)
