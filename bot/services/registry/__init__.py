"""The registry: what somebody owes, whose residency ends when, and recording what was paid.

Contract: the OpenAPI document of the sandbox, explained in docs/registry.md. Numbers of persons travel in
bodies only.
"""

from bot.services.registry.client import CONFLICTS, SERVICE, Registry, executors

__all__ = ["CONFLICTS", "SERVICE", "Registry", "executors"]
