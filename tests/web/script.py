"""A scripted runtime: says what the real one would, in the shapes the real one uses."""

from bot.model import Attached, Button, Event, Pressed, Say, Settle, Span, Typed
from tests.web.site import Site

LRI, RLI, PDI = "\u2066", "\u2067", "\u2069"


def ltr(text: str) -> str:
    """A host name."""
    return f"{LRI}{text}{PDI}"


def own(text: str) -> str:
    """An amount: isolated, in the direction of the text."""
    return f"{RLI}{text}{PDI}"


def code(text: str) -> tuple[Span, Span, Span]:
    return Span(LRI), Span(text, "code"), Span(PDI)


class Script:
    """Answers events in the language last chosen."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.language = "ar"
        self.turn = 0
        self.step = 0

    async def __call__(self, event: Event) -> None:
        self.turn += 1
        match event:
            case Typed(text="/start"):
                await self.greet(event)
            case Typed(text=text) if text.startswith("/language "):
                self.language = text.removeprefix("/language ")
                await self.greet(event)
            case Typed():
                await self.fines(event)
            case Pressed(token="all"):
                await self.card(event)
            case Pressed():
                await self.settle(event, "✓")
                await self.greet(event)
            case Attached():
                await self.say(
                    event, Span("أقرأ النصوص هنا." if self.language == "ar" else "I can read text here.")
                )
            case _:
                raise AssertionError(event)

    async def say(self, event: Event, *spans: Span, rows: tuple[tuple[Button, ...], ...] = ()) -> None:
        self.step += 1
        await self.site.channel.deliver(
            event.chat,
            Say(key=f"{self.turn}:{self.step}", language=self.language, spans=spans, rows=rows),
        )

    async def settle(self, event: Pressed, text: str) -> None:
        await self.site.channel.deliver(
            event.chat,
            Settle(key=f"{self.turn}:s", language=self.language, source=event.source, spans=(Span(text),)),
        )

    async def greet(self, event: Event) -> None:
        if self.language == "ar":
            await self.say(
                event,
                Span("أهلاً بك. ماذا تحتاج اليوم؟\nيمكنك أيضاً إرسال الرقم المدني مباشرة."),
                rows=(
                    (Button("المخالفات والغرامات", "fines"),),
                    (Button("رقم مرجع الداخلية", "ref"),),
                    (Button("مساعدة", "help"), Button("القائمة", "menu")),
                ),
            )
        else:
            await self.say(
                event,
                Span("Welcome. What do you need today?\nYou can also send a civil ID straight away."),
                rows=(
                    (Button("Violations and fines", "fines"),),
                    (Button("MOI reference number", "ref"),),
                    (Button("Help", "help"), Button("Menu", "menu")),
                ),
            )

    async def fines(self, event: Event) -> None:
        if self.language == "ar":
            await self.say(
                event,
                Span("الرقم المدني "),
                *code("2850****0029"),
                Span("\nعليه 3 مخالفات بمجموع "),
                Span(own("45.000 د.ك."), "b"),
                Span(
                    "\n\n1. مخالفة إقامة، 12 مارس 2026: "
                    + own("20.000 د.ك.")
                    + "\n2. مرور، تجاوز الإشارة الضوئية الحمراء: "
                    + own("15.000 د.ك.")
                    + "\n3. مرور، وقوف ممنوع: "
                    + own("10.000 د.ك.")
                    + "\n\nمخالفة واحدة أخرى لا تُدفع إلكترونياً."
                ),
                rows=(
                    (Button("دفع الكل " + own("45.000 د.ك."), "all"),),
                    (Button("اختيار بعضها", "some"),),
                    (Button("لماذا لا تُدفع واحدة؟", "why"), Button("القائمة", "menu")),
                ),
            )
        else:
            await self.say(
                event,
                Span("Civil ID "),
                *code("2850****0029"),
                Span("\n3 violations, "),
                Span("45.000 KD", "b"),
                Span(" in all\n\n1. Residency fine, 12 March 2026: 20.000 KD\n2. Red light: 15.000 KD"),
                rows=(
                    (Button("Pay all 45.000 KD", "all"),),
                    (Button("Choose some", "some"),),
                    (Button("Menu", "menu"),),
                ),
            )

    async def card(self, event: Pressed) -> None:
        arabic = self.language == "ar"
        await self.settle(event, "دفع الكل ✓" if arabic else "Pay all ✓")
        link = "https://pay.example.kw/p/abc"
        if arabic:
            await self.say(
                event,
                Span(own("45.000 د.ك."), "b"),
                Span(" عن 3 مخالفات، للرقم المدني "),
                *code("2850****0029"),
                Span(
                    f"\nالرابط يفتح صفحة الدفع على {ltr('pay.example.kw')} وهو صالح حتى 14:35."
                    "\nيمكنك أيضاً الدفع من تطبيق سهل أو موقع الوزارة. لن نطلب هنا رقم بطاقة أو رمزاً سرياً."
                    "\nرقم الطلب "
                ),
                *code("IQ-7F3C-9A1D"),
                rows=(
                    (Button("🔗 فتح صفحة الدفع", url=link),),
                    (Button("دفعت بالفعل", "paid"), Button("إلغاء", "cancel")),
                ),
            )
        else:
            await self.say(
                event,
                Span("45.000 KD", "b"),
                Span(" for 3 violations. Order "),
                *code("IQ-7F3C-9A1D"),
                rows=(
                    (Button("🔗 Open the payment page", url=link),),
                    (Button("I have paid", "paid"), Button("Cancel", "cancel")),
                ),
            )
