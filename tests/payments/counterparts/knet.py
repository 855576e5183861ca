"""A counterpart of KNET, from the integration manual as docs/payments/knet.md names it; never from our code.

The page is ``GET …/kpg/PaymentHTTP.htm`` (opening it is the request, and a track id opens once) and takes the
buttons by POST to the same address. The pipe is ``POST …/kpg/tranPipe.htm?param=tranInit``. A notification
must be answered by one line ``REDIRECT=<address>``, or what was paid is voided.

KNET speaks of neither currency nor terminal in an enquiry's answer. So the knobs ``currency`` and ``merchant``
make it say that the enquiry does not fit the transaction it keeps.
"""

import re
import secrets
import xml.etree.ElementTree as ET
from html import escape
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import httpx
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.clock import local
from bot.ports import Clock
from bot.services.payments.knet import Knet, KnetTerms
from tests.payments.counterparts.bank import BUTTONS, KNOBS, Bank, Counterpart, Kept

TERMINAL: Final = "999901"
PASSWORD: Final = "999901pg"
KEY: Final = "TESTKEY0123456AB"

_UDF = re.compile(r"[A-Za-z0-9 _.=-]{0,255}")
_AMOUNT = re.compile(r"([0-9]{1,6})\.([0-9]{3})")
_INVALID_UDF = ("IPAY0100028", "IPAY0100029", "IPAY0100030", "IPAY0100031", "IPAY0100032")
_RESULTS: Final = {
    "captured": "CAPTURED",
    "refused": "NOT CAPTURED",
    "cancelled": "CANCELED",
    "silent": "HOST TIMEOUT",
    "voided": "VOIDED",
}


class Refused(Exception):
    """Carries an IPAY code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def encipher(plain: str, key: str = KEY) -> str:
    """Upper-case hexadecimal, as the gateway answers."""
    padder = PKCS7(128).padder()
    padded = padder.update(plain.encode()) + padder.finalize()
    work = Cipher(algorithms.AES(key.encode()), modes.CBC(key.encode())).encryptor()
    return (work.update(padded) + work.finalize()).hex().upper()


def decipher(text: str, key: str = KEY) -> str:
    """Raises ValueError for rubbish."""
    work = Cipher(algorithms.AES(key.encode()), modes.CBC(key.encode())).decryptor()
    padded = work.update(bytes.fromhex(text)) + work.finalize()
    unpadder = PKCS7(128).unpadder()
    return (unpadder.update(padded) + unpadder.finalize()).decode()


class Gateway:
    """The page, the pipe and the memory behind them.

    Attributes:
        bare: notify by the bare hexadecimal instead of ``trandata=<HEX>``.
        captured: what an enquiry says of a paid one: ``SUCCESS`` or ``CAPTURED``.
        wrapped: answer the pipe inside ``<response>``.
        asked: bodies the pipe was sent.
    """

    def __init__(self, clock: Clock, url: str) -> None:
        self.url = url
        self.bare = False
        self.captured = "SUCCESS"
        self.wrapped = False
        self.asked: list[str] = []
        self.kept: dict[str, Kept] = {}
        self._clock = clock
        self._bank = Bank(clock)
        self._client = httpx.AsyncClient(timeout=10, trust_env=False)
        self.app = Starlette(
            routes=[
                Route("/kpg/PaymentHTTP.htm", self._open, methods=["GET"]),
                Route("/kpg/PaymentHTTP.htm", self._press, methods=["POST"]),
                Route("/kpg/tranPipe.htm", self._pipe, methods=["POST"]),
            ]
        )

    async def close(self) -> None:
        await self._bank.close()
        await self._client.aclose()

    # --- the page --------------------------------------------------------------------------------

    async def _open(self, request: Request) -> Response:
        fields: dict[str, str] = {}
        try:
            fields = self._request(request)
            kept = self._keep(fields)
        except Refused as refused:
            return self._elsewhere(request, fields, refused.code)
        buttons = "".join(f'<button name="button" value="{each}">{each}</button>' for each in BUTTONS)
        return HTMLResponse(
            f'<!doctype html><html lang="{fields["langid"]}"><title>KNET (counterpart)</title>'
            f"<p>{fields['amt']} KWD, {escape(kept.track)}</p>"
            f'<form method="post"><input name="knob">{buttons}</form></html>'
        )

    async def _press(self, request: Request) -> Response:
        fields: dict[str, str] = {}
        try:
            fields = self._request(request)
            kept = self.kept.get(fields["trackid"]) or self._keep(fields)  # a script need not look first
            form = parse_qs((await request.body()).decode("ascii"))
            button, knob = form.get("button", [""])[0], form.get("knob", [""])[0]
            if button not in BUTTONS or knob not in KNOBS:
                return PlainTextResponse("button or knob", status_code=400)
            self._settle(kept, button, knob)
        except Refused as refused:
            return self._elsewhere(request, fields, refused.code)
        kept.more["way"] = ""
        await self._bank.tell(kept, lambda state: self._notify(kept, state))
        way = kept.more["way"]
        if not way:
            return self._elsewhere(request, fields, "IPAY0100249" if kept.state == "voided" else "")
        return RedirectResponse(way, status_code=303)

    def _request(self, request: Request) -> dict[str, str]:
        """The deciphered request; checks what K-064 3.5.4, 6 and 10 say."""
        outer = request.query_params
        if not outer.get("errorURL"):
            raise Refused("IPAY0100001")
        if not outer.get("responseURL"):
            raise Refused("IPAY0100003")
        if not outer.get("tranportalId"):
            raise Refused("IPAY0100005")
        if outer["tranportalId"] != TERMINAL:
            raise Refused("IPAY0100006")
        if outer.get("param") != "paymentInit" or not outer.get("trandata"):
            raise Refused("IPAY0100007")
        try:
            pairs = [pair.partition("=") for pair in decipher(outer["trandata"]).split("&") if pair]
        except ValueError:
            raise Refused("IPAY0100176") from None
        fields = {name: value for name, _, value in pairs}
        self._check(fields)
        if fields.get("responseURL") != outer["responseURL"] or fields.get("errorURL") != outer["errorURL"]:
            raise Refused("IPAY0100013")
        return fields

    def _check(self, fields: dict[str, str]) -> None:
        amount = _AMOUNT.fullmatch(fields.get("amt", ""))
        addresses = [fields.get("responseURL", ""), fields.get("errorURL", "")]
        for sound, code in (
            (fields.get("id") == TERMINAL, "IPAY0100006"),
            (fields.get("password") == PASSWORD, "IPAY0100015"),
            (fields.get("action") == "1", "IPAY0100020"),
            (fields.get("currencycode") == "414", "IPAY0100022"),
            (bool(fields.get("amt")), "IPAY0100023"),
            (amount is not None and amount[0].strip("0.") != "", "IPAY0100024"),
            (fields.get("langid") in {"AR", "EN", "USA"}, "IPAY0100026"),
            (re.fullmatch(r"[A-Za-z0-9]{1,40}", fields.get("trackid", "")) is not None, "IPAY0100027"),
            (all(_public(address) for address in addresses), "IPAY0100013"),
            *(
                (_UDF.fullmatch(fields.get(f"udf{n}", "")) is not None, code)
                for n, code in enumerate(_INVALID_UDF, start=1)
            ),
        ):
            if not sound:
                raise Refused(code)

    def _keep(self, fields: dict[str, str]) -> Kept:
        if fields["trackid"] in self.kept:
            raise Refused("IPAY0100114")
        whole, thousandths = fields["amt"].split(".")
        kept = Kept(fields["trackid"], int(whole) * 1000 + int(thousandths), self._clock.now())
        kept.more = {
            "fields": fields,
            "paymentid": f"1002026{secrets.randbelow(10**11):011d}",
            "ref": "",
            "tranid": "",
            "auth": "",
        }
        self.kept[kept.track] = kept
        return kept

    def _settle(self, kept: Kept, button: str, knob: str) -> None:
        if not self._bank.press(kept, button, knob):
            raise Refused("IPAY0100114")
        if kept.state != "cancelled":
            kept.more["ref"] = f"6001{secrets.randbelow(10**8):08d}"
            kept.more["tranid"] = f"6002{secrets.randbelow(10**8):08d}"
            kept.more["auth"] = "000000" if kept.state == "refused" else f"{secrets.randbelow(10**6):06d}"

    def _elsewhere(self, request: Request, fields: dict[str, str], code: str) -> Response:
        url = fields.get("errorURL", "") or request.query_params.get("errorURL", "")
        if not _public(url):
            return HTMLResponse(f"<html><p>{code}</p></html>")
        told = {
            "Error": code,
            "ErrorText": f"{code}-refused",
            "paymentid": self._paymentid(fields.get("trackid", "")),
            "trackid": fields.get("trackid", ""),
            "amt": fields.get("amt", ""),
        }
        query = f"?{urlencode(told)}" if code else ""
        return RedirectResponse(f"{url}{query}", status_code=303 if request.method == "POST" else 302)

    def _paymentid(self, track: str) -> str:
        return str(self.kept[track].more["paymentid"]) if track in self.kept else ""

    # --- the notification ------------------------------------------------------------------------

    def answer(self, kept: Kept, state: str) -> str:
        """The result as KNET enciphers it: values form-encoded, paymentid first (K-064 3.6.1)."""
        fields: dict[str, str] = kept.more["fields"]
        heard = state != "cancelled"
        told = {
            "paymentid": kept.more["paymentid"],
            "result": _RESULTS[state],
            "auth": kept.more["auth"] if heard else "",
            "avr": "N",
            "ref": kept.more["ref"] if heard else "",
            "tranid": kept.more["tranid"] if heard else "",
            "postdate": f"{local(self._clock.now()):%m%d}" if heard else "",
            "trackid": kept.track,
            **{f"udf{n}": fields.get(f"udf{n}", "") for n in range(1, 6)},
            "amt": fields["amt"],
            "authRespCode": kept.code,
        }
        return encipher("&".join(f"{name}={quote_plus(value)}" for name, value in told.items()))

    async def _notify(self, kept: Kept, state: str) -> None:
        cipher = self.answer(kept, state)
        body = cipher if self.bare else f"trandata={cipher}"
        media = "text/plain" if self.bare else "application/x-www-form-urlencoded"
        url = kept.more["fields"]["responseURL"]
        try:
            said = await self._client.post(url, content=body, headers={"Content-Type": media})
        except httpx.HTTPError:
            self._void(kept)
            return
        way = re.fullmatch(r"REDIRECT=(https?://[^\s<>]+)\n?", said.text)
        if said.status_code != HTTPStatus.OK or way is None or not _public(way[1]):
            self._void(kept)
            return
        kept.more["way"] = way[1]

    def _void(self, kept: Kept) -> None:
        if self._bank.state(kept) == "captured":
            kept.state = "voided"

    # --- the pipe --------------------------------------------------------------------------------

    async def _pipe(self, request: Request) -> Response:
        text = (await request.body()).decode()
        self.asked.append(text)
        try:
            fields = _elements(text, request)
            kept = self._find(fields)
            told = self._refund(kept, fields) if fields["action"] == "2" else self._state(kept, fields)
        except Refused as refused:
            told = {
                "result": f"!ERROR!-{refused.code}-Refused.",
                "error_code_tag": refused.code,
                "error_service_tag": "null",
            }
        answer = "".join(f"<{name}>{value or 'null'}</{name}>" for name, value in told.items())
        answer = f"<response>{answer}</response>" if self.wrapped else answer
        return Response(answer, media_type="application/xml")

    def _find(self, fields: dict[str, str]) -> Kept:
        for sound, code in (
            (fields.get("id") == TERMINAL, "IPAY0100006"),
            (fields.get("password") == PASSWORD, "IPAY0100015"),
            (fields.get("action") in {"2", "8"}, "IPAY0100020"),
            (_AMOUNT.fullmatch(fields.get("amt", "")) is not None, "IPAY0100024"),
            (0 < len(fields.get("transid", "")) <= 19, "IPAY0100027"),
            (fields.get("transid") == fields.get("trackid"), "IPAY0100027"),
            (fields.get("udf5") == "TrackID", "IPAY0100032"),
        ):
            if not sound:
                raise Refused(code)
        kept = self.kept.get(fields["trackid"])
        if kept is None or kept.state == "open":
            raise Refused("IPAY0100263")
        return kept

    def _state(self, kept: Kept, fields: dict[str, str]) -> dict[str, str]:
        state = self._bank.state(kept)
        if state == "silent":
            raise Refused("IPAY0100158")
        if fields["amt"] != kept.more["fields"]["amt"] or kept.knob == "currency":
            return self._told(kept, "SUSPECTED")
        if kept.knob == "merchant":
            return self._told(kept, "FAILURE(SUSPECT)")
        return self._told(kept, self.captured if state == "captured" else f"FAILURE({_RESULTS[state]})")

    def _refund(self, kept: Kept, fields: dict[str, str]) -> dict[str, str]:
        fils = int(fields["amt"].replace(".", ""))
        if self._bank.state(kept) != "captured":
            return self._told(kept, "FAILURE(NOT CAPTURED)")
        if fils <= 0 or fils + sum(kept.refunded.values()) > kept.fils:
            raise Refused("IPAY0100137")
        kept.refunded[str(len(kept.refunded) + 1)] = fils
        return {**self._told(kept, "CAPTURED"), "amt": fields["amt"], "ref": f"7001{len(kept.refunded):08d}"}

    def _told(self, kept: Kept, result: str) -> dict[str, str]:
        fields: dict[str, str] = kept.more["fields"]
        return {
            "result": result,
            "auth": kept.more["auth"],
            "ref": kept.more["ref"],
            "avr": "N",
            "postdate": f"{local(self._clock.now()):%m%d}",
            "tranid": kept.more["tranid"],
            "trackid": kept.track[::-1] if kept.knob == "track" else kept.track,
            "payid": kept.more["paymentid"],
            **{f"udf{n}": fields.get(f"udf{n}", "") for n in range(1, 6)},
            "amt": "0.001" if kept.knob == "amount" else fields["amt"],
            "authRespCode": kept.code,
        }


def _elements(text: str, request: Request) -> dict[str, str]:
    media = request.headers.get("content-type", "")
    if request.query_params.get("param") != "tranInit" or media != "application/xml":
        raise Refused("IPAY0100020")
    try:
        root = ET.fromstring(f"<all>{text}</all>")  # noqa: S314 - our own client's words, in a test
    except ET.ParseError:
        raise Refused("IPAY0100013") from None
    inner = root.find("request")
    return {each.tag: each.text or "" for each in (root if inner is None else inner)}


def _public(url: str) -> bool:
    parts = urlsplit(url)
    if len(url) > 255 or parts.query or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "127.0.0.1")


def terms(url: str) -> KnetTerms:
    """The terminal this counterpart knows."""
    return KnetTerms(tranportal_id=TERMINAL, password=PASSWORD, key=KEY, url=url)


def make(clock: Clock, url: str) -> Counterpart:
    """The counterpart mounted at ``url``, with our client toward it."""
    gateway, payments = Gateway(clock, url), Knet(terms(url), clock)

    async def close() -> None:
        await payments.close()
        await gateway.close()

    return Counterpart(gateway.app, payments, ("/kpg/tranPipe.htm",), gateway.kept, close)
