"""Lists of workers in a browser: the empty list, and verdicts behind an address that proves itself. GET and HEAD only."""

from http import HTTPStatus
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import StoreAway, Unavailable
from bot.handlers.private_pages import secured, token_of

_HEADERS: Final = secured("default-src 'none'; frame-ancestors 'none'")
_TYPES: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


class Desk(Protocol):
    """Where the files come from; `bot.services.batches.papers.Papers`."""

    def blank(self, language: str, form: str) -> bytes | None:
        """The empty list; None where there is none."""
        ...

    async def open(self, token: str, form: str) -> bytes | None:
        """The verdicts behind ``token``; None when it opens none.

        Raises:
            Unavailable: the ledger does not answer.
        """
        ...


def batch_routes(desk: Desk) -> list[Route]:
    """``GET /batches/list-<language>.<form>`` and ``GET /batches/<token>.<form>``."""

    async def blank(request: Request) -> Response:
        form = request.path_params["form"]
        return _file(desk.blank(request.path_params["language"], form), form, "iqamati-list")

    async def verdicts(request: Request) -> Response:
        form = request.path_params["form"]
        try:
            found = await desk.open(token_of(request), form)
        except (Unavailable, StoreAway):
            return Response(
                status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=_HEADERS | {"retry-after": "10"}
            )
        return _file(found, form, "iqamati-verdicts")

    return [
        Route("/batches/list-{language}.{form}", blank, methods=["GET"]),
        Route("/batches/{token}.{form}", verdicts, methods=["GET"]),
    ]


def _file(content: bytes | None, form: str, name: str) -> Response:
    if content is None:
        return Response(status_code=HTTPStatus.NOT_FOUND, headers=_HEADERS)
    # A file to be saved, not a page: what stands in it must not stay in a browser's tab.
    named = {"content-disposition": f'attachment; filename="{name}.{form}"'}
    return Response(content, media_type=_TYPES[form], headers=_HEADERS | named)
