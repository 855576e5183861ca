"""My data: what is kept of this chat, one number remembered by consent, a copy, and forgetting it all.

``/mydata`` and ``/forget`` are the two dialogs' ids. Sources: the rights of access, withdrawal and erasure of Kuwait's
Data Privacy Protection Regulation (CITRA decision 26 of 2024); periods: docs/privacy.md.
"""

from bot.dialogs.my_data.effects import (
    Export,
    ExportData,
    ForgetAll,
    Forgotten,
    Kept,
    ListKept,
    Recall,
    Recalled,
    Remember,
    Remembered,
    RememberRefused,
    Unremember,
)
from bot.dialogs.my_data.forget import DIALOG as FORGET
from bot.dialogs.my_data.mine import DIALOG as MY_DATA

__all__ = [
    "FORGET",
    "MY_DATA",
    "Export",
    "ExportData",
    "ForgetAll",
    "Forgotten",
    "Kept",
    "ListKept",
    "Recall",
    "Recalled",
    "Remember",
    "RememberRefused",
    "Remembered",
    "Unremember",
]
