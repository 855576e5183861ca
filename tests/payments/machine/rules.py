"""What can happen: residents, the bank, gateways, the registry, operators, processes, time; in any order."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from bot.dialogs.checkout import CancelOrder, CheckPayment, PayLink, RenewLink
from tests.payments.machine.bank import Told, Word
from tests.payments.machine.gateway import Mood
from tests.payments.machine.stage import Stage, pick, token_of
from tests.payments.machine.truths import must

MINUTE = 60
HOUR = 3600
DAY = 24 * HOUR

stops = st.one_of(st.just(0), st.just(0), st.integers(1, 14))
"""At which gate something is held; 0 is none."""

numbers = st.integers(0, 7)
processes = st.integers(0, 1)
chats = st.sampled_from((0, 0, 0, 1))
baskets = st.sampled_from(((0,), (0,), (1,), (2,), (3,), (4,), (0, 1), (1, 2), (3, 5), (6,), (6, 7), (0, 7)))
refusals = st.sampled_from(("51", "55", "", "track", Word.DECIDING, Word.SILENT))
faults = st.sampled_from((Mood.WELL, Mood.WELL, Mood.WELL, Mood.DOWN, Mood.LOST, Mood.RUDE))
shares = st.sampled_from((0, 0, 1, 2))
final = st.sampled_from((False, False, True))
silences = st.sampled_from((0, 20, 5 * MINUTE, 70 * MINUTE, 10 * HOUR))
ways = st.sampled_from(
    (
        *("", "pays", "pays", "pays", "fails", "left", Word.DECIDING, Word.SILENT),
        *("late", "twice", "altered amount", "altered currency", "altered track", "altered odd"),
    )
)
"""What is done on the gateway's page; a word is what the bank says for five minutes."""
afters = st.sampled_from(("", "", "notify", "notify", "notify", "check", "cancel", "renew", "press"))
altered = st.sampled_from(("", "", "amount", "currency", "track", "odd"))
meanwhile = st.sampled_from((Word.DECIDING, Word.SILENT, Word.OPEN, Word.NOTHING, Word.REFUSED))
moods = st.sampled_from((Mood.WELL, Mood.WELL, Mood.WELL, *Mood))
times = st.sampled_from((5, 20, 2 * MINUTE, 11 * MINUTE, 31 * MINUTE, HOUR, 6 * HOUR, 25 * HOUR))


class Money(Stage):
    """Everything that can happen to money."""

    # --- the residents ---------------------------------------------------------------------------

    @rule(who=processes, chat=chats, basket=baskets, again=st.booleans(), stop=stops)
    def orders(self, *, who: int, chat: int, basket: Sequence[int], again: bool, stop: int) -> None:
        """Choose fines to pay; perhaps the same effect once more."""
        self.keys += not (again and self.keys)
        self.begin("open", *self.open(who, chat, basket), stop=stop)

    @rule(who=processes, chat=chats, basket=baskets, how=ways, after=afters, stop=stops)
    def goes_to_pay(
        self, *, who: int, chat: int, basket: Sequence[int], how: str = "", after: str = "", stop: int = 0
    ) -> None:
        """The usual way to the gateway's page, without a halt, and what is done there."""
        self.keys += 1
        self.begin("open", *self.open(who, chat, basket))
        if not self.links:
            return
        self.presses_pay(who=who, which=0, stop=0)
        if not how or not self.pages():
            return
        if how in {"fails", "left"}:
            self.bank_refuses(which=0, how="51" if how == "fails" else Word.DECIDING)
        elif how in {"late", "twice"}:
            self.bank_takes_twice(who=who, seconds=70 * MINUTE * (how == "late"), again=how == "twice")
        elif how in set(Word):
            self.bank_takes_oddly(which=0, silence=5 * MINUTE, word=Word(how), wrong="")
        else:
            self.bank_takes_oddly(which=0, silence=0, word=Word.OPEN, wrong=how.partition(" ")[2])
        match after:
            case "notify" if self.town.bank.told:
                self.notify(self.town.bank.told[-1], who, stop)
            case "check":
                self.checks(who=who, which=0, stop=stop)
            case "cancel":
                self.cancels(who=who, which=0, stop=stop)
            case "renew":
                self.renews(who=who, which=0, stop=stop)
            case "press":
                self.presses_pay(who=who, which=0, stop=stop)
            case _:
                pass

    @precondition(lambda self: self.links)
    @rule(who=processes, which=numbers, stop=stops)
    def presses_pay(self, *, who: int, which: int, stop: int) -> None:
        """The button of our page."""
        link = pick(self.links, which)
        op = self.begin("pay", self.process(who).orders.pay(token_of(link)), self.sees_page, stop=stop)
        if op.held or not isinstance(url := op.result(), str) or not url:
            return
        for charge in self.known_captures(link.order):
            must(False, "no page is opened for what is paid", charge)

    @precondition(lambda self: self.links)
    @rule(who=processes, which=numbers, stop=stops, fault=faults)
    def checks(self, *, who: int, which: int, stop: int, fault: Mood = Mood.WELL) -> None:
        """I have paid."""
        link = pick(self.links, which)
        work = self.process(who).orders.check(CheckPayment(link.order), self.asked(link))
        op = self.begin("check", work, stop=stop, fault=fault)
        if fault is Mood.WELL:
            self.answered(op, link)

    @precondition(lambda self: self.links)
    @rule(who=processes, which=numbers, stop=stops)
    def cancels(self, *, who: int, which: int, stop: int) -> None:
        """Cancel."""
        link = pick(self.links, which)
        work = self.process(who).orders.cancel(CancelOrder(link.order), self.asked(link))
        self.answered(self.begin("cancel", work, stop=stop), link)

    @precondition(lambda self: self.links)
    @rule(who=processes, which=numbers, stop=stops)
    def renews(self, *, who: int, which: int, stop: int) -> None:
        """A new link."""
        link = pick(self.links, which)
        work = self.process(who).orders.renew_link(RenewLink(link.order), self.asked(link))

        def then(fresh: Any) -> None:
            if isinstance(fresh, PayLink):
                self.links.append(fresh)

        op = self.begin("renew", work, then, stop=stop)
        if not op.held and isinstance(op.result(), PayLink):
            for charge in self.known_captures(link.order):
                must(False, "no link is made for what is paid", charge)

    @precondition(lambda self: self.town.bank.charges)
    @rule(who=processes, which=numbers, stop=stops)
    def comes_back(self, *, who: int, which: int, stop: int) -> None:
        """The browser returns from the gateway, or somebody opens that address."""
        charge = self.charge(which)
        token = charge.back.removesuffix("/return").rpartition("/")[2]
        self.begin("return", self.process(who).orders.returned(token), stop=stop)

    # --- the bank --------------------------------------------------------------------------------

    @precondition(lambda self: self.pages())
    @rule(which=numbers)
    def bank_takes(self, *, which: int) -> None:
        """Somebody pays on an open page, and all is well."""
        self.town.bank.approve(pick(self.pages(), which), self.town.clock.now(), 0, Word.OPEN)

    @precondition(lambda self: self.pages())
    @rule(which=numbers, silence=silences, word=meanwhile, wrong=altered)
    def bank_takes_oddly(self, *, which: int, silence: int, word: Word, wrong: str) -> None:
        """Somebody pays, and the bank is slow to say so, or says it wrongly."""
        charge = pick(self.pages(), which)
        self.town.bank.approve(charge, self.town.clock.now(), silence, word, wrong)

    @precondition(lambda self: self.pages())
    @rule(who=processes, seconds=st.sampled_from((0, 70 * MINUTE)), again=st.booleans())
    def bank_takes_twice(self, *, who: int, seconds: int, again: bool) -> None:
        """Somebody opens another page too, where there is one, and pays on all that are open; perhaps late."""
        if again and self.links:
            self.presses_pay(who=who, which=0, stop=0)
        for _ in range(2 if seconds else 0):
            self.town.advance(seconds)
            self.begin("sweep", self.process(who).orders.sweep())
        for charge in self.pages():
            self.town.bank.approve(charge, self.town.clock.now(), 0, Word.OPEN)

    @precondition(lambda self: self.pages())
    @rule(which=numbers, how=refusals)
    def bank_refuses(self, *, which: int, how: str) -> None:
        """Somebody tries to pay in vain, or begins to and nothing more is heard of it."""
        charge = pick(self.pages(), which)
        if how in {Word.DECIDING, Word.SILENT}:
            self.town.bank.leave(charge, Word(how))
        else:
            self.town.bank.refuse(charge, how, "track" if how == "track" else "")

    @precondition(lambda self: self.untaken())
    @rule(which=numbers)
    def bank_changes_its_mind(self, *, which: int) -> None:
        """Taken after all, on a page that was refused or over: only a notification can tell."""
        charge = pick(self.untaken(), which)
        charge.fickle = True
        self.town.bank.approve(charge, self.town.clock.now(), 0, Word.OPEN)

    @precondition(lambda self: self.town.bank.told)
    @rule(who=processes, which=numbers, lie=st.booleans(), stop=stops, fault=faults)
    def notifies(self, *, who: int, which: int, lie: bool, stop: int, fault: Mood = Mood.WELL) -> None:
        """A notification arrives, in any order and any number of times; or one that claims the contrary."""
        told = self.town.bank.told[-1 - which % len(self.town.bank.told)]
        if lie:
            word = Word.REFUSED if told.claims is Word.CAPTURED else Word.CAPTURED
            told = Told(told.charge, f"{told.event}x", word, told.fils + which)
        self.notify(told, who, stop, fault)

    # --- operators -------------------------------------------------------------------------------

    @precondition(lambda self: self.held())
    @rule(who=processes, which=numbers, named=st.booleans(), share=shares, mood=moods, stop=stops)
    def operator_refunds(
        self, *, who: int, which: int, named: bool, share: int, mood: Mood, stop: int
    ) -> None:
        """Give back: all that is left, one fils, or half; from now on giving back goes as ``mood`` says."""
        for gateway in self.town.gateways:
            gateway.refunding = mood
        row = pick(self.held(), which)
        fils = (None, 1, max(1, row["fils"] // 2))[share]
        track = row["track"] if named else ""
        work = self.process(who).refunds.refund(self.ref(row), track=track, fils=fils, why="asked", who="op")
        self.begin("refund", work, stop=stop)

    @precondition(lambda self: any(row["status"] == "unknown" for row in self.book["refunds"]))
    @rule(who=processes, which=numbers, stop=stops)
    def operator_reads_the_portal(self, *, who: int, which: int, stop: int) -> None:
        """Say how a refund ended that the gateway cannot explain; truthfully."""
        row = pick([row for row in self.book["refunds"] if row["status"] == "unknown"], which)
        attempt = next(each for each in self.book["attempts"] if each["id"] == row["attempt_id"])
        given = self.town.bank.refund(self.town.bank.charges[attempt["track"]], row["key"])
        if given is not None and given.done_at > self.town.clock.now():
            return  # the portal does not say yet
        done = given is not None and not given.refused
        work = self.process(who).refunds.resolve(
            self.ref(attempt), row["key"], done=done, reference=f"B{row['key']}", who="op"
        )
        self.begin("resolve", work, stop=stop)

    @precondition(lambda self: any(row["status"] == "review" for row in self.book["orders"]))
    @rule(who=processes, which=numbers, retry=st.booleans(), stop=stops)
    def operator_ends_a_review(self, *, who: int, which: int, retry: bool, stop: int) -> None:
        """Close it, or have it recorded again."""
        row = pick([row for row in self.book["orders"] if row["status"] == "review"], which)
        closing = self.process(who).closing
        if retry:
            self.begin("retry", closing.retry_posting(row["ref"], who="op"), stop=stop)
        elif not any(each.taken > each.went_back(self.town.clock.now()) for each in self.charges(row["ref"])):
            # Whoever closes has looked into the bank's portal.
            self.begin("close", closing.close(row["ref"], why="nothing taken", who="op"), stop=stop)

    # --- processes, outages, time ----------------------------------------------------------------

    @rule(who=processes, stop=stops, fault=faults)
    def sweeps(self, *, who: int, stop: int, fault: Mood = Mood.WELL) -> None:
        """A pass of the sweep."""
        self.begin("sweep", self.process(who).orders.sweep(), stop=stop, fault=fault)

    @precondition(lambda self: self.town.ops)
    @rule(which=numbers, stop=stops)
    def goes_on(self, *, which: int, stop: int) -> None:
        """What was held goes on."""
        self.town.resume(pick(self.town.ops, which), stop)

    @precondition(lambda self: self.town.ops)
    @rule(which=numbers)
    def dies(self, *, which: int) -> None:
        """The process dies in which something was held."""
        self.figures.killed += 1
        self.town.kill(pick(self.town.ops, which))

    @rule(seconds=times)
    def time_passes(self, *, seconds: int) -> None:
        """Nothing happens for a while."""
        self.town.advance(seconds)

    @rule(what=st.sampled_from(("opens", "once", "registry", "chats")), mood=moods, final=final)
    def outage(self, *, what: str, mood: Mood, final: bool) -> None:
        """Something outside goes down, does something odd, or comes back."""
        town = self.town
        if what == "chats":
            town.chats.away = mood is not Mood.WELL
        elif what == "registry":
            town.registry.mood, town.registry.refuses = mood, final
        else:
            next(each for each in town.gateways if each.name == what).mood = mood

    @precondition(lambda self: self.town.bank.charges)
    @rule(who=processes)
    def dark_day(self, *, who: int) -> None:
        """No gateway answers for a day and more."""
        before = [gateway.mood for gateway in self.town.gateways]
        for gateway in self.town.gateways:
            gateway.mood = Mood.DOWN
        self.town.advance(25 * HOUR)
        self.begin("sweep", self.process(who).orders.sweep())
        for gateway, mood in zip(self.town.gateways, before, strict=True):
            gateway.mood = mood

    @rule(who=processes, current=processes)
    def restarts(self, *, who: int, current: int) -> None:
        """A process starts anew, perhaps with another gateway for new payments."""
        self.town.processes[who].configure(current)

    # --- what must hold --------------------------------------------------------------------------

    @invariant()
    def truths_hold(self) -> None:
        """After every step."""
        self.figures.steps += 1
        self.heed()
        self.truths.check(self.book, self.town.clock.now())

    def teardown(self) -> None:
        """All outages end, time passes, notifications come again; then the books are closed."""
        try:
            self._end()
        finally:
            self.figures.seen |= self.truths.seen
            self.figures.captures += sum(bool(each.taken) for each in self.town.bank.charges.values())
            self.figures.refunds += sum(len(each.given) for each in self.town.bank.charges.values())
            self.figures.seconds += sum(row["reason"] == "second" for row in self.book["attempts"])
            self.town.close()

    def _end(self) -> None:
        for op in list(self.town.ops):
            self.town.resume(op)
        self.town.chats.away, self.town.registry.mood, self.town.registry.refuses = False, Mood.WELL, False
        for gateway in self.town.gateways:
            gateway.mood = gateway.refunding = Mood.WELL
        self.truths_hold()
        self._days_pass()
        plain = [charge for charge in self.town.bank.charges.values() if not charge.fickle]
        must(not (lost := self.truths.missed(self.book, plain)), "found without being told", lost)
        for told in self.town.bank.told:
            self.notify(told, 0)
        self._days_pass()
        self.truths.end(self.book, self.town.chats.news)

    def _days_pass(self) -> None:
        """More than a day, with a sweep whenever something is due."""
        until = self.town.clock.now() + 27 * HOUR
        while (now := self.town.clock.now()) < until:
            self.sweeps_now()
            dues = [row["due"] for name in ("attempts", "notices", "refunds") for row in self.book[name]]
            dues += [row["post_due"] for row in self.book["orders"]]
            soon = min((due for due in dues if due is not None), default=until)
            self.town.advance(max(2 * MINUTE, min(soon, until) - now))
        self.sweeps_now()

    def sweeps_now(self) -> None:
        """A pass that nothing disturbs."""
        op = self.begin("sweep", self.town.processes[0].orders.sweep())
        assert not isinstance(op.result(), Exception), op.result()
        self.heed()
        self.truths.check(self.book, self.town.clock.now())
