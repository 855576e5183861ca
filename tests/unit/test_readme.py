"""The settings as the documents tell them: README's table and .env.example say what the code says."""

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from bot.config import Settings

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.*?) \| (.*?) \|$", re.MULTILINE)
LINE = re.compile(r"^# (.+)\n#([A-Z_]+)=(.*)$", re.MULTILINE)
LINK = re.compile(r"(?:\]\(|src=\")([^)\"#:\s]+)(?:#[^)]*)?[)\"]")


def as_text(default: object) -> str:
    """A default as an operator would write it in the environment."""
    match default:
        case SecretStr():
            return default.get_secret_value()
        case tuple():
            return ",".join(str(part) for part in default)  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return str(default)


def settings() -> Iterator[tuple[str, str, str]]:
    for name, field in Settings.model_fields.items():
        yield name.upper(), as_text(field.default), field.description or ""


def test_the_readme_names_every_setting_with_its_default_and_meaning() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    table = [(name, default.strip("`"), meaning) for name, default, meaning in ROW.findall(text)]
    assert table == list(settings())


def test_the_example_environment_names_every_setting_with_its_default() -> None:
    text = (ROOT / ".env.example").read_text("utf-8")
    listed = [(name, default, meaning) for meaning, name, default in LINE.findall(text)]
    assert listed == list(settings())


def test_links_between_the_documents_lead_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    lost = [
        f"{document.relative_to(ROOT)}: {link}"
        for document in documents
        for link in LINK.findall(document.read_text("utf-8"))
        if not (document.parent / link).exists()
    ]
    assert lost == []
