"""A whole service, and residents who use all of it: what the scan looks at.

The service runs as ``iqamati run`` composes it, with the sandbox outside it; residents use every service on three
channels, and during and after every act all of Redis is looked at. The figures of a scan::

    python -m tests.privacy.life
"""

import asyncio
import io
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import structlog
from pydantic import SecretStr
from sqlalchemy import text
from starlette.types import ASGIApp, Receive, Scope, Send

from bot import logs
from bot.bootstrap import opened, redis_url
from bot.config import Settings
from bot.embedded import only_one
from bot.outside import sandbox
from bot.process import Service
from bot.sandbox.cast import DEMO
from bot.sandbox.cast_bodies import GRANTS
from bot.sandbox.cast_bodies import STAFF as STAFF_OF
from bot.sandbox.cast_families import ROLES
from bot.sandbox.people import Person, by_index
from bot.serve import bind, serving
from bot.services.ledger import default_url, open_engine
from bot.store.connect import connect
from bot.tasks import Tasks
from tests.e2e.command import free_port
from tests.privacy.residents import (
    PATIENCE,
    TELEGRAM_USER,
    Talk,
    telegram,
    terminal,
    web,
)
from tests.privacy.scan import ARABIC, Scan
from tests.telegram import bot_api

FORM = {"content-type": "application/x-www-form-urlencoded"}
NAMES = ("Fatima", "omar.96550001234", "96550001234", str(TELEGRAM_USER))
RESIDENT, CLEAN, _, MANY, SINGLE, _, DOWN, TWO, BUSY = (one.person for one in DEMO[:9])


def strangers(count: int) -> list[Person]:
    """People of the population beside the cast."""
    found = (by_index(days * 10_000 + 1234 + days % 50) for days in range(64_000, 70_000, 7))
    return [person for person in found if person is not None][:count]


FAMILY = [role.person for role in ROLES if role.place.head == RESIDENT]
USER = next(one.person for one in DEMO if one.person.index in GRANTS)
STAFF = [role.person for role in STAFF_OF[GRANTS[USER.index][0].number]]
PEOPLE = [*(one.person for one in DEMO), *FAMILY, *STAFF, *strangers(14)]
NEEDLES = sorted(
    {number for person in PEOPLE for number in (person.civil_id, person.reference, person.passport)}
    | set(NAMES)
)


class Recorder:
    """Writes down every address that is asked for."""

    def __init__(self, app: ASGIApp, addresses: list[str]) -> None:
        self._app = app
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            query = scope["query_string"].decode("latin-1")
            self._addresses.append(f"{scope['raw_path'].decode('latin-1')}?{query}")
            if b"referer" in headers:
                self._addresses.append(headers[b"referer"].decode("latin-1"))
        await self._app(scope, receive, send)


class World:
    """A running service, and everything that can be looked at."""

    def __init__(self, service: Service, api: bot_api.BotApi, redis: Any, folder: Path) -> None:
        self.service = service
        self.api = api
        self.redis = redis
        self.folder = folder
        self.scan = Scan(NEEDLES)
        self.addresses: list[str] = []
        self.errors = io.StringIO()

    async def snap(self) -> None:
        """Look at all of Redis as it stands."""
        await self.scan.redis(self.redis)

    async def references(self) -> list[str]:
        """Of all orders."""
        engine = open_engine(default_url(self.folder))
        async with engine.connect() as connection:
            found = await connection.execute(text("SELECT ref FROM orders"))
            refs = [str(ref) for ref in found.scalars()]
        await engine.dispose()
        return refs

    async def end(self) -> dict[str, int]:
        """Look at the rest; the figures."""
        await self.snap()
        engine = open_engine(default_url(self.folder))
        self.columns = await self.scan.sql(engine)
        async with engine.connect() as connection:
            found = await connection.execute(text("SELECT count(*) FROM reminders"))
            self.reminders = int(found.scalar_one())
        await engine.dispose()
        for line in self.errors.getvalue().splitlines():
            self.scan.look("log lines", "log", line)
        for address in self.addresses:
            self.scan.look("addresses", "address", address)
        ours = [
            path for path in self.folder.rglob("*") if "sandbox" not in path.relative_to(self.folder).parts
        ]
        self.scan.files(ours)
        return self.scan.figures


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """The service with a recorder before each of its servers, its log kept from debug up."""
    addresses: list[str] = []
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(bot_api.serve())
        settings = Settings(
            _env_file=None,
            data_dir=folder,
            port=free_port(),
            sandbox_port=free_port(),
            log_level="debug",
            telegram_token=SecretStr(bot_api.TOKEN),
            telegram_api_base=api.base,
        )
        assert stack.enter_context(only_one(folder))
        errors = stack.enter_context(logged(settings.log_level))
        tasks = Tasks()
        listener = stack.enter_context(bind(settings.host, settings.port, "PORT"))
        outside = stack.enter_context(bind("127.0.0.1", settings.sandbox_port, "SANDBOX_PORT"))
        app = await stack.enter_async_context(sandbox(settings))
        await stack.enter_async_context(serving(Recorder(app, addresses), outside))
        redis_at = stack.enter_context(redis_url(settings))
        service = await stack.enter_async_context(opened(settings, redis_at, tasks))
        await stack.enter_async_context(serving(Recorder(service.app(), addresses), listener))
        stack.callback(service.log.hang_up)
        service.sweep()
        redis = await connect(redis_at)
        stack.push_async_callback(redis.aclose)
        made = World(service, api, redis, folder)
        made.addresses, made.errors = addresses, errors
        yield made


class logged:  # noqa: N801 - used as a function
    """The log as an operator has it, kept instead of printed."""

    def __init__(self, level: str) -> None:
        self._level = level

    def __enter__(self) -> io.StringIO:
        self._handlers, self._root = list(logging.root.handlers), logging.root.level
        logging.root.handlers.clear()
        kept, real, sys.stderr = io.StringIO(), sys.stderr, io.StringIO()
        sys.stderr = kept
        logs.set_up(self._level)
        sys.stderr = real
        return kept

    def __exit__(self, *_error: object) -> None:
        structlog.reset_defaults()
        logging.root.handlers[:] = self._handlers
        logging.root.setLevel(self._root)


# --- what residents do ---------------------------------------------------------------------------


class Resident:
    """A talk, looked at after every act; a browser beside it."""

    def __init__(self, talk: Talk, here: World, browser: httpx.AsyncClient) -> None:
        self._talk = talk
        self._here = here
        self.browser = browser

    async def says(self, words: str, pattern: str) -> str:
        await self._talk.says(words)
        return await self._then(pattern)

    async def presses(self, label: str, pattern: str) -> str:
        await self._talk.presses(label)
        return await self._then(pattern)

    async def _then(self, pattern: str) -> str:
        await self._here.snap()  # while it is being worked on
        said = await self._talk.reads(pattern)
        await self._here.snap()
        return said

    def url(self, part: str) -> str:
        found = self._talk.url(part)
        self._here.addresses.append(found)
        return found

    async def pays(self, button: str, knob: str = "") -> None:
        link = self.url("/p/")
        assert (await self.browser.get(link)).status_code == 200
        onward = await self.browser.post(link, headers=FORM)
        assert onward.status_code == 303
        back = await self.browser.post(onward.headers["location"], data={"button": button, "knob": knob})
        if "location" in back.headers:
            await self.browser.get(back.headers["location"])
        await self._here.snap()


async def owes_and_pays(him: Resident, written: str, button: str = "approved") -> None:
    """Look-up, payment, receipt."""
    await him.says(written, r"violation")
    await him.presses("Pay", r"IQ-[0-9A-Z]{4}-[0-9A-Z]{4}|opens the payment page")
    await him.pays(button)


async def finds_reference(him: Resident, person: Person) -> None:
    await him.says("/menu", "Which service")
    await him.presses("My MOI reference", "civil ID")
    await him.says(person.civil_id.translate(ARABIC), "passport")
    await him.says(person.passport, "expire")
    await him.says(person.expiry.strftime("%d/%m/%Y"), "reference number")


async def looks_up_by_reference(him: Resident, person: Person) -> None:
    await him.says("/violations", "Which violations")
    await him.presses("All of them", "by which number")
    await him.presses("MOI reference", "MOI reference")
    await him.says(
        f" {person.reference[:4]} {person.reference[4:]}", r"violation|Nothing|nothing|Which of the two"
    )


async def signs_in(him: Resident, person: Person) -> None:
    await him.says("/menu", "Which service")
    await him.presses("More", "What else")
    await him.presses("Sign in", "who you are")
    link = him.url("/signin/")
    assert (await him.browser.get(link)).status_code == 200
    onward = await him.browser.post(link, headers=FORM)
    provider = onward.headers["location"]
    assert (await him.browser.get(provider)).status_code == 200
    back = await him.browser.post(provider, data={"civil_id": person.civil_id})
    shown = await him.browser.get(back.headers["location"])
    page = await him.browser.get(shown.headers["location"])
    code = re.search(
        r"\b(\d{3})\D{0,3}(\d{3})\b", re.sub(r"<[^>]+>", " ", page.text[page.text.index("digits") :])
    )
    assert code is not None, page.text
    await him.says("000000", "not the code")
    await him.says(f"{code[1]}{code[2]}", "signed in|Which service")


async def keeps_data(him: Resident, person: Person) -> None:
    await him.says("/mydata", "What is kept")
    await him.presses("Remember a number", "Shall I remember")
    await him.presses("I agree", "civil ID to remember")
    await him.says(person.civil_id, "From now on I remember")
    await him.says("/mydata", "What is kept")
    await him.presses("A copy of my data", "everything that is kept")
    file = await him.browser.get(him.url("/mydata/"))
    assert person.civil_id in json.dumps(file.json()), "the resident's own copy is not masked"
    assert (await him.browser.get(f"{him.url('/mydata/')[:-9]}.json")).status_code == 404


async def is_reminded(her: Resident) -> None:
    """Of the dates of everyone on the file, one of which is taken back."""
    await her.says("/reminders", "reminded of nothing")
    await her.presses("Add", "Whose dates")
    await her.says("1 2 3", "Whose dates")
    await her.presses("Go on", "Which dates")
    await her.says("1 2", "Which dates")
    await her.presses("Go on", "Shall I write")
    await her.presses("I agree", "Done")
    await her.says("/reminders", "before these end")
    await her.presses("Take one back", "Which one")
    await her.says("1", "Taken back")


async def sends_a_list(her: Resident, folder: Path) -> None:
    """Of a company's workers: verdicts, a price, the order for all who can be renewed."""
    path = folder / "sandbox" / "list.csv"  # where the outside world keeps its things
    path.write_text("\n".join(person.civil_id for person in STAFF), "utf-8")
    await her.says("/company", "Send the worker")
    await her.says(STAFF[0].civil_id, "For how long|Before the renewal")
    await her.says("/company", "Send the worker")
    await her.presses("A list as a file", "Send the list")
    await her.says(f"!file {path}", "are checked")
    verdicts = await her.browser.get(her.url("/batches/"))
    assert verdicts.status_code == 200
    await her.presses("Choose the duration", "fines of their own")
    await her.presses("With their fines", "For how long")
    await her.says("1", "By going on you agree")
    await her.presses("I agree", "This price holds")
    await her.presses("Pay", r"IQ-[0-9A-Z]{4}-[0-9A-Z]{4}|who you are")


async def meets_trouble(him: Resident) -> None:
    """Everything that goes wrong writes to the log."""
    await him.says(DOWN.civil_id, "records do not answer|I will try again")
    await him.says("/menu", "Which service")
    await him.says(BUSY.civil_id, "Too many|records do not answer|try again")
    await him.says("/menu", "Which service")
    await him.says("285011500028", "civil ID|reference")
    await him.says(
        f"https://moi.gov.kw.example/pay?civil={RESIDENT.civil_id}&p={RESIDENT.passport}", "moi.gov.kw"
    )
    await him.says("x" * 1200, "too long")
    await him.says("/violations", "Which violations")
    await him.says(
        f"my passport is {CLEAN.passport} and I am {CLEAN.civil_id}", "violation|Nothing|nothing|owed"
    )


async def knocks(here: World, browser: httpx.AsyncClient) -> None:
    """Strangers and broken servers: every address with somebody's number in the body, none of it ours."""
    said = json.dumps({"civil_id": RESIDENT.civil_id, "passport": RESIDENT.passport, "name": "Fatima"})
    for path in ("/payments/sandbox/notify", "/payments/knet/notify", "/payments/tap/notify"):
        for body in (said, said * 3, "{", ""):
            await browser.post(path, content=body, headers={"content-type": "application/json"})
    for path in (
        "/p/nobody",
        "/p/nobody/return",
        "/receipts/x.pdf",
        "/r/x",
        "/signin/x",
        "/signin/back?state=x",
    ):
        await browser.get(path)
    for path in ("/mydata/x.json", "/verify/000x", "/nothing", "/chat/events?after=x"):
        await browser.head(path)
    await browser.post("/chat/send", content=said)
    await here.snap()


async def pays_strangely(him: Resident, person: Person) -> None:
    """The gateway takes another amount than asked for: a person must look."""
    await him.says("/menu", "Which service")
    await him.says(person.civil_id, "violation")
    await him.presses("Pay", r"IQ-[0-9A-Z]{4}-[0-9A-Z]{4}")
    await him.pays("approved", "amount")


async def operates(here: World) -> None:
    """An operator's morning; everything printed counts as log."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "DATA_DIR": str(here.folder),
        "PORT": str(here.service.settings.port),
        "SANDBOX_PORT": str(here.service.settings.sandbox_port),
    }
    orders = await here.references()
    commands = [("orders", "--json"), ("review",), ("keys", "status")]
    commands += [("orders", ref, "--history") for ref in (orders[0], orders[-1])]
    for command in commands:
        ended = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "bot", *command],
            check=False,
            capture_output=True,
            cwd=here.folder,
            env=environment,
        )
        assert ended.returncode in {0, 2}, ended.stderr
        for line in (ended.stdout + ended.stderr).splitlines():
            here.scan.look("operators' lines", " ".join(command), line)


async def asks_too_often(him: Resident) -> None:
    """Until a picture is asked for."""
    for person in strangers(14):
        said = await him.says(person.civil_id, "violation|othing|digits|limit|picture|page|records|civil ID")
        if "erification" in said or "picture" in said:
            break
    else:
        raise AssertionError("no picture was asked for")
    link = him.url("/verify/")
    page = await him.browser.get(link)
    assert page.status_code == 200
    picture = re.search(r'src="([^"]+\.png)"', page.text)
    assert picture is not None
    assert (await him.browser.get(picture[1])).status_code == 200
    for wrong in ("000000", RESIDENT.civil_id):
        await him.browser.post(link, data={"digits": wrong, "answer": wrong, "number": "0"})


async def whole_life(here: World) -> None:
    """Three residents, one after the other."""
    base = here.service.settings.base_url
    async with httpx.AsyncClient(base_url=base, timeout=PATIENCE) as browser:
        async with web(here.service) as talk:
            him = Resident(talk, here, browser)
            await him.says("hello", "Hello")
            await owes_and_pays(him, "do I have fines 2850-1150-0029")
            await him.says("/receipts", "receipt")
            await him.says("1", "Paid")
            assert (await browser.get(him.url("/receipts/"))).status_code == 200
            await finds_reference(him, TWO)
            await looks_up_by_reference(him, RESIDENT)
            await signs_in(him, MANY)
            await keeps_data(him, SINGLE)
            await meets_trouble(him)
            await him.says("/signout", "signed out")
            await asks_too_often(him)
            await him.says("/forget", "Delete everything")
            await him.presses("Delete it all", "Deleted|may be paid|Not everything")
        async with terminal(here.service) as talk:
            her = Resident(talk, here, browser)
            await her.says("/language en", "in English")
            await owes_and_pays(her, MANY.civil_id.translate(ARABIC), "funds")
            await finds_reference(her, MANY)
            await signs_in(her, RESIDENT)
            await is_reminded(her)
            await her.says("/mydata", "What is kept")
            await her.says("/signout", "signed out")
            await signs_in(her, USER)
            await sends_a_list(her, here.folder)
        async with telegram(here.service, here.api) as talk:
            them = Resident(talk, here, browser)
            await them.says("/start", "Hello")
            await owes_and_pays(them, SINGLE.civil_id)
            await finds_reference(them, CLEAN)
            await keeps_data(them, CLEAN)
            await pays_strangely(them, TWO)
            here.api.blocked.add(TELEGRAM_USER)
            await talk.says("/menu")
        await knocks(here, browser)
    await operates(here)
    here.addresses += [f"/bot/{method}" for method, _ in here.api.calls]


async def look(folder: Path) -> tuple[World, dict[str, int]]:
    """Let them live in a service in ``folder``; the figures of what was looked at."""
    async with world(folder) as here:
        await whole_life(here)
        return here, await here.end()


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="scan") as folder:
        here, figures = asyncio.run(look(Path(folder)))
    sys.stdout.write(json.dumps({**figures, "found": len(here.scan.found)}, indent=1) + "\n")


if __name__ == "__main__":
    main()
