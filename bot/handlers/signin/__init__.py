"""Our pages on the way to the identity provider and back."""

from bot.handlers.signin.routes import signin_routes

__all__ = ["signin_routes"]
