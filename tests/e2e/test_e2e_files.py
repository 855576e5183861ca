"""A list of workers through the command line: asked for, sent, checked; and what will not do."""

from datetime import date

from bot.sandbox.cast_bodies import WAHA
from bot.sandbox.relations import workers
from tests.e2e.command import Run
from tests.e2e.test_e2e_renewal import LINK, code_for

USER = ("--channel-user", "company", "--lang", "en")
AUTHORISED = "274090908407"
"""Of the cast: an authorised user of one company."""


def test_a_list_of_workers_is_sent_and_checked(service: Run) -> None:
    home = service.home
    list_of_workers = home.folder / "our workers.csv"
    # Whoever works there: the list does not depend on the day.
    rows = [worker.civil_id for worker in workers(WAHA.number, date(2026, 11, 22))]
    list_of_workers.write_text("\r\n".join(["civil id", *rows]), "utf-8")
    scan, large = home.folder / "scan.csv", home.folder / "large.csv"
    scan.write_bytes(b"%PDF-1.7\n")
    large.write_bytes(b"1" * 5_000_001)

    (link,) = {found[0] for line in home.chat("/company", arguments=USER) if (found := LINK.search(line))}
    desk = home.chat(f"!file {list_of_workers}", code_for(link, AUTHORISED), arguments=USER)
    assert "< I can read text and button presses here, not photos, voice or files." in desk
    (choice,) = {line.strip()[1] for line in desk if line.endswith("A list as a file")}
    sent = home.chat(choice, f"!file {scan}", f"!file {large}", arguments=USER)
    assert (
        "< I can read tables here: a file that ends in .xlsx or .csv. Save it as one, then send it again."
        in sent
    )
    assert "< That file is larger than 5 MB. Send a smaller one, or the same in several parts." in sent
    assert sent[-1] == "  [!file PATH]", "it is still asked for"
    home.chat(f"!file {home.folder / 'nowhere.csv'}", arguments=USER, code=1)
    checked = home.chat(f"!file {list_of_workers}", "!wait", arguments=USER)
    assert f"< {len(rows)} rows of Al Waha General Trading Co. are checked:" in checked
    assert not [line for line in checked if line.startswith("!")]
