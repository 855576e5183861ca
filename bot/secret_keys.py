"""The secret keys of the data folder."""

import contextlib
import os

from bot.config import Settings
from bot.crypto import Keyring


def load_keyring(settings: Settings) -> Keyring:
    """The encryption keys: the given ones, or those made once and kept in the data folder.

    Raises:
        ConfigError: the given ones are malformed.
    """
    given = settings.secret_keys.get_secret_value()
    if given:
        return Keyring.parse(given)
    path = settings.data_dir / "secret_keys"
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        # Made under another name first: a process that starts at the same moment never reads half a key.
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(Keyring.generate(), "ascii")
        try:
            os.link(draft, path)
        finally:
            draft.unlink()
    return Keyring.parse(path.read_text("ascii"))
