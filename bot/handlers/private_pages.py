"""What all pages share that belong to one person: whose language, whose form, how long, and that nobody keeps or frames them."""

from typing import Final

from starlette.requests import Request

from bot.i18n.catalog import LANGUAGES

HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
    "cache-control": "no-store",
}


def secured(policy: str) -> dict[str, str]:
    """`HEADERS` with a content security policy."""
    return {**HEADERS, "content-security-policy": policy}


def language_of(request: Request, own: str = "") -> str:
    """The language that is asked for with ``?lang=``, else the reader's ``own``, else the first one."""
    asked = request.query_params.get("lang", "")
    return next((each for each in (asked, own) if each in LANGUAGES), LANGUAGES[0])


def token_of(request: Request) -> str:
    """The one in the path."""
    found: str = request.path_params["token"]
    return found


def own_form(request: Request) -> bool:
    """Whether it is a form of our own pages: not another site's, nor what a script sends.

    Browsers say where a request comes from (Fetch Metadata, https://www.w3.org/TR/fetch-metadata/); one that does not is let
    through, as it cannot be told from a person's.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    site = request.headers.get("sec-fetch-site", "same-origin")
    return kind == "application/x-www-form-urlencoded" and site == "same-origin"


async def body_of(request: Request, limit: int) -> bytes:
    """What was sent.

    Raises:
        ValueError: more than ``limit`` bytes; the rest is not read.
    """
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > limit:
            raise ValueError("too long")
    return bytes(found)
