"""Lists in a browser: saved and never shown, kept nowhere, and nothing for strangers."""

import httpx
import pytest
from starlette.applications import Starlette

from bot.errors import Unavailable
from bot.handlers.batches import batch_routes
from tests.batches.world import COMPANY, World, listed, staff

TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


def browser(desk: object) -> httpx.AsyncClient:
    app = Starlette(routes=batch_routes(desk))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://i.example")


def dressed(answer: httpx.Response) -> None:
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"


@pytest.mark.parametrize("form", ["xlsx", "csv"])
async def test_verdicts_are_saved_as_a_file(world: World, form: str) -> None:
    batch = await world.checked(listed(staff(COMPANY)))
    async with browser(world.papers) as reader:
        answer = await reader.get(batch.url.replace("xlsx", form))
        assert answer.status_code == 200
        assert answer.headers["content-type"] == TYPES[form]
        assert answer.headers["content-disposition"] == f'attachment; filename="iqamati-verdicts.{form}"'
        dressed(answer)
        head = await reader.head(batch.url)
        assert (head.status_code, head.content) == (200, b"")
        assert (await reader.post(batch.url)).status_code == 405
        world.clock.at = batch.until
        gone = await reader.get(batch.url)
        assert (gone.status_code, gone.content) == (404, b"")
        dressed(gone)


@pytest.mark.parametrize("form", ["xlsx", "csv"])
@pytest.mark.parametrize("language", ["ar", "en"])
async def test_the_empty_list(world: World, form: str, language: str) -> None:
    async with browser(world.papers) as reader:
        answer = await reader.get(f"/batches/list-{language}.{form}")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == f'attachment; filename="iqamati-list.{form}"'
        dressed(answer)


@pytest.mark.parametrize(
    "path",
    ["list-fr.xlsx", "list-ar.pdf", "list-.csv", "x.xlsx", "%00.csv", "a.b.c.csv", "%F0%9F%98%80.xlsx"],
)
async def test_nothing_else(world: World, path: str) -> None:
    async with browser(world.papers) as reader:
        answer = await reader.get(f"/batches/{path}")
        assert (answer.status_code, answer.content) == (404, b"")


async def test_a_ledger_that_does_not_answer() -> None:
    class Away:
        async def open(self, token: str, form: str) -> bytes | None:
            del token, form
            raise Unavailable("ledger", "made up")

    async with browser(Away()) as reader:
        answer = await reader.get("/batches/x.csv")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        dressed(answer)
