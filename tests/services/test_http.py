"""The shared HTTP helper: what is sent again, when the breaker opens, which addresses are taken."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
import pytest_asyncio

from bot.errors import ConfigError, Malformed, Unavailable
from bot.services.http import Breaker, Http, decoded, make_client
from bot.services.seldom import Seldom
from bot.wire import Answer
from tests.sandbox.kit import FakeClock

LIMIT, REST = 3, 10.0


class Scripted(httpx.AsyncBaseTransport):
    """A network that does what a list says, then answers 200."""

    def __init__(self) -> None:
        self.script: list[Exception | int] = []
        self.sent = 0
        self.gate: asyncio.Event | None = None
        self.arrived = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        del request
        self.sent += 1
        if self.gate is not None:
            self.arrived.set()
            await self.gate.wait()
        step = self.script.pop(0) if self.script else 200
        if isinstance(step, Exception):
            raise step
        return httpx.Response(
            step, content=b"{}", headers={"Content-Type": "Application/JSON; charset=utf-8"}
        )


@pytest.fixture
def network() -> Scripted:
    return Scripted()


@pytest_asyncio.fixture
async def http(network: Scripted, clock: FakeClock) -> AsyncIterator[Http]:
    async with Seldom("http://peer/prefix", transport=network) as client:
        yield Http("peer", client, Breaker(clock, LIMIT, REST), timeout=5.0)


async def ask(http: Http, *, repeatable: bool = False) -> Answer:
    return await http.ask("POST", "v1/do", content=b"{}", repeatable=repeatable)


async def fail(http: Http, network: Scripted) -> None:
    network.script = [500]
    with pytest.raises(Unavailable, match="answered 500"):
        await ask(http)


async def resting(http: Http, network: Scripted) -> bool:
    """Whether a call is refused without being sent."""
    before = network.sent
    with contextlib.suppress(Unavailable):
        await ask(http)
    return network.sent == before


def test_json_nested_without_end_is_malformed() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    with pytest.raises(Malformed, match="shape"):
        decoded("peer", Answer(200, deep, "application/json"), msgspec.json.Decoder(object))


async def test_an_answer_is_returned(http: Http) -> None:
    assert await ask(http) == Answer(200, b"{}", "application/json")


@pytest.mark.parametrize(
    "step", [500, 503, httpx.ReadError(""), httpx.ReadTimeout(""), httpx.RemoteProtocolError("")]
)
async def test_what_may_have_been_done_is_sent_again_only_if_repeatable(
    http: Http, network: Scripted, step: Exception | int
) -> None:
    network.script = [step]
    with pytest.raises(Unavailable):
        await ask(http)
    assert network.sent == 1
    network.script = [step, step]
    assert (await ask(http, repeatable=True)).status == 200
    assert network.sent == 4


@pytest.mark.parametrize("step", [httpx.ConnectError(""), httpx.ConnectTimeout(""), httpx.PoolTimeout("")])
async def test_what_never_left_is_sent_again(http: Http, network: Scripted, step: Exception) -> None:
    network.script = [step, step]
    assert (await ask(http)).status == 200
    network.script = [step] * 3
    with pytest.raises(Unavailable, match="no connection"):
        await ask(http)
    assert network.sent == 6


@pytest.mark.parametrize("status", [400, 404, 409, 429])
async def test_refusals_are_answers_and_are_not_sent_again(
    http: Http, network: Scripted, status: int
) -> None:
    network.script = [status]
    assert (await ask(http, repeatable=True)).status == status
    assert network.sent == 1


async def test_nobody_listening_is_unavailable(clock: FakeClock) -> None:
    async with make_client("http://127.0.0.1:9") as client:
        with pytest.raises(Unavailable, match="no connection"):
            await ask(Http("peer", client, Breaker(clock), timeout=5.0))


async def test_time_is_bounded_over_all_attempts(network: Scripted, clock: FakeClock) -> None:
    network.gate = asyncio.Event()
    async with Seldom("http://peer", transport=network) as client:
        with pytest.raises(Unavailable, match="timeout"):
            await ask(Http("peer", client, Breaker(clock), timeout=0.05), repeatable=True)
    assert network.sent == 1


# --- the breaker ---------------------------------------------------------------------------------


async def test_it_opens_after_failures_in_a_row_only(http: Http, network: Scripted) -> None:
    for _ in range(2):
        for _ in range(LIMIT - 1):
            await fail(http, network)
        assert not await resting(http, network)
    for _ in range(LIMIT):
        await fail(http, network)
    with pytest.raises(Unavailable, match="resting"):
        await ask(http)
    assert await resting(http, network)


async def test_refusals_and_nonsense_do_not_open_it(http: Http, network: Scripted) -> None:
    for _ in range(LIMIT - 1):
        await fail(http, network)
    network.script = [302]
    with pytest.raises(Malformed):
        await ask(http)
    for _ in range(LIMIT - 1):
        await fail(http, network)
    network.script = [429]
    assert (await ask(http)).status == 429
    await fail(http, network)
    assert not await resting(http, network)


async def test_after_a_rest_one_call_tries_and_success_closes_it(
    http: Http, network: Scripted, clock: FakeClock
) -> None:
    for _ in range(LIMIT):
        await fail(http, network)
    clock.at += REST - 1
    assert await resting(http, network)
    clock.at += 1
    assert not await resting(http, network)
    for _ in range(LIMIT - 1):
        await fail(http, network)
    assert not await resting(http, network)


async def test_a_failed_trial_means_another_rest(http: Http, network: Scripted, clock: FakeClock) -> None:
    for _ in range(LIMIT):
        await fail(http, network)
    clock.at += REST
    await fail(http, network)
    assert await resting(http, network)
    clock.at += REST
    assert not await resting(http, network)


async def test_one_trial_at_a_time_and_a_cancelled_one_makes_room(
    http: Http, network: Scripted, clock: FakeClock
) -> None:
    for _ in range(LIMIT):
        await fail(http, network)
    clock.at += REST
    network.gate = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        trial = group.create_task(ask(http))
        await network.arrived.wait()
        assert await resting(http, network)
        trial.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await trial
        network.gate.set()
        assert not await resting(http, network)


async def test_a_cancelled_call_has_learnt_nothing(http: Http, network: Scripted) -> None:
    for _ in range(LIMIT - 1):
        await fail(http, network)
    network.gate = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        given_up = group.create_task(ask(http))
        await network.arrived.wait()
        given_up.cancel()
    network.gate.set()
    await fail(http, network)
    assert await resting(http, network)


# --- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["", "registry.example", "ftp://registry.example", "http://"])
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="http"):
        make_client(address)


async def test_a_path_prefix_is_kept_and_loopback_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    for address, proxied in (
        ("http://127.0.0.1:8081/registry", False),
        ("http://localhost:8081/registry/", False),
        ("http://registry.example/registry", True),
    ):
        async with make_client(address) as client:
            opened = client.opened()
            assert opened.build_request("GET", "v1/health").url.path == "/registry/v1/health"
            assert bool(opened._mounts) is proxied
