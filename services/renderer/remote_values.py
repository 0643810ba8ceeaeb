"""Value files and file parameters that a source names by URL, fetched without credentials and bounded.

What they hold is not part of what a render is remembered by, as in Argo CD: a hard refresh reads them again.
"""

from dataclasses import replace

import aiohttp

from services.renderer.charts import oci_failures
from services.renderer.failures import Reason, RenderFailure
from services.renderer.helm import HelmJob
from services.renderer.values import Place
from shared.oci.download import get, succeeded
from shared.oci.errors import NotFound


async def with_remote_values(job: HelmJob, client: aiohttp.ClientSession, limit: int) -> HelmJob:
    """The job with every URL replaced by what is there."""
    values = [await _content(each, client, limit) for each in job.values]
    files = [(name, await _content(each, client, limit)) for name, each in job.set_files]
    return replace(job, values=tuple(values), set_files=tuple(files))


async def _content(given: bytes | Place, client: aiohttp.ClientSession, limit: int) -> bytes:
    if isinstance(given, bytes):
        return given
    with oci_failures():
        try:
            return succeeded(await get(client, given.path, limit=limit), "a value file").body
        except NotFound as error:
            raise RenderFailure(Reason.VALUE_FILE_NOT_FOUND, f"{error}: check the URL in valueFiles") from error
