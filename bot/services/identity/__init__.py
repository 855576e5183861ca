"""Who is asking: sign-in with an OpenID Connect provider, by a one-time link from the chat."""

from bot.services.identity.discovery import NoCivilId
from bot.services.identity.provider import Provider, ProviderTerms
from bot.services.identity.service import BACK, LIFE, Code, Link, Onward, SignIns, Way, executors

__all__ = [
    "BACK",
    "LIFE",
    "Code",
    "Link",
    "NoCivilId",
    "Onward",
    "Provider",
    "ProviderTerms",
    "SignIns",
    "Way",
    "executors",
]
