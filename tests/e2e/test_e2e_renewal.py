"""A family renewed through the command line and a browser: sign-in, file, one payment, new dates in the records."""

import re

import httpx

from tests.e2e.command import CIVIL_ID, Run

USER = ("--channel-user", "family", "--lang", "en")
LINK = re.compile(r"http://127\.0\.0\.1:\d+/signin/\S+")
_CODE = re.compile(r'class="digits"><bdi dir="ltr">(\d{3}) (\d{3})<')


def code_for(link: str, civil_id: str = CIVIL_ID) -> str:
    """What a browser does with the sign-in link, up to the code on the page."""
    with httpx.Client(trust_env=False, timeout=20) as browser:
        provider = browser.post(link, data={"go": "1"})
        assert provider.status_code == 303, provider.text
        back = browser.post(provider.headers["location"], data={"civil_id": civil_id, "knob": ""})
        assert back.status_code == 303, back.text
        found = _CODE.search(browser.get(back.headers["location"], follow_redirects=True).text)
    assert found
    return found[1] + found[2]


def test_a_family_is_renewed_with_one_payment(service: Run) -> None:
    home = service.home
    asked = home.chat("/renewal", arguments=USER)
    (link,) = {found[0] for line in asked if (found := LINK.search(line))}
    file = home.chat(code_for(link), arguments=USER)
    assert "< 5 residencies on your file:" in file
    assert "< ✕ Mother: ends in 20 days; 2 blocks" in file
    assert "< ✓ Wife: ends in 41 days; can be renewed now" in file
    assert "< ✓ Son: ends in 41 days; can be renewed now" in file
    assert "  [1] Renew the 2 ready" in file
    way = home.chat("1", "1", "1", "1", "1", "!pay approved", arguments=USER)
    assert "  [1] 1 year: 40.000 KWD" in way
    assert "< In all 40.000 KWD" in way
    paid = way[way.index("> !pay approved") :]
    assert "< ✓ Paid: 40.000 KWD" in paid
    assert not [line for line in way if line.startswith("!")]
    again = home.chat("/renewal", arguments=USER)  # still signed in
    assert "< 5 residencies on your file:" in again
    assert not [line for line in again if "can be renewed now" in line]
    assert sum("renewal opens on" in line for line in again) == 3, (
        "the two who were renewed, and the daughter"
    )
