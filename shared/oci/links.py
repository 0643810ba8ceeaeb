"""Where a list goes on: the `Link` header, read as RFC 8288 writes it. Pure."""

import re

from yarl import URL

from shared.oci.errors import Malformed

LONGEST = 16 * 1024
_LINK = re.compile(r"[\s,]*<([^<>]*)>((?:\s*;\s*[^\s;,=\"]+(?:\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]*))?)*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]*))", re.IGNORECASE)


def next_page(header: str, url: URL) -> URL | None:
    """The address of the next page, relative ones resolved; None when this was the last.

    Raises `Malformed` where it leads to another origin: nobody else has more of this registry's tags.
    """
    for target, parameters in _LINK.findall(header[:LONGEST]):
        relations = _REL.search(parameters)
        if relations and "next" in (relations[1] or relations[2] or "").lower().split():
            return _resolved(target, url)
    return None


def _resolved(target: str, url: URL) -> URL:
    try:
        found = url.join(URL(target, encoded=True))
        same = found.origin() == url.origin()
    except ValueError as error:
        raise Malformed(f"{url.host} continues its tags at no address") from error
    if not same:
        raise Malformed(f"{url.host} continues its tags on another host")
    return found
