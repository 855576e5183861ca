"""A resident's copy of their data in a browser: one file behind an address that proves itself. GET and HEAD only."""

from http import HTTPStatus
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import StoreAway, Unavailable
from bot.handlers.private_pages import secured, token_of

_HEADERS: Final = secured("default-src 'none'; frame-ancestors 'none'")


class Desk(Protocol):
    """Where the files come from; `bot.services.privacy.Exports`."""

    async def open(self, token: str) -> bytes | None:
        """The file behind ``token``; None when it opens none.

        Raises:
            Unavailable: the ledger does not answer.
            StoreAway: the store does not answer.
        """
        ...


def my_data_routes(desk: Desk) -> list[Route]:
    """``GET /mydata/<token>.json``."""

    async def file(request: Request) -> Response:
        try:
            found = await desk.open(token_of(request))
        except (Unavailable, StoreAway):
            return Response(
                status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers=_HEADERS | {"retry-after": "10"}
            )
        if found is None:
            return Response(status_code=HTTPStatus.NOT_FOUND, headers=_HEADERS)
        # A file to be saved, not a page: what stands in it must not stay in a browser's tab.
        named = {"content-disposition": 'attachment; filename="iqamati-my-data.json"'}
        return Response(found, media_type="application/json; charset=utf-8", headers=_HEADERS | named)

    return [Route("/mydata/{token}.json", file, methods=["GET"])]
