"""Who may do what to whom: one table, and the gate every effect goes through.

Open operations are open because the ministry's own pages are; what belongs to a chat is found by that chat
alone (its executor looks nowhere else); everything else needs to know who asks and what they are to the
person concerned. An operation without a rule is refused, and a test names it.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, Protocol

import msgspec

from bot.dialogs.checkout import CancelOrder, CheckPayment, OpenOrder, RenewLink
from bot.dialogs.company.effects import (
    FindTemplate,
    FindWorker,
    ListBodies,
    ListWorkers,
    QuoteBatch,
    QuoteWorkers,
    ReadBatch,
    StartBatch,
    StopBatch,
)
from bot.dialogs.family_join import AskDay
from bot.dialogs.find_reference import FindReference
from bot.dialogs.identify import BeginSignIn, ConfirmSignIn
from bot.dialogs.my_data import ExportData, ForgetAll, ListKept, Recall, Remember, Unremember
from bot.dialogs.overstay import CheckOverstay, CheckTravel, EstimateOverstay
from bot.dialogs.real_link import CheckLinks
from bot.dialogs.receipts import ListReceipts, ReadReceipt
from bot.dialogs.reminders import DropReminders, ListReminders, Remind
from bot.dialogs.renewal import ListFile, QuoteRenewals
from bot.dialogs.violations import FindFines
from bot.domain import Relation
from bot.errors import Forbidden, Unsigned
from bot.ports import Asked, Effect, Executor
from bot.residency.facts import Body


class Reach(StrEnum):
    """Whom an operation may concern."""

    ANYONE = "anyone"  # open, as on the ministry's own page
    CHAT = "chat"  # what this chat made; nobody has to be signed in
    PERSON = "person"  # oneself and persons one stands for, by one of the rule's relations
    BODY = "body"  # a company or government body one is an authorised user of
    NAMED = "named"  # the persons or the body that the operation names; open where it names none


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to do one operation.

    Attributes:
        reach: whom it may concern.
        why: the ground for it.
        persons: civil IDs concerned; none, or an empty one, means whoever is signed in.
        body: unified number of the company or government body concerned.
        relations: rights by which somebody else than the person may do it.
    """

    reach: Reach
    why: str
    persons: Callable[[Any], tuple[str, ...]] | None = None
    body: Callable[[Any], str] | None = None
    relations: frozenset[Relation] = frozenset()


ANYONE: Final = Reach.ANYONE
CHAT: Final = Reach.CHAT


def _of_body(effect: Any) -> str:
    return str(effect.body)


_USER: Final = Rule(
    reach=Reach.BODY,
    why="a body's authorised users renew its workers' residencies",
    body=_of_body,
)

RULES: Final[Mapping[type[Effect], Rule]] = {
    FindFines: Rule(reach=ANYONE, why="the ministry's enquiry is open to all, behind a verification code"),
    FindReference: Rule(reach=ANYONE, why="passport number and expiry are the proof the ministry asks for"),
    OpenOrder: Rule(
        reach=Reach.NAMED,
        why="anybody may pay what anybody owes; a residency is renewed by whoever stands for the person",
        persons=lambda effect: effect.owners,
        body=lambda effect: effect.body,
        relations=frozenset({Relation.SPONSOR}),
    ),
    RenewLink: Rule(reach=CHAT, why="an order is its chat's"),
    CheckPayment: Rule(reach=CHAT, why="an order is its chat's"),
    CancelOrder: Rule(reach=CHAT, why="an order is its chat's"),
    ListReceipts: Rule(reach=CHAT, why="receipts are the chat's that paid"),
    ReadReceipt: Rule(reach=CHAT, why="receipts are the chat's that paid"),
    ListKept: Rule(reach=CHAT, why="a chat's data is the chat's"),
    Remember: Rule(reach=CHAT, why="a chat's data is the chat's; anybody may look anybody up"),
    Recall: Rule(reach=CHAT, why="a chat's data is the chat's"),
    Unremember: Rule(reach=CHAT, why="a chat's data is the chat's"),
    ExportData: Rule(reach=CHAT, why="a chat's data is the chat's"),
    ForgetAll: Rule(reach=CHAT, why="a chat's data is the chat's"),
    ListFile: Rule(reach=Reach.PERSON, why="one's own residency and those on one's file"),
    QuoteRenewals: Rule(
        reach=Reach.PERSON,
        why="a sponsor renews the residencies on the file, everybody their own",
        persons=lambda effect: tuple(wish.civil_id for wish in effect.wishes),
        relations=frozenset({Relation.SPONSOR}),
    ),
    ListBodies: Rule(reach=Reach.PERSON, why="everybody may know what they are an authorised user of"),
    ListWorkers: _USER,
    FindWorker: _USER,
    QuoteWorkers: _USER,
    StartBatch: _USER,
    ReadBatch: _USER,
    StopBatch: _USER,
    QuoteBatch: _USER,
    FindTemplate: Rule(reach=ANYONE, why="an empty list names nobody"),
    ListReminders: Rule(reach=Reach.PERSON, why="one's own residency and those on one's file"),
    Remind: Rule(
        reach=Reach.PERSON,
        why="a sponsor answers for the residencies on the file, and may be told when they end",
        persons=lambda effect: tuple(each.civil_id for each in effect.wanted),
        relations=frozenset({Relation.SPONSOR}),
    ),
    DropReminders: Rule(reach=CHAT, why="whoever reads a chat may stop what is written to it"),
    CheckOverstay: Rule(reach=Reach.PERSON, why="how late somebody is, is told to that person alone"),
    CheckTravel: Rule(reach=Reach.PERSON, why="what keeps somebody here is told to that person alone"),
    EstimateOverstay: Rule(reach=ANYONE, why="reckoned from published rules; nobody is named"),
    AskDay: Rule(reach=ANYONE, why="which day it is, everybody may know"),
    CheckLinks: Rule(reach=ANYONE, why="a warning is for everybody, and an address's verdict names nobody"),
    BeginSignIn: Rule(reach=ANYONE, why="signing in is how one becomes known"),
    ConfirmSignIn: Rule(reach=CHAT, why="a sign-in is bound to the chat that began it"),
}


class Records(Protocol):
    """Who stands for whom; `bot.services.registry.Registry`."""

    async def relations(self, actor: str, person: str) -> frozenset[Relation]:
        """By what rights ``actor`` acts for ``person``."""
        ...

    async def bodies(self, actor: str) -> tuple[Body, ...]:
        """The companies and government bodies ``actor`` is an authorised user of."""
        ...


async def check(rule: Rule, effect: Effect, asked: Asked, records: Records) -> None:
    """Let ``asked`` do ``effect``, or not.

    Raises:
        Unsigned: nobody is signed in.
        Forbidden: whoever is signed in is nothing to a person concerned, or no user of the body.
        OutsideError: the records do not answer.
    """
    persons = rule.persons(effect) if rule.persons else ()
    body = rule.body(effect) if rule.body else ""
    if rule.reach in {ANYONE, CHAT} or (rule.reach is Reach.NAMED and not persons and not body):
        return
    if not asked.actor:
        raise Unsigned(type(effect).__name__)
    if (body or rule.reach is Reach.BODY) and body not in {
        each.number for each in await records.bodies(asked.actor)
    }:
        raise Forbidden(type(effect).__name__)
    for person in dict.fromkeys(persons):
        if person in {"", asked.actor}:
            continue
        if not rule.relations & await records.relations(asked.actor, person):
            raise Forbidden(type(effect).__name__)


def guarded(
    executors: Mapping[type[Effect], Executor],
    records: Records,
    rules: Mapping[type[Effect], Rule] = RULES,
) -> dict[type[Effect], Executor]:
    """``executors``, each behind its rule.

    Raises:
        LookupError: an operation has no rule.
    """
    if without := [effect.__name__ for effect in executors if effect not in rules]:
        raise LookupError(f"no rule for {', '.join(sorted(without))}")
    return {effect: _behind(rules[effect], run, records) for effect, run in executors.items()}


def _behind(rule: Rule, run: Executor, records: Records) -> Executor:
    async def gate(effect: Effect, asked: Asked) -> object:
        await check(rule, effect, asked, records)
        return await run(effect, asked)

    return gate
