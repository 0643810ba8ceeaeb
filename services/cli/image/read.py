"""`image list`, `explain`, `test`."""

from services.cli.image import view
from services.cli.options import Output, Where
from services.cli.output import emit, emit_data, note, table
from services.cli.session import open_bus
from shared.events.updater import ExplainImage, Explanation, ListImages, TryImage

PATIENCE = 120.0


async def show_list(where: Where, application: str) -> None:
    async with open_bus(where) as bus:
        found = await bus.request(ListImages(application=application))
    emit(where.output, found.model_dump(mode="json")["images"], view.HEADER, view.rows(found.images))


async def explain(where: Where, application: str, image: str, *, everything: bool) -> None:
    async with open_bus(where) as bus:
        found = await bus.request(ExplainImage(application=application, alias=image), timeout=PATIENCE)
    _show(where, found, everything=everything)
    if found.status is not None and where.output is Output.TABLE:
        live, state = view.short(found.status.live) or "nothing", found.status.state
        note(f"{found.status.application} runs {live}: {state}. {found.status.message}")


async def try_policy(where: Where, question: TryImage, *, everything: bool) -> None:
    async with open_bus(where) as bus:
        found = await bus.request(question, timeout=PATIENCE)
    _show(where, found, everything=everything)


def _show(where: Where, found: Explanation, *, everything: bool) -> None:
    if where.output is not Output.TABLE:
        emit_data(where.output, found.model_dump(mode="json"))
        return
    print(view.summary(found))
    table(("TAG", "RANK", "WHY"), view.verdicts(found, everything=everything))
    if more := view.left_out(found, everything=everything):
        note(f"and {more} more tags; --all lists them")
