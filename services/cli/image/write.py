"""`image check`, `update`, `hold`, `resume`."""

import getpass

from services.cli.errors import Exit
from services.cli.image import view
from services.cli.options import Output, Where
from services.cli.output import emit, emit_data
from services.cli.session import open_bus
from shared.events.updater import CheckImages, HoldImage, ImageStatus, ResumeImage

PATIENCE = 120.0
FAILED, TO_DO = "failed", "outdated"


async def check(where: Where, application: str, image: str, *, write: bool) -> Exit:
    async with open_bus(where) as bus:
        question = CheckImages(application=application, alias=image, write=write)
        found = await bus.request(question, timeout=PATIENCE)
    emit(where.output, found.model_dump(mode="json")["images"], view.HEADER, view.rows(found.images))
    bad = (FAILED,) if write else (FAILED, TO_DO)
    return Exit.FAILED if any(one.state in bad for one in found.images) else Exit.OK


async def hold(where: Where, application: str, image: str) -> None:
    async with open_bus(where) as bus:
        found = await bus.request(HoldImage(application=application, alias=image, by=getpass.getuser()))
    _say(where, found, f"{found.alias} of {found.application} is held at {view.short(found.live) or 'what runs'}")


async def resume(where: Where, application: str, image: str) -> None:
    async with open_bus(where) as bus:
        found = await bus.request(ResumeImage(application=application, alias=image, by=getpass.getuser()))
    _say(where, found, f"{found.alias} of {found.application} is updated again")


def _say(where: Where, found: ImageStatus, text: str) -> None:
    if where.output is Output.TABLE:
        print(text)
    else:
        emit_data(where.output, found.model_dump(mode="json"))
