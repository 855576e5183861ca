"""The web chat's page: template, style, script and icon, served by `bot.handlers.web.page`."""
