"""Synthetic names, plausible and mixed as the country's residents are, in Arabic and in Latin letters."""

from typing import Final

import msgspec

from bot.i18n.text import Local
from bot.sandbox.people import draw

_CHANGES: Final = {"A": "E", "E": "A", "I": "E", "O": "U", "U": "O", "Y": "I"}
"""How one letter of a Latin name is commonly mistaken."""


class Origin(msgspec.Struct, frozen=True):
    """Names of one origin; each pair is Arabic, Latin."""

    men: tuple[tuple[str, str], ...]
    women: tuple[tuple[str, str], ...]
    families: tuple[tuple[str, str], ...]


_ARAB: Final = Origin(
    men=(
        ("محمود", "MAHMOUD"),
        ("أحمد", "AHMED"),
        ("خالد", "KHALED"),
        ("طارق", "TAREK"),
        ("سامر", "SAMER"),
        ("يوسف", "YOUSSEF"),
        ("عمر", "OMAR"),
        ("حسام", "HOSSAM"),
    ),
    women=(
        ("فاطمة", "FATMA"),
        ("مريم", "MARIAM"),
        ("هبة", "HEBA"),
        ("نور", "NOUR"),
        ("رنا", "RANA"),
        ("سلمى", "SALMA"),
        ("دينا", "DINA"),
        ("ليلى", "LAYLA"),
    ),
    families=(
        ("عبد السلام", "ABDELSALAM"),
        ("الشافعي", "ELSHAFEI"),
        ("منصور", "MANSOUR"),
        ("الخطيب", "ALKHATIB"),
        ("درويش", "DARWISH"),
        ("شاهين", "SHAHEEN"),
        ("بركات", "BARAKAT"),
        ("عيسى", "ISSA"),
    ),
)
_INDIA: Final = Origin(
    men=(
        ("راجيش", "RAJESH"),
        ("أنيل", "ANIL"),
        ("سونيل", "SUNIL"),
        ("فيجاي", "VIJAY"),
        ("عبد الرحمن", "ABDURAHIMAN"),
        ("توماس", "THOMAS"),
        ("براكاش", "PRAKASH"),
        ("بيجو", "BIJU"),
    ),
    women=(
        ("براتيبها", "PRATHIBHA"),
        ("لاكشمي", "LAKSHMI"),
        ("سونيتا", "SUNITHA"),
        ("أنجالي", "ANJALI"),
        ("شيني", "SHINY"),
        ("ميرا", "MEERA"),
        ("فاطمة", "FATHIMA"),
        ("جيسي", "JESSY"),
    ),
    families=(
        ("كومار", "KUMAR"),
        ("نايير", "NAIR"),
        ("شارما", "SHARMA"),
        ("ريدي", "REDDY"),
        ("كويا", "KOYA"),
        ("فارغيز", "VARGHESE"),
        ("بيلاي", "PILLAI"),
        ("خان", "KHAN"),
    ),
)
_BENGAL: Final = Origin(
    men=(
        ("محمد رفيق", "MOHAMMAD RAFIQ"),
        ("شاه عالم", "SHAH ALAM"),
        ("عبد الكريم", "ABDUL KARIM"),
        ("جاهانغير", "JAHANGIR"),
        ("عمران", "IMRAN"),
        ("زاهد", "ZAHID"),
        ("نور الحق", "NURUL HAQUE"),
        ("سليم", "SALEEM"),
    ),
    women=(
        ("نسرين", "NASRIN"),
        ("شيرين", "SHIRIN"),
        ("روخسانا", "RUKHSANA"),
        ("عائشة", "AYESHA"),
        ("سعدية", "SADIA"),
        ("تسليمة", "TASLIMA"),
        ("فرزانة", "FARZANA"),
        ("شبانة", "SHABANA"),
    ),
    families=(
        ("حسين", "HOSSAIN"),
        ("ميا", "MIAH"),
        ("الإسلام", "ISLAM"),
        ("أحمد", "AHMED"),
        ("بوت", "BUTT"),
        ("إقبال", "IQBAL"),
    ),
)
_ISLANDS: Final = Origin(
    men=(
        ("جون بول", "JOHN PAUL"),
        ("ماريو", "MARIO"),
        ("رودريغو", "RODRIGO"),
        ("نيمال", "NIMAL"),
        ("سوريش", "SURESH"),
        ("راميش", "RAMESH"),
        ("جيرالد", "GERALD"),
        ("بيشنو", "BISHNU"),
    ),
    women=(
        ("ماريا", "MARIA"),
        ("جوسيلين", "JOCELYN"),
        ("غريس", "GRACE"),
        ("روزالي", "ROSALIE"),
        ("كوماري", "KUMARI"),
        ("سيتا", "SITA"),
        ("مارلين", "MARLENE"),
        ("بيملا", "BIMALA"),
    ),
    families=(
        ("سانتوس", "SANTOS"),
        ("رييس", "REYES"),
        ("كروز", "CRUZ"),
        ("بيريرا", "PERERA"),
        ("فرناندو", "FERNANDO"),
        ("غورونغ", "GURUNG"),
    ),
)
_ORIGINS: Final = (_ARAB, _ARAB, _INDIA, _INDIA, _BENGAL, _ISLANDS)


class Named(msgspec.Struct, frozen=True):
    """A name as the records have it, and its Latin form on the residency, in capitals."""

    name: Local
    latin: str


def named(index: int, house: int, *, woman: bool) -> Named:
    """The name of the person at ``index``; those of one ``house`` share origin, father's name and family.

    First names of a house differ as the last digits of the serials do, of which there are seven.
    """
    origin = _ORIGINS[draw(house, "origin", len(_ORIGINS))]
    middle = origin.men[draw(house, "father", len(origin.men))]
    # Nobody of a house is called like the father, whose name all of them bear.
    given = [name for name in (origin.women if woman else origin.men) if name != middle]
    first = given[(draw(house, "first name", len(given)) + index % 10) % len(given)]
    last = origin.families[draw(house, "family name", len(origin.families))]
    arabic = f"{first[0]} {middle[0]} {last[0]}"
    latin = f"{first[1]} {middle[1]} {last[1]}"
    return Named(Local(arabic, latin.title()), latin)


def misprinted(latin: str) -> str:
    """``latin`` with a letter of the first word mistaken: the last one that is easily so."""
    for place in range(len(latin.partition(" ")[0]) - 1, -1, -1):
        if (other := _CHANGES.get(latin[place])) is not None:
            return f"{latin[:place]}{other}{latin[place + 1 :]}"
    return f"{latin}S"
