"""Days as the law counts them: whole months and years on the calendar of Asia/Kuwait."""

from calendar import monthrange
from datetime import date

from bot.clock import local


def day_of(at: int) -> date:
    """The day in Kuwait at ``at`` (epoch seconds)."""
    return local(at).date()


def add_months(day: date, months: int) -> date:
    """The same day of the month ``months`` later, or that month's last one where it is shorter."""
    ahead = day.month - 1 + months
    year, month = day.year + ahead // 12, ahead % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def add_years(day: date, years: int) -> date:
    """The same day ``years`` later; 28 February for a 29th that is not there."""
    return add_months(day, 12 * years)
