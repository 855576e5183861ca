"""Arabic words of the page, for tests that look at it. The real ones are in the catalogue."""

from bot.i18n.text import Msg

_AR = {
    "Iqamati": "إقامتي",
    "Fines: find them, pay them and keep the receipt, in one conversation.": (
        "المخالفات: الاستعلام والدفع والإيصال في محادثة واحدة."
    ),
    "Unofficial service": "خدمة غير رسمية",
    "Skip to the message field": "الانتقال إلى حقل الكتابة",
    "Conversation": "المحادثة",
    "Messages": "الرسائل",
    "You:": "أنت:",
    "Iqamati:": "إقامتي:",
    "Choices": "الخيارات",
    "Write a message": "اكتب رسالة",
    "Send": "إرسال",
    "Sending…": "جارٍ الإرسال…",
    "Not sent. Try again": "لم تُرسل. إعادة المحاولة",
    "Attach a file": "إرفاق ملف",
    "Your file did not reach us. Choose it again.": "لم يصل ملفك. يرجى اختياره من جديد.",
    "That did not reach us. Press again.": "لم يصل اختيارك. اضغط مرة أخرى.",
    "Connection lost. Reconnecting…": "انقطع الاتصال. جارٍ إعادة الاتصال…",
    "The chat needs cookies. Allow them for this site, then open it again.": (
        "تحتاج المحادثة إلى ملفات تعريف الارتباط. اسمح بها لهذا الموقع ثم افتحه من جديد."
    ),
    "Iqamati is typing…": "إقامتي تكتب…",
    "Go to the newest message": "الانتقال إلى أحدث رسالة",
    "Today": "اليوم",
    "Yesterday": "أمس",
    "Copy": "نسخ",
    "Copied": "تم النسخ",
    "opens in a new tab": "يُفتح في صفحة جديدة",
    "Your message was deleted to protect your data.": "حُذفت رسالتك حمايةً لبياناتك.",
    "Photo": "صورة",
    "Voice message": "رسالة صوتية",
    "Video": "مقطع مرئي",
    "File": "ملف",
    "This chat needs JavaScript. Turn it on in your browser, then open the page again.": (
        "تحتاج هذه المحادثة إلى JavaScript. فعّله في المتصفح ثم افتح الصفحة من جديد."
    ),
}


def translate(msg: Msg, language: str) -> str:
    """What the catalogue would say. A word that is missing here fails the test that needs it."""
    return _AR[msg] if language == "ar" else msg
