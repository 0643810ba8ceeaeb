"""`proj list`, `get`, and the lists of roles, windows and policies, printed."""

from collections.abc import Sequence

from services.cli.errors import CliError, Exit
from services.cli.options import Output, Where
from services.cli.output import emit, emit_data, table
from services.cli.project import store, view
from services.cli.project.change import Obj, Path, listed
from services.cli.session import open_cluster

POLICIES: Path = ("sourceIntegrity", "git", "policies")


async def show_list(where: Where) -> None:
    async with open_cluster(where) as session:
        found = await store.list_(session)
    emit(where.output, found, view.LIST_HEADER, [view.list_row(project) for project in found])


async def show(where: Where, name: str) -> None:
    project = await _get(where, name)
    _show(where, project, view.get_rows(project))


async def show_roles(where: Where, name: str) -> None:
    roles = listed((await _get(where, name)).get("spec") or {}, ("roles",))
    emit(where.output, roles, view.ROLE_HEADER, [view.role_row(role) for role in roles])


async def show_role(where: Where, name: str, role: str) -> None:
    roles = listed((await _get(where, name)).get("spec") or {}, ("roles",))
    found = next((one for one in roles if one.get("name") == role), None)
    if found is None:
        raise CliError(f"project {name} has no role {role}", code=Exit.NOT_FOUND)
    _show(where, found, view.role_rows(found))


async def show_windows(where: Where, name: str) -> None:
    windows = listed((await _get(where, name)).get("spec") or {}, ("syncWindows",))
    emit(where.output, windows, view.WINDOW_HEADER, [view.window_row(at, one) for at, one in enumerate(windows)])


async def show_policies(where: Where, name: str) -> None:
    policies = listed((await _get(where, name)).get("spec") or {}, POLICIES)
    emit(where.output, policies, view.POLICY_HEADER, [view.policy_row(at, one) for at, one in enumerate(policies)])


async def _get(where: Where, name: str) -> Obj:
    async with open_cluster(where) as session:
        return await store.get(session, name)


def _show(where: Where, data: Obj, rows: Sequence[tuple[str, str]]) -> None:
    if where.output is not Output.TABLE:
        emit_data(where.output, data)
        return
    table((), [(f"{label}:", value) for label, value in rows])
