"""Lines of an order that renew residencies, recorded person by person."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Nothing yet."""
