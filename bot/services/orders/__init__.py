"""Orders: what a resident chose to pay, from the link to the registry's record of it."""

from bot.services.orders.executors import executors
from bot.services.orders.parts import Appraiser, Baskets, Bill, Heard, Registry, Terms
from bot.services.orders.service import Orders

__all__ = ["Appraiser", "Baskets", "Bill", "Heard", "Orders", "Registry", "Terms", "executors"]
