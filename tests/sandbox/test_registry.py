"""The sandbox registry over HTTP: enquiries, recording, refusals, bad days."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.types import Message

from bot.errors import ConfigError
from bot.sandbox.cast import DEMO
from bot.sandbox.faults import HANG, Faults, wait
from bot.sandbox.recorded import Recorded
from bot.sandbox.registry import MAX_BODY, SETTLING, registry_app
from tests.sandbox.kit import BUSY, CLEAN, DOWN, JOURNEY_A, SINGLE, SLOW, TOKEN, FakeClock

A = DEMO[0]
PAYABLE = [fine for fine in A.fines if fine.barrier is None]


async def search(
    desk: httpx.AsyncClient, number: str, by: str = "civil_id", **headers: str
) -> httpx.Response:
    return await desk.post("/fines/search", json={"by": by, "number": number}, headers=headers)


async def barriers(desk: httpx.AsyncClient, number: str) -> dict[str, str | None]:
    return {fine["id"]: fine["barrier"] for fine in (await search(desk, number)).json()["fines"]}


def payment(order: str = "IQ-7F3C-9A1D", **changes: Any) -> dict[str, Any]:
    items = [{"fine": fine.id, "fils": fine.fils} for fine in PAYABLE]
    return {"order": order, "paid_at": 1_795_251_500, "gateway_reference": "6001", "items": items, **changes}


async def pay(desk: httpx.AsyncClient, body: dict[str, Any], key: str = "") -> httpx.Response:
    return await desk.post("/payments", json=body, headers={"Idempotency-Key": key or body["order"]})


def code(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == response.status_code
    return response.status_code, problem["code"]


# --- enquiries -----------------------------------------------------------------------------------


async def test_both_numbers_of_a_person_answer_alike(desk: httpx.AsyncClient) -> None:
    by_civil_id = await search(desk, JOURNEY_A)
    assert by_civil_id.status_code == 200
    assert [fine["id"] for fine in by_civil_id.json()["fines"]] == [fine.id for fine in A.fines]
    assert (await search(desk, A.reference, "reference")).content == by_civil_id.content


async def test_clean_invalid_and_unknown_numbers_cannot_be_told_apart(desk: httpx.AsyncClient) -> None:
    clean = await search(desk, CLEAN)
    for other in (
        await search(desk, "285011500028"),
        await search(desk, "000000000000"),
        await search(desk, "123456", "reference"),
        await search(desk, "1000000007", "reference"),
    ):
        assert (other.status_code, other.content, other.headers) == (200, b'{"fines":[]}', clean.headers)


async def test_three_that_belong_together_give_the_reference(desk: httpx.AsyncClient) -> None:
    asked = {"civil_id": A.civil_id, "passport": A.passport, "expiry": A.expiry.isoformat()}
    assert (await desk.post("/references/search", json=asked)).json() == {"reference": A.reference}
    for change in (
        {"passport": "F7041689"},
        {"expiry": "2030-12-21"},
        {"civil_id": CLEAN},
        {"civil_id": "1" * 12},
    ):
        assert code(await desk.post("/references/search", json=asked | change)) == (404, "no_match")


async def test_the_slow_the_down_and_the_busy(desk: httpx.AsyncClient, clock: FakeClock) -> None:
    assert len((await search(desk, SLOW)).json()["fines"]) == 2
    assert clock.slept == [7.0]
    assert code(await search(desk, DOWN)) == (503, "unavailable")
    busy = await search(desk, BUSY)
    assert code(busy) == (429, "busy")
    assert int(busy.headers["retry-after"]) > 0


# --- recording -----------------------------------------------------------------------------------


async def test_paid_fines_settle_for_15_minutes_and_are_gone(
    desk: httpx.AsyncClient, clock: FakeClock
) -> None:
    assert code(await desk.get("/payments/IQ-7F3C-9A1D")) == (404, "not_recorded")
    first = await pay(desk, payment())
    assert (first.status_code, first.json()) == (201, {"order": "IQ-7F3C-9A1D", "recorded_at": clock.now()})
    clock.at += SETTLING - 1
    assert [(await barriers(desk, JOURNEY_A))[fine.id] for fine in PAYABLE] == ["settling"] * 3
    clock.at += 1
    assert list((await barriers(desk, JOURNEY_A)).values()) == ["court"]
    assert (await desk.get("/payments/IQ-7F3C-9A1D")).json() == first.json()


async def test_recording_twice_records_once(desk: httpx.AsyncClient, clock: FakeClock) -> None:
    first = await pay(desk, payment())
    clock.at += 60
    for again in (await pay(desk, payment()), await pay(desk, payment(), key="another-key")):
        assert (again.status_code, again.json()) == (200, first.json())


async def test_records_survive_a_restart(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "recorded.sqlite"
    seen = []
    for _ in range(2):
        recorded = Recorded(path)
        transport = httpx.ASGITransport(registry_app(clock, TOKEN, Faults(), recorded))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://registry/v1", headers={"Authorization": f"Bearer {TOKEN}"}
        ) as desk:
            seen.append((await pay(desk, payment())).status_code)
        recorded.close()
    assert seen == [201, 200]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"items": [{"fine": PAYABLE[0].id, "fils": PAYABLE[0].fils - 1}]}, "amount_differs"),
        ({"items": [{"fine": PAYABLE[0].id, "fils": PAYABLE[0].fils}] * 2}, "amount_differs"),
        ({"items": [{"fine": A.fines[2].id, "fils": A.fines[2].fils}]}, "not_payable"),
        ({"items": [{"fine": "T-00000000000", "fils": 1000}]}, "unknown_fine"),
        ({"items": [{"fine": "whatever", "fils": 1000}]}, "unknown_fine"),
    ],
)
async def test_what_does_not_agree_is_refused_whole(
    desk: httpx.AsyncClient, changes: dict[str, Any], word: str
) -> None:
    whole = payment()["items"] + changes["items"] if word == "unknown_fine" else changes["items"]
    assert code(await pay(desk, payment(items=whole))) == (409, word)
    assert list((await barriers(desk, JOURNEY_A)).values()) == [None, None, "court", None]


async def test_a_fine_is_paid_under_one_order_only(desk: httpx.AsyncClient, clock: FakeClock) -> None:
    await pay(desk, payment())
    assert code(await pay(desk, payment("IQ-0000-0000"))) == (409, "already_paid")
    clock.at += SETTLING
    assert code(await pay(desk, payment("IQ-0000-0000"))) == (409, "already_paid")
    assert code(await desk.get("/payments/IQ-0000-0000")) == (404, "not_recorded")


async def test_a_recorded_order_or_key_cannot_mean_something_else(desk: httpx.AsyncClient) -> None:
    await pay(desk, payment())
    less = payment(items=payment()["items"][:1])
    assert code(await pay(desk, less, key="fresh")) == (409, "order_differs")
    assert code(await pay(desk, payment("IQ-0000-0000"), key="IQ-7F3C-9A1D")) == (409, "key_reused")


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN} ", "Bearer é"]
)
async def test_another_token_is_refused(desk: httpx.AsyncClient, token: str) -> None:
    headers = {b"Authorization": token.encode("latin-1")}
    response = await desk.post("/fines/search", json={"by": "civil_id", "number": CLEAN}, headers=headers)
    assert code(response) == (401, "unauthorised")
    assert response.headers["www-authenticate"] == "Bearer"


async def test_health_needs_no_token(desk: httpx.AsyncClient) -> None:
    assert (await desk.get("/health", headers={"Authorization": ""})).json() == {"status": "ok"}


def test_a_registry_without_a_token_is_not_made(clock: FakeClock, recorded: Recorded) -> None:
    with pytest.raises(ConfigError, match="REGISTRY_TOKEN"):
        registry_app(clock, "", Faults(), recorded)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", (400, "malformed_json")),
        (b'{"by":', (400, "malformed_json")),
        (b'{"by":"civil_id","number":"\xff"}', (400, "malformed_json")),
        (b'{"by":"civil_id","number":"2850115000290"}', (422, "invalid")),
        (b'{"by":"civil_id","number":"285011500029\\n"}', (422, "invalid")),
        (b'{"by":"civil_id","number":285011500029}', (422, "invalid")),
        (b'{"by":"285011500029","number":"285011500029"}', (422, "invalid")),
        (b'{"by":"reference","number":"12345"}', (422, "invalid")),
        (b'{"by":"reference","number":"123456\\n"}', (422, "invalid")),
        (b'{"by":"civil_id","number":"285011500029","285011500029":1}', (422, "invalid")),
        (b"x" * (MAX_BODY + 1), (413, "too_large")),
    ],
)
async def test_malformed_requests_are_refused_without_repeating_them(
    desk: httpx.AsyncClient, body: bytes, refusal: tuple[int, str]
) -> None:
    response = await desk.post("/fines/search", content=body, headers={"Content-Type": "application/json"})
    assert code(response) == refusal
    assert JOURNEY_A not in response.text + str(response.headers)


async def test_other_media_types_methods_paths_and_keys_are_refused(desk: httpx.AsyncClient) -> None:
    text = await desk.post("/fines/search", content=b"{}", headers={"Content-Type": "text/plain"})
    assert code(text) == (415, "media_type")
    get = await desk.get("/fines/search")
    assert (code(get), get.headers["allow"]) == ((405, "method_not_allowed"), "POST")
    assert code(await desk.get("/nothing")) == (404, "not_found")
    assert code(await desk.get("/health/")) == (404, "not_found")
    assert code(await desk.post("/payments", json=payment())) == (400, "no_key")
    assert code(await pay(desk, payment(), key="two words")) == (400, "no_key")


# --- bad days ------------------------------------------------------------------------------------


async def test_a_share_of_requests_fails_evenly(clock: FakeClock, recorded: Recorded) -> None:
    app = registry_app(clock, TOKEN, Faults(latency=0.5, failure=0.25), recorded)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://registry") as client:
        statuses = [(await client.get("/v1/health")).status_code for _ in range(8)]
    assert statuses == [200, 200, 200, 503] * 2
    assert clock.slept == [0.5] * 8


@pytest.mark.parametrize(
    ("fail", "refusal"),
    [
        ("503", (503, "unavailable")),
        ("500", (500, "internal")),
        ("429", (429, "busy")),
        ("timeout", (503, "unavailable")),
    ],
)
async def test_one_request_can_ask_for_a_failure(
    desk: httpx.AsyncClient, clock: FakeClock, fail: str, refusal: tuple[int, str]
) -> None:
    assert code(await search(desk, JOURNEY_A, **{"X-Sandbox-Fail": fail})) == refusal
    assert clock.slept == ([HANG] if fail == "timeout" else [])


async def test_one_request_can_ask_for_latency_and_nonsense(
    desk: httpx.AsyncClient, clock: FakeClock
) -> None:
    late = await search(desk, JOURNEY_A, **{"X-Sandbox-Latency": "2.5"})
    assert (late.status_code, clock.slept) == (200, [2.5])
    nonsense = await search(desk, JOURNEY_A, **{"X-Sandbox-Fail": "malformed"})
    assert nonsense.status_code == 200
    with pytest.raises(ValueError, match="Expecting"):
        nonsense.json()


@pytest.mark.parametrize(
    ("header", "value"),
    [("Latency", "soon"), ("Latency", "nan"), ("Latency", "-1"), ("Latency", "61"), ("Fail", "404")],
)
async def test_bad_weather_headers_are_refused(desk: httpx.AsyncClient, header: str, value: str) -> None:
    assert code(await search(desk, JOURNEY_A, **{f"X-Sandbox-{header}": value})) == (400, "bad_header")


async def test_who_hangs_up_is_not_waited_for(clock: FakeClock) -> None:
    clock.held = True
    messages: list[Message] = [{"type": "http.request"}, {"type": "http.disconnect"}]

    async def receive() -> Message:
        return messages.pop(0)

    await wait(Request({"type": "http"}, receive), clock, 60.0)
    assert messages == []


async def test_waiting_stops_when_the_server_does(clock: FakeClock) -> None:
    clock.held = True
    never = asyncio.Event()

    async def receive() -> Message:
        await never.wait()
        return {"type": "http.disconnect"}

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0):
            await wait(Request({"type": "http"}, receive), clock, 60.0)
    assert [task for task in asyncio.all_tasks() if "sandbox" in task.get_name()] == []


async def test_what_is_kept_names_nobody(desk: httpx.AsyncClient, tmp_path: Path) -> None:
    await search(desk, SINGLE)
    await pay(desk, payment())
    kept = b"".join(path.read_bytes() for path in (tmp_path / "registry").iterdir())
    assert PAYABLE[0].id.encode() in kept
    for number in (A.civil_id, A.reference, A.passport, "6001"):
        assert number.encode() not in kept
