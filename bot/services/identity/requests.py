"""Requests to a provider as RFC 6749 and 7636 write them, by Authlib."""

from collections.abc import Callable
from typing import Any

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import (
    prepare_grant_uri,  # pyright: ignore[reportUnknownVariableType] - its stub leaves the result open
    prepare_token_request,
)
from authlib.oauth2.rfc7636 import (
    create_s256_code_challenge,  # pyright: ignore[reportUnknownVariableType] - likewise
)

# Authlib's stubs leave these results open, which is what the checkers are told to pass over.
grant_uri: Callable[..., str] = prepare_grant_uri  # pyright: ignore[reportUnknownVariableType]
challenge: Callable[[str], str] = create_s256_code_challenge  # pyright: ignore[reportUnknownVariableType]
token_request: Callable[..., str] = prepare_token_request
client_auth: Callable[[str, str, str], Any] = ClientAuth
