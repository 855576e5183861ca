"""Logs: one JSON line an event, to standard error. They name types and references, never people."""

import logging
import sys
import traceback
from types import TracebackType

import structlog

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


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
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Discreet("%(name)s: %(message)s"))
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler])


class _Discreet(logging.Formatter):
    """Tells where an exception happened and of which type, not its text, which may quote a resident."""

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 - logging's name
        """The frames, innermost last, and the type."""
        kind, _, trace = ei
        where = "".join(traceback.format_tb(trace))
        return f"{where}{kind.__name__ if kind else ''}"
