"""The sandbox provider's page: who wants to sign in? No password: everybody may be anybody here."""

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from string import Template
from typing import Final
from urllib.parse import urlencode

from bot.i18n.text import Local
from bot.sandbox.cast import DEMO

_PAGE: Final = Template((files("bot.web") / "identity.html").read_text("utf-8"))

_TITLE: Final = Local("تسجيل دخول تجريبي", "SANDBOX sign-in")
_WARNING: Final = Local(
    "صفحة تجريبية (SANDBOX): لا كلمة مرور هنا، وكل شخص فيها مُختلَق. اختر من تكون.",
    "SANDBOX: there is no password here, and everybody is made up. Choose who you are.",
)
_OTHER_ID: Final = Local("رقم مدني آخر", "Another civil ID")
_SIGN_IN: Final = Local("تسجيل الدخول", "Sign in")
_REFUSE: Final = Local("رفض", "Refuse")
_WRONG: Final = Local("ليس رقماً مدنياً صحيحاً.", "That is not a valid civil ID.")
_STRANGE: Final = Local(
    "هذا الطلب ليس من الخدمة التي تعرفها هذه الصفحة.",
    "This request does not come from the service that this page knows.",
)
_NAMES: Final = Local("English", "العربية")


def page(query: Mapping[str, str], *, knob: str, wrong: bool = False) -> str:
    """The page as HTML.

    Args:
        query: the authorization request, which the form sends along in its address.
        knob: fault that the form asks for; empty for none.
        wrong: what was typed is no civil ID.
    """
    language = _language(query)
    action = escape("?" + urlencode({name: value for name, value in query.items() if name != "knob"}))
    form = f'<form method="post" action="{action}">'
    if knob:
        form += f'<input type="hidden" name="knob" value="{escape(knob)}">'
    people = "".join(
        f'<button name="civil_id" value="{each.civil_id}" class="plain">'
        f'<bdi dir="ltr">{each.civil_id}</bdi><br>{_said(each.note, language)}</button>'
        for each in DEMO
    )
    typed = (
        f'<p><label for="typed">{_said(_OTHER_ID, language)}</label><br>'
        '<input id="typed" name="civil_id" inputmode="numeric" maxlength="12" autocomplete="off" dir="ltr"></p>'
        f"<button>{_said(_SIGN_IN, language)}</button>"
    )
    refuse = f'<button name="refuse" value="1" class="plain">{_said(_REFUSE, language)}</button>'
    note = f'<p class="note" role="alert">{_said(_WRONG, language)}</p>' if wrong else ""
    work = f"{note}{form}{people}</form>{form}{typed}</form>{form}{refuse}</form>"
    return _framed(query, language, work)


def strange(query: Mapping[str, str]) -> str:
    """The page for a request that leads nowhere."""
    language = _language(query)
    return _framed({}, language, f"<p>{_said(_STRANGE, language)}</p>")


def _framed(query: Mapping[str, str], language: str, work: str) -> str:
    other = "en" if language == "ar" else "ar"
    return _PAGE.substitute(
        lang=language,
        dir="rtl" if language == "ar" else "ltr",
        other=other,
        other_name=_said(_NAMES, language),
        toggle=escape(urlencode({**query, "ui_locales": other})),
        title=_said(_TITLE, language),
        warning=_said(_WARNING, language),
        work=work,
    )


def _language(query: Mapping[str, str]) -> str:
    return "en" if query.get("ui_locales", "").startswith("en") else "ar"


def _said(text: Local, language: str) -> str:
    return escape(text.ar if language == "ar" else text.en)
