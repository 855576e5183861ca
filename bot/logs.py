"""Logs: one JSON line an event, to standard error. They name types and references, never people."""

import logging
import sys

import structlog


def set_up(level: str) -> None:
    """Log from ``level`` (``debug`` … ``error``) up.

    Libraries log from WARNING up: at INFO some of them write addresses with tokens in them.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr, format="%(name)s: %(message)s")
