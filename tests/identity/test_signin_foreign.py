"""Signing in at a provider that we did not write: `oidc-provider-mock`, as a process of its own.

It takes a wrong PKCE verifier, so what must be refused is tried at the sandbox (test_signin_provider.py).
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from bot.clock import SystemClock
from bot.services.identity import Provider, ProviderTerms
from bot.services.identity.provider import Trip
from tests.e2e.command import free_port
from tests.identity.test_signin_pages import nobody
from tests.identity.world import CIVIL_ID, World, build, code_on, query_of, text_of

SAFETY = 30


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def issuer() -> AsyncIterator[str]:
    """Address of the provider; the claims of one user are known there."""
    port = free_port()
    user = json.dumps({"sub": "resident", "civil_id": CIVIL_ID})
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), "--user-claims", user),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(SAFETY), httpx.AsyncClient(trust_env=False) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    await client.get(f"{url}/.well-known/openid-configuration")
                    break
                await asyncio.sleep(0.1)  # it says nowhere else that it listens
        yield url
    finally:
        process.terminate()
        await process.wait()


@pytest_asyncio.fixture
async def world(single: Any, issuer: str) -> AsyncIterator[World]:
    await single.flushall()
    async with build(single, issuer=issuer, clock=SystemClock()) as built:
        yield built


async def chosen(world: World, page: str, **form: str) -> str:
    """A button of the provider's page; the way back."""
    answer = await world.browser.post(page, data=form)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


async def test_a_resident_signs_in_there(world: World) -> None:
    link = await world.link()
    assert link.host in world.issuer
    way = await chosen(world, await world.press(link), sub="resident")
    assert await world.confirm(link, code_on(await world.come_back(way))) == CIVIL_ID


async def test_whoever_has_no_civil_id_there_is_nobody_here(world: World) -> None:
    link = await world.link()
    answer = await world.come_back(await chosen(world, await world.press(link), sub="visitor"))
    assert "did not name a valid civil ID" in text_of(answer)
    await nobody(world, link, answer)


async def test_refusing_there_signs_nobody_in(world: World) -> None:
    link = await world.link()
    page = await world.press(link)
    way = await chosen(world, page, action="deny")
    if "state" not in query_of(way):  # RFC 6749, 4.1.2.1 wants it back; this provider forgets it
        way = f"{way}&state={query_of(page)['state']}"
    await nobody(world, link, await world.come_back(way))


async def test_its_answer_is_for_the_nonce_of_one_browser(world: World) -> None:
    back = f"{world.url}/signin/back"
    terms = ProviderTerms(world.issuer, "iqamati-test", "any", "civil_id", "openid", back)
    provider = Provider(terms, world.clock)
    page = await provider.address(Trip("n" * 43, "v" * 43), "state", "en", afresh=False)
    code = query_of(await chosen(world, page, sub="resident"))["code"]
    try:
        found = await provider.civil_id(code, Trip("another" * 7, "v" * 43), 0)
    except Exception as error:  # noqa: BLE001 - whatever it is called, it is no civil ID
        found = type(error).__name__
    await provider.close()
    assert found == "Malformed"
