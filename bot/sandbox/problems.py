"""Refusals of the sandbox registry, told as problem+json (RFC 9457)."""

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.sandbox.faults import Fault

_BUSY_AFTER = 30


class Problem(Exception):
    """A refusal. ``title`` never quotes the request."""

    def __init__(self, status: int, code: str, title: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.title, self.headers = status, code, title, headers


def told(_request: Request, problem: Exception) -> Response:
    """The problem+json of one of ours, or of a routing error of Starlette's."""
    if isinstance(problem, HTTPException):
        code = {404: "not_found", 405: "method_not_allowed"}.get(problem.status_code, "bad_request")
        problem = Problem(
            problem.status_code, code, "No such resource or method", dict(problem.headers or {})
        )
    if not isinstance(problem, Problem):
        problem = Problem(500, "internal", "Something went wrong")
    body = {"type": "about:blank", "title": problem.title, "status": problem.status, "code": problem.code}
    return Response(
        msgspec.json.encode(body), problem.status, problem.headers, media_type="application/problem+json"
    )


def failure(fault: Fault) -> Problem:
    """The refusal that ``fault`` is."""
    if fault is Fault.BUSY:
        return Problem(429, "busy", "Too many requests", {"Retry-After": str(_BUSY_AFTER)})
    if fault is Fault.ERROR:
        return Problem(500, "internal", "Something went wrong")
    return Problem(503, "unavailable", "The registry is not available")
