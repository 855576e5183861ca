"""Notifications: what a gateway's server says, kept as it claims, believed only after our own enquiry.

Whatever is wrong with one (a signature, a padding, a track id nobody knows) is refused with the same answer
after the same work, one look into the ledger and one line of the audit: the difference would let a stranger
decrypt a resident's request to KNET byte by byte.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
import structlog

from bot.crypto import Keyring
from bot.errors import Malformed, Unavailable
from bot.ports import Clock
from bot.services.ledger import Attempt, Event, Ledger, Taken
from bot.services.orders.parts import new_track
from bot.services.orders.settle import Settling
from bot.services.payments import Callback
from bot.services.payments.gateways import Gateways

log = structlog.get_logger(__name__)

AUDITED: Final = 60
"""Refused notifications of one minute that get a line each; a flood must not fill the database."""


class Notified:
    """Takes notifications in. Arguments as for `bot.services.orders.paying.Paying`."""

    def __init__(
        self, *, ledger: Ledger, gateways: Gateways, clock: Clock, keyring: Keyring, settling: Settling
    ) -> None:
        self._ledger = ledger
        self._gateways = gateways
        self._clock = clock
        self._keyring = keyring
        self._settling = settling
        self._minute = 0
        self._refused = 0

    async def take(self, provider: str, body: bytes, headers: Mapping[str, str]) -> Attempt | None:
        """Find the attempt, enquire, settle. None for anything that is not about an attempt of ours.

        Raises:
            Unavailable: the ledger does not answer; the gateway should try again.
        """
        try:
            callback = self._gateways.of(provider).parse_callback(body, headers)
        except (Malformed, Unavailable):
            callback = Callback(track_id=new_track())
        async with self._ledger.read() as read:
            attempt = await read.find_attempt(
                provider, track=callback.track_id, provider_ref=callback.provider_ref
            )
        if attempt is None:
            await self._refuse(provider)
            return None
        await self._keep(attempt, callback, body)
        try:
            await self._settling.ask(attempt, "gateway")
        except Unavailable:
            log.warning("notification without an enquiry", provider=attempt.provider)
        return attempt

    async def _refuse(self, provider: str) -> None:
        now = self._clock.now()
        if now // 60 != self._minute:
            self._minute, self._refused = now // 60, 0
        self._refused += 1
        if self._refused <= AUDITED:
            log.warning("notification refused", provider=provider)
            async with self._ledger.write() as work:
                await work.audit("gateway", "notification refused", provider, now)

    async def _keep(self, attempt: Attempt, callback: Callback, body: bytes) -> None:
        """Keep the claim, sealed; another amount than ours or than before is an alarm."""
        payload = msgspec.json.encode({"body": body.decode("latin-1"), "fields": callback.plain})
        event = Event(
            provider=attempt.provider,
            event=callback.event[:64],
            result=callback.result[:32],
            track=attempt.track,
            fils=callback.fils,
            payload=self._keyring.seal(payload, _place(attempt.provider, callback.event[:64])),
        )
        now = self._clock.now()
        for _ in range(2):
            try:
                async with self._ledger.write() as work:
                    honest = await work.add_event(event, now)
                    if not honest or callback.fils not in (0, attempt.fils):
                        log.error("notification with another amount", provider=attempt.provider)
                        about = f"{attempt.provider} {attempt.track}"
                        await work.audit("gateway", "notification with another amount", about, now)
            except Taken:  # the same one, twice at once
                continue
            return


def _place(provider: str, event: str) -> bytes:
    return f"event:{provider}:{event}".encode()
