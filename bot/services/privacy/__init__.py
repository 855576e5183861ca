"""Personal data: what is kept and for how long, a resident's copy of it, forgetting, and retention by itself."""

from bot.services.privacy.export import Exports
from bot.services.privacy.periods import INVENTORY, PERIODS, Kind, Period
from bot.services.privacy.retention import Retention
from bot.services.privacy.service import Privacy, executors

__all__ = ["INVENTORY", "PERIODS", "Exports", "Kind", "Period", "Privacy", "Retention", "executors"]
