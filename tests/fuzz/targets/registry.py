"""All targets, by name."""

from typing import Any, Final

from tests.fuzz.targets.base import Target
from tests.fuzz.targets.gateways import Gateways
from tests.fuzz.targets.lane import Server
from tests.fuzz.targets.readers import Readers
from tests.fuzz.targets.session import Store
from tests.fuzz.targets.sheets import Sheets
from tests.fuzz.targets.signin import SignIn
from tests.fuzz.targets.talk import Conversations, Presses
from tests.fuzz.targets.telegram import Telegram
from tests.fuzz.targets.web import Web
from tests.fuzz.targets.wire import Wires

TARGETS: Final[dict[str, type[Target[Any]]]] = {
    kind.name: kind
    for kind in (
        Telegram,
        Server,
        Wires,
        Presses,
        Web,
        Gateways,
        SignIn,
        Sheets,
        Readers,
        Store,
        Conversations,
    )
}
