"""Whole conversations with every dialog: what residents and strangers write, press and send, and what comes from outside."""

from typing import Any, Final, NamedTuple

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from bot.spec import Do, Waiting
from tests.dialogs.data import ORDER, PAID
from tests.dialogs.harness import BOOK, Chat
from tests.dialogs.places import PLACES, stand
from tests.dialogs.test_everywhere import OUTCOMES
from tests.fuzz.targets.base import NASTY, Target, hold, texts
from tests.fuzz.targets.residents import LARGEST_SESSION

DEPTH: Final = 5
"""Home, a service, what it called, signing in, something aside."""
NEWS: Final = ("paid", "posted", "refused", "review", "refunded", "returned", "unheard of")
WAITS: Final = (1, 5, 30, 90, 2000)
"""Minutes."""
COMMANDS: Final = (
    "/menu",
    "/back",
    "/cancel",
    "/help",
    "/language",
    "/language en",
    "/resume",
    "/start",
    "/start x",
    "/signout",
    "/x",
    "/",
)


class Act(NamedTuple):
    """Something that happens: ``write``, ``press``, ``old``, ``foreign``, ``garble``, ``send``, ``outcome``, ``wait``, ``wake``."""

    kind: str
    number: int = 0
    text: str = ""


class Talk(NamedTuple):
    """Where a resident stands, and what happens then."""

    place: int
    language: str
    acts: tuple[Act, ...]


KINDS: Final = (
    "write",
    "press",
    "press",
    "press",
    "command",
    "old",
    "foreign",
    "garble",
    "send",
    "outcome",
    "outcome",
    "wait",
    "wake",
)


def acts() -> SearchStrategy[Act]:
    """Anything."""
    return st.builds(
        Act,
        st.sampled_from(KINDS),
        st.integers(0, 255),
        st.one_of(texts(40), st.sampled_from([each for each in NASTY if each != "\ud800"])),
    )


class _Told:
    """A chat that tells what became of it."""

    def __init__(self, talk: Talk) -> None:
        self.chat = stand(talk.language, *PLACES[talk.place % len(PLACES)])
        if isinstance(self._spec(), Do):
            self.chat.says("/help")

    def _spec(self) -> Any:
        states: Any = BOOK.dialogs[self.chat.top.dialog].states
        return states[self.chat.top.state]

    def act(self, act: Act) -> None:
        """Do it; insist that it is answered where it is a resident's."""
        chat = self.chat
        effects, turns, screen = len(chat.effects), chat.turns, _screen(chat)
        pressed = chat.session.pressed
        self._do(act)
        hold(len(chat.session.frames) <= DEPTH, "a stack without an end")
        hold(isinstance(self._spec(), Waiting | Do), "it stands where nobody is asked")
        hold(len(msgspec.msgpack.encode(chat.session)) <= LARGEST_SESSION, "a session without an end")
        if act.kind in {"outcome", "wait", "wake"} or chat.turns == turns:
            return
        changed = chat.said or len(chat.effects) > effects or _screen(chat) != screen
        hold(
            changed or (chat.session.pressed and chat.session.pressed == pressed),
            f"{act.kind} was not answered",
        )

    def _do(self, act: Act) -> None:
        chat = self.chat
        old = [
            (message.id, button.token)
            for message in chat.screen
            for button in message.buttons
            if button.token
        ]
        last = (
            [(chat.screen[-1].id, button.token) for button in chat.screen[-1].buttons if button.token]
            if chat.screen
            else []
        )
        match act.kind:
            case "press" if last:
                source, token = last[act.number % len(last)]
                chat.press_token(token, source)
            case "old" | "garble" if old:
                source, token = old[act.number % len(old)]
                chat.press_token(token if act.kind == "old" else _garbled(token, act), source)
            case "foreign" | "old" | "garble":
                dialog, state = PLACES[act.number % len(PLACES)]
                chat.press_token(f"{dialog}/{state}/{act.text[:12]}/{act.number}")
            case "send":
                kinds = ("document", "photo", "voice", "sticker", "x")
                missing = ("", "", "large", "kind", "lost")[act.number % 5]
                chat.sends(
                    kinds[act.number % 5], file="" if missing else "0" * 24, name=act.text, missing=missing
                )
            case "outcome" if chat.held:
                found = OUTCOMES[type(chat.held[0].effect)]
                chat.lets_go(found[act.number % len(found)])
            case "wait":
                chat.wait(minutes=WAITS[act.number % len(WAITS)])
            case "wake":
                chat.wakes(NEWS[act.number % len(NEWS)], ORDER, **PAID)
            case "command":
                chat.says(COMMANDS[act.number % len(COMMANDS)])
            case _:
                chat.says(act.text or "x")


def _garbled(token: str, act: Act) -> str:
    at = act.number % (len(token) + 1)
    return (token[:at] + act.text[:4] + token[at + 1 :])[:64] or "/"


def _screen(chat: Chat) -> list[Any]:
    return [(message.id, message.text, message.labels, message.erased) for message in chat.screen]


class Conversations(Target[Talk]):
    """The engine and every dialog, effects answered by every answer they know."""

    name = "talk"
    about = "events in any order in every state of every dialog: each answered, stack and session bounded, session readable"
    modules = ("bot.engine", "bot.dialogs")
    examples = 150

    def inputs(self) -> SearchStrategy[Talk]:
        places = st.integers(0, len(PLACES) - 1)
        return st.builds(
            Talk, places, st.sampled_from(["ar", "en"]), st.lists(acts(), min_size=1, max_size=10).map(tuple)
        )

    def raw(self, data: bytes) -> Talk:
        """Two bytes for the place, then two an act, then its text up to the next ``0xf5``."""
        found = [
            Act(KINDS[part[0] % len(KINDS)], part[1], part[2:].decode("utf-8", "replace"))
            for part in data[2:].split(b"\xf5")[:12]
            if len(part) > 1
        ]
        place = int.from_bytes(data[:1])
        return Talk(place, "ar" if data[1:2] < b"\x80" else "en", tuple(found))

    def feed(self, given: Talk) -> None:
        told = _Told(given)
        for act in given.acts:
            told.act(act)


class Presses(Target[Talk]):
    """Callback data: one press in every state, of a button that is there, was there, or never was."""

    name = "callback"
    about = "buttons' data, sound, stale, foreign or garbled, in every state: answered, and nobody is taken anywhere by a wrong one"
    modules = ("bot.engine.answers", "bot.engine.commands", "bot.engine.machine", "bot.engine.step")
    examples = 200

    def inputs(self) -> SearchStrategy[Talk]:
        parts = st.sampled_from(
            [
                "",
                "home",
                "menu",
                "violations",
                "checkout",
                "0",
                "1",
                "zz",
                "١",
                "-1",
                "language en",
                "start x",
                "\x00",
            ]
        )
        built = st.lists(parts, max_size=6).map("/".join)
        token = st.one_of(built, texts(64), texts(300))
        places = st.integers(0, len(PLACES) - 1)
        return st.builds(
            lambda place, language, token: Talk(place, language, (Act("token", 0, token),)),
            places,
            st.sampled_from(["ar", "en"]),
            token,
        )

    def raw(self, data: bytes) -> Talk:
        return Talk(int.from_bytes(data[:1]), "ar", (Act("token", 0, data[1:].decode("utf-8", "replace")),))

    def feed(self, given: Talk) -> None:
        told = _Told(given)
        chat = told.chat
        token = given.acts[0].text or "/"
        stood, effects = chat.session.frames, len(chat.effects)
        chat.press_token(token)
        hold(chat.said or len(chat.effects) > effects, "a press was not answered")
        now = [(frame.dialog, frame.state) for frame in chat.session.frames]
        parts = token.split("/")
        here = len(parts) == 4 and parts[:2] == [stood[-1].dialog, stood[-1].state]
        if not token.startswith("/") and not here:
            hold(
                now == [(frame.dialog, frame.state) for frame in stood],
                f"taken to {now} by another question's button",
            )
