"""The sandbox gateway's hosted page: what it says, and how it is put together."""

from html import escape
from importlib.resources import files
from string import Template
from typing import Final
from urllib.parse import urlencode

from bot.i18n.text import Local

_WEB = files("bot.web")
_PAGE: Final = Template((_WEB / "pay_gateway.html").read_text("utf-8"))
STYLE: Final = (_WEB / "pay.css").read_text("utf-8")

PAGE_HEADERS: Final = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
    "cache-control": "no-store",
}

_TITLE: Final = Local("بوابة دفع تجريبية", "SANDBOX payment gateway")
_WARNING: Final = Local(
    "صفحة تجريبية (SANDBOX): لا تطلب بطاقة ولا تنقل مالاً. اختر كيف يجيب البنك.",
    "SANDBOX: this page takes no card and moves no money. Choose how the bank answers.",
)
_AMOUNT: Final = Local("المبلغ", "Amount")
_TRACK: Final = Local("رقم العملية", "Track id")
_BACK: Final = Local("العودة إلى صفحة الدفع", "Back to the merchant")
_STATUS: Final = Local("حالة العملية", "Status")
_OTHER: Final = Local("English", "العربية")
_BUTTONS: Final = (
    ("approved", Local("ادفع (موافقة)", "Pay (approved)"), "main"),
    ("funds", Local("رفض: الرصيد غير كافٍ", "Declined: insufficient funds"), "plain"),
    ("pin", Local("رفض: الرمز السري خاطئ", "Declined: wrong PIN"), "plain"),
    ("cancel", Local("إلغاء", "Cancel"), "plain"),
    (
        "timeout",
        Local("البنك لا يجيب (بعد الخصم)", "The bank does not answer (timeout after capture)"),
        "plain",
    ),
    ("pending", Local("إبقاؤها معلّقة", "Leave pending"), "plain"),
)


def page(
    *, language: str, amount: str, track: str, description: str, status: str, knob: str, back: str
) -> str:
    """The page as HTML. ``back`` is the merchant's address, offered once the charge is settled."""

    def said(text: Local) -> str:
        return escape(text.ar if language == "ar" else text.en)

    if status == "INITIATED":
        rows = "".join(
            f'<button name="button" value="{value}" class="{look}">{said(label)}</button>'
            for value, label, look in _BUTTONS
        )
        hidden = f'<input type="hidden" name="knob" value="{escape(knob)}">' if knob else ""
        work = f'<form method="post">{hidden}{rows}</form>'
    else:
        work = (
            f"<p>{said(_STATUS)}: <bdi>{escape(status)}</bdi></p>"
            f'<p><a class="button" href="{escape(back)}">{said(_BACK)}</a></p>'
        )
    other = "en" if language == "ar" else "ar"
    toggle = urlencode({"lang": other, **({"knob": knob} if knob else {})})
    return _PAGE.substitute(
        lang=language,
        dir="rtl" if language == "ar" else "ltr",
        other=other,
        other_name=said(_OTHER),
        toggle=escape(toggle),
        title=said(_TITLE),
        warning=said(_WARNING),
        amount_name=said(_AMOUNT),
        amount=escape(amount),
        track_name=said(_TRACK),
        track=escape(track),
        description=escape(description),
        work=work,
    )
