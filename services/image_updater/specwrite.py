"""Method `argocd`: patches the Application, and reads it again whenever somebody else was faster."""

from services.image_updater.changing import Change
from services.image_updater.parts import Parts
from services.image_updater.refusals import Refused
from services.image_updater.specpatch import patch_of
from services.image_updater.view import AppView
from shared.kube import ApiError, Conflict, Invalid, NotFound, verbs

ATTEMPTS = 8
MANAGER = "argocd-image-updater"


async def write_to_spec(the: Parts, view: AppView, change: Change) -> bool:
    """False: the Application says so already. Raises Refused."""
    for _ in range(ATTEMPTS):
        try:
            app = await verbs.get(the.cluster, the.applications, *view.key)
            position = int(change.place.path)
            patch = patch_of(app, position, change.place.source_type, change.image, change.new)
            if patch is None:
                return False
            await verbs.patch(
                the.cluster, the.applications, *view.key, patch, content_type=verbs.JSON_PATCH, manager=MANAGER
            )
        except (Conflict, Invalid) as error:
            last: ApiError = error
            continue
        except NotFound as error:
            raise Refused("ApplicationGone", f"{view.key} was deleted meanwhile") from error
        except (KeyError, IndexError) as error:
            raise Refused("InvalidApplication", "its sources changed meanwhile: tried again", retriable=True) from error
        except ApiError as error:
            why = f"the Application can't be changed: {error.message}"
            raise Refused("ApplicationNotWritten", why, retriable=error.retriable) from error
        return True
    raise Refused("ApplicationBusy", f"the Application changes all the time: {last.message}", retriable=True)
