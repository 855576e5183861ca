"""KNET's messages: the request a browser carries, the notification, and the XML of the server pipe.

Pure functions over texts. No error raised here quotes what it was given: a request holds the terminal's
password, and what a stranger's notification deciphers to may hold anything, the key included.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.parsers import expat
from xml.sax.saxutils import escape

from bot.errors import Declined, Malformed
from bot.services.http import is_loopback
from bot.services.payments import TRACK_LENGTH, Callback, Charge, amount_text, fils_of
from bot.services.payments.knet.cipher import decrypted, encrypted
from bot.services.payments.knet.terms import KnetTerms

SERVICE: Final = "payments"
CURRENCY: Final = "KWD"
_CURRENCY_CODE = "414"  # ISO 4217 numeric, the only one KNET takes (K-064 6)

PURCHASE: Final = "1"
REFUND: Final = "2"
ENQUIRE: Final = "8"
"""The manual's actions (K-064 6, 3.6.2, 7)."""

_LANGUAGES: Final = {"ar": "AR", "en": "EN"}
"""``langid``. The manual writes EN for English, KNET's PHP kit USA; which of them works is not verified."""

_MOST_FILS = 999_999_999  # `amt` has ten characters: 999999.999 (K-064 6)
_ADDRESS_LENGTH = 255  # K-064 6
_PAGE_LENGTH = 2000  # what the ledger keeps of a page's address
_FIELD_LENGTH = 255  # the longest field of any message (K-064 6)
_TRACK = re.compile(rf"[A-Za-z0-9]{{1,{TRACK_LENGTH}}}", re.ASCII)
_ORDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", re.ASCII)
# Values are not percent-encoded, so an address may hold nothing that means something in `k=v&k=v`.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?", re.ASCII)

_MOST_NOTIFIED = 16 * 1024  # bytes; an honest one is below 2,000
_FIELDS: Final = (
    *("paymentid", "result", "auth", "avr", "ref", "tranid", "postdate", "trackid", "amt"),
    *("udf1", "udf2", "udf3", "udf4", "udf5", "authRespCode"),
)
_PAYMENT_ID = re.compile(r"[A-Za-z0-9]{0,64}", re.ASCII)
_RESULT = re.compile(r"[A-Z][A-Z ]{0,31}", re.ASCII)
_PRINTABLE = re.compile(rf"[ -~]{{0,{_FIELD_LENGTH}}}", re.ASCII)

_DEPTH = 3  # our root, perhaps one of theirs, a field
_ELEMENTS = 64
_DECLARATION = re.compile(rb"\A\s*<\?xml\s[^>]{0,100}\?>")


# --- what the browser carries ---------------------------------------------------------------------


def page_address(terms: KnetTerms, charge: Charge) -> str:
    """The address of ``charge``'s page; opening it is the request (K-064 3.5, the PHP kit).

    Raises:
        Declined: something is outside KNET's limits. Nothing is ever cut to fit: a shortened address or
            number would be somebody else's.
    """
    text = request_text(terms, charge)
    query = {
        "param": "paymentInit",
        "trandata": encrypted(text, terms.key.encode()),
        "tranportalId": terms.tranportal_id,
        "responseURL": charge.notify_url,
        "errorURL": charge.return_url,
    }
    address = f"{terms.base}/kpg/PaymentHTTP.htm?{urlencode(query, safe=':/')}"
    if len(address) > _PAGE_LENGTH:
        raise Declined(SERVICE, "addresses too long for a page")
    return address


def request_text(terms: KnetTerms, charge: Charge) -> str:
    """The request before enciphering: ``k=v`` joined by ``&``, in the order of KNET's PHP kit.

    ``udf1`` is the order's reference without its hyphens (the kits forbid them in a udf), by which an
    operator finds it in KNET's portal; the other udfs stay empty.

    Raises:
        Declined: something is outside KNET's limits.
    """
    if charge.language not in _LANGUAGES:
        raise Declined(SERVICE, "language not offered")
    if _ORDER.fullmatch(charge.order) is None:
        raise Declined(SERVICE, "order reference outside the limits")
    for address in (charge.notify_url, charge.return_url):
        if not _is_address(address, local=terms.is_local):
            raise Declined(SERVICE, "address outside the limits")
    fields = {
        "id": terms.tranportal_id,
        "password": terms.password,
        "action": PURCHASE,
        "langid": _LANGUAGES[charge.language],
        "currencycode": _CURRENCY_CODE,
        "amt": _amount(charge.fils),
        "responseURL": charge.notify_url,
        "errorURL": charge.return_url,
        "trackid": _track(charge.track_id),
        "udf1": charge.order.replace("-", ""),
        **{f"udf{n}": "" for n in range(2, 6)},
    }
    return "&".join(f"{name}={value}" for name, value in fields.items())


def _track(track_id: str) -> str:
    if _TRACK.fullmatch(track_id) is None:
        raise Declined(SERVICE, "track id outside the limits")
    return track_id


def _amount(fils: int) -> str:
    if not 0 < fils <= _MOST_FILS:
        raise Declined(SERVICE, "amount outside the limits")
    return amount_text(fils)


def _is_address(address: str, *, local: bool) -> bool:
    if len(address) > _ADDRESS_LENGTH or _ADDRESS.fullmatch(address) is None:
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    # KNET voids what was paid when our address is not https and public (K-064 9.2.1, 12.2c).
    return parts.scheme == "https" or (local and is_loopback(parts.hostname or ""))


# --- the notification ------------------------------------------------------------------------------


def notification(body: bytes, key: bytes) -> Callback | None:
    """What KNET's server posted, or a browser's query string brought (terminals from before 09/2023).

    ``body`` is ``trandata=<HEX>`` among other fields, or the bare hexadecimal. Whatever stands beside
    ``trandata`` is not enciphered and not looked at.

    No padding oracle: for every body of whole hexadecimal blocks, sound padding or not, the same steps
    are done, and one comparison at the end decides. And a message that deciphers is taken only if every
    byte of it is printable ASCII in the form of its field; so a stranger who appends blocks to an answer
    of their own fails over the rubbish these decipher to, whatever the padding behind it.

    Returns:
        None for everything else, never why.
    """
    hexadecimal = _trandata(body)
    try:
        text, sound = decrypted(hexadecimal, key)
    except ValueError:
        return None
    read = _read(text)
    return read if sound else None


def _trandata(body: bytes) -> str:
    if len(body) > _MOST_NOTIFIED or not body.isascii():
        return ""
    text = body.decode("ascii")
    if "=" not in text:
        return text.strip()
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=32)
    except ValueError:
        return ""
    found = [value for name, value in pairs if name == "trandata"]
    return found[0].strip() if len(found) == 1 else ""


def _read(text: bytes) -> Callback | None:
    # The answer is form-encoded inside its cipher: `result=NOT+CAPTURED`.
    pairs = parse_qsl(text.decode("ascii", "replace"), keep_blank_values=True, errors="replace")
    # Samples of KNET's kits also have `authResponseCode`.
    named = [("authRespCode" if name == "authResponseCode" else name, value) for name, value in pairs]
    plain = {name: _filled(value) for name, value in named if name in _FIELDS}
    failed = any(
        value for name, value in named if name in {"Error", "ErrorText"}
    )  # K-064 3.5.5: first of all
    amount, fils = plain.get("amt", ""), 0
    try:
        fils = fils_of(amount) if amount else 0
    except ValueError:
        amount = ""
    checks = (
        len({name for name, _ in named}) == len(named),
        all(_PRINTABLE.fullmatch(part) for pair in named for part in pair),
        _PAYMENT_ID.fullmatch(plain.get("paymentid", "")),
        _RESULT.fullmatch(plain.get("result", "")),
        _TRACK.fullmatch(plain.get("trackid", "")),
        (fils > 0) if plain.get("amt") else True,
    )
    if not all(checks):
        return None
    return Callback(
        track_id=plain["trackid"],
        provider_ref=plain.get("paymentid", ""),
        event=plain.get("paymentid", "") or plain["trackid"],
        result=plain["result"],
        fils=fils,
        paid=plain["result"] == "CAPTURED" and not failed,
        plain=plain,
    )


def _filled(value: str) -> str:
    return "" if value == "null" else value


# --- the server pipe -------------------------------------------------------------------------------


def pipe_request(terms: KnetTerms, action: str, track_id: str, fils: int) -> bytes:
    """An enquiry or a refund by track id: XML elements without a root (K-064 3.6.2, 7).

    By track id, because that works when no answer ever came. Some clients wrap the elements in
    ``<request>``; which of the two the gateway needs is not verified, the manual has none.

    Raises:
        Declined: something is outside KNET's limits.
    """
    fields = {
        "id": terms.tranportal_id,
        "password": terms.password,
        "action": action,
        "amt": _amount(fils),
        "transid": _track(track_id),
        "trackid": track_id,
        "udf5": "TrackID",
    }
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items()).encode()


def pipe_answer(body: bytes) -> Mapping[str, str]:
    """The answer's fields by lower-case name; ``null`` reads as empty.

    The answer has no root, so one is put around it; a root of its own does no harm. Document types,
    entities and processing instructions are refused.

    Raises:
        Malformed: not such an answer (a page of HTML, say).
    """
    reader = _Reader()
    try:
        reader.feed(b"<answer>" + _DECLARATION.sub(b"", body, count=1) + b"</answer>")
    except (expat.ExpatError, ValueError):
        raise Malformed(SERVICE, "not the agreed XML") from None
    if not reader.fields.get("result"):
        raise Malformed(SERVICE, "an answer without a result")
    return reader.fields


class _Reader:
    """Collects the innermost elements; raises ValueError for whatever an answer has no need of."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self._open: list[str] = []
        self._text = ""
        self._leaf = False
        self._seen = 0
        self._parser = parser = expat.ParserCreate("UTF-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        # A document type is no well-formed content of our root; these hold should that ever change.
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        parser.ExternalEntityRefHandler = _refuse
        parser.ProcessingInstructionHandler = _refuse

    def feed(self, document: bytes) -> None:
        self._parser.Parse(document, True)

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._stray()
        self._open.append(name.lower())
        self._leaf = True
        self._seen += 1
        if len(self._open) > _DEPTH or self._seen > _ELEMENTS:
            raise ValueError("too much XML")

    def _end(self, _name: str) -> None:
        name = self._open.pop()
        if not self._leaf:
            self._stray()
            return
        if name in self.fields:
            raise ValueError("a field twice")
        self.fields[name] = _filled(self._text.strip())
        self._text, self._leaf = "", False

    def _data(self, text: str) -> None:
        self._text += text

    def _stray(self) -> None:
        # Text between elements: what an intermediary says, not KNET.
        if self._text.strip():
            raise ValueError("text outside a field")
        self._text = ""


def _refuse(*_: object) -> int:
    raise ValueError("refused XML")
