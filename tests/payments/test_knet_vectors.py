"""KNET's cipher against fixed vectors, and the messages written and read with it.

The vectors were made with Python's cryptography and agree with KNET's own PHP kit, OpenSSL, Node and two
independent clients. The counterpart is held against them as well, so that it cannot err along with us.
"""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bot.errors import Malformed
from bot.services.payments import Charge
from bot.services.payments.knet import Knet
from bot.services.payments.knet.cipher import decrypted, encrypted
from bot.services.payments.knet.messages import request_text
from tests.payments.counterparts import knet as counterpart
from tests.payments.world import FakeClock

KEY = b"TESTKEY0123456AB"
SHORTEST = (
    "id=1&password=p",
    "8FF2F39BA7D4497F3335A4FCEF4FF5CA",
)
ALIGNED = (
    "0123456789ABCDEF",
    "06E80AA805B1FBBB5EBB1A868855D48A71CDE798195E77AA7F7F4E04C380C68C",
)
REQUEST = (
    "id=999901&password=999901pg&action=1&langid=AR&currencycode=414&amt=5.250&responseURL=https://pay.example.com/knet/notify&errorURL=https://pay.example.com/knet/error&trackid=KB7F3C9A1D2E40518&udf1=&udf2=&udf3=&udf4=&udf5=",
    "AB2582249984B2C1271850356261D86002C70906D642C1AD1BA506DEE9A19202D0AC09B2C298856EF3FE20AF18617F10278435A7B78BDA02E2DFD7AC9622A41C57C4A1A70A8CD04D0D59A5B59C8E0A69A8DCF1D6024ECCDC6CCC0635B3424001B133B04E8389324A1E0E8566B58080645E50ACD13EB6FDE64F559EBFF94AD08FB3A828802B924751FD50B022555F3D829CFBCCFD0AE20A993B3F6A8C744CA33AED92EC380AE87C33F757722F8660BCA70C6D944CA3B9C2E88B4E09686AD172867807154AC88CC14BB29B1871302C8ED070D3284E04F675EEF05C817ECEC73F2A",
)
PAID = (
    "paymentid=100202600000000001&result=CAPTURED&auth=999554&avr=N&ref=600100000001&tranid=600100000002&postdate=0131&trackid=KB7F3C9A1D2E40518&udf1=&udf2=&udf3=&udf4=&udf5=&amt=5.250&authRespCode=00",
    "7B997A6FBEF71C1A37838269B66F4DFF0415685C76E267A795688BE6B09D0C732B5E492EBD2CC4B4E9B9B54A00D22B0C6FB55C550AB885EF7821FB2B498E352454B23A6436F88C5E4C1B591C613058DA8B7348A1FDB455A7D06A629913DB9389E878DCA5F465BE3377F0CA55F7146696322CA2078876D8D91286DAF77E505F313229E18B6F28CCE681F42B4F5C23B818DD5D4CCF8C7F91840AFD16C3F28930B9F4C0720E695A8A730E81BB07CB59C21812D5F2179A565B86234867218961A36179C0674A7BB31EF8A5B88BE4924AFFAC",
)
DECLINED = (
    "paymentid=100202600000000001&result=NOT+CAPTURED&auth=000000&avr=N&ref=600100000001&tranid=600100000002&postdate=0131&trackid=KB7F3C9A1D2E40518&udf1=&udf2=&udf3=&udf4=&udf5=&amt=5.250&authRespCode=55",
    "7B997A6FBEF71C1A37838269B66F4DFF0415685C76E267A795688BE6B09D0C730A4FFA8160F8CF9C57C48BC8DFD0439EFFCFE5C71062ED37F6036C6FE8CEDAC23637FB8C49C8D95F4D3B430D5AFCEA43BF948391386ED4AA54D4F470D36C7B18C338538DAFF09D47B50C3A7D82516CCD21541109680FFAD51C1EA3191E4F2E0BD0F5E4F34022E5A29968FE5B1EF5AF5B7D883C357236E9F3D145ED7DE1572060311CB832F50917BCEAC2F88BE0CDFBB9863CE138416354D6098C038F88126AA5711E068E667402384AB827E2B9A48FF2",
)
ARABIC = (
    "trackid=A1&udf1=مخالفة",
    "E2E2DDAE7715DA7FF5F9F24EADBAC275F7D4D06B9BA098554463013E176808C9",
)
PROBE = "7B997A6FBEF71C1A37838269B66F4DFF000000000000000000000000000000007B997A6FBEF71C1A37838269B66F4DFF"
VECTORS = (SHORTEST, ALIGNED, REQUEST, PAID, DECLINED, ARABIC)
REFUSED = "payments: notification refused"


@pytest.fixture
def knet() -> Knet:
    return Knet(counterpart.terms("http://127.0.0.1:1/gateway"), FakeClock())


@pytest.mark.parametrize(("plain", "cipher"), VECTORS)
def test_both_directions_in_either_case(plain: str, cipher: str) -> None:
    assert encrypted(plain, KEY) == cipher
    assert decrypted(cipher, KEY) == (plain.encode(), True)
    assert decrypted(cipher.lower(), KEY) == (plain.encode(), True)


@pytest.mark.parametrize(("plain", "cipher"), VECTORS)
def test_the_counterpart_keeps_to_them_too(plain: str, cipher: str) -> None:
    assert counterpart.encipher(plain) == cipher
    assert counterpart.decipher(cipher) == plain


@pytest.mark.parametrize(
    "text", ["", "8F", "zz" * 16, "8FF2" * 7, f"{SHORTEST[1]}0", f" {SHORTEST[1]}", "٣" * 32]
)
def test_what_is_not_whole_blocks_of_hexadecimal(text: str) -> None:
    with pytest.raises(ValueError, match="whole blocks"):
        decrypted(text, KEY)


@pytest.mark.parametrize("block", [b"a" * 15 + b"\0", b"\0" * 16, b"\x11" * 16, b"\xff" * 16])
def test_a_padding_that_cannot_be(block: bytes) -> None:
    work = Cipher(algorithms.AES(KEY), modes.CBC(KEY)).encryptor()
    assert decrypted((work.update(block) + work.finalize()).hex(), KEY) == (block, False)


def test_every_byte_of_the_padding_counts() -> None:
    work = Cipher(algorithms.AES(KEY), modes.CBC(KEY)).encryptor()
    block = b"a" * 12 + b"\x03\x04\x04\x04"
    assert decrypted((work.update(block) + work.finalize()).hex(), KEY) == (block, False)


def test_the_request_is_written_as_the_kit_writes_it() -> None:
    charge = Charge(
        track_id="KB7F3C9A1D2E40518",
        fils=5250,
        order="IQ-7F3C-9A1D",
        language="ar",
        return_url="https://pay.example.com/knet/error",
        notify_url="https://pay.example.com/knet/notify",
        minutes=30,
    )
    terms = counterpart.terms("https://www.kpaytest.com.kw")
    assert request_text(terms, charge) == REQUEST[0].replace("udf1=", "udf1=IQ7F3C9A1D")


async def test_the_paid_answer(knet: Knet) -> None:
    read = knet.parse_callback(f"trandata={PAID[1]}".encode(), {})
    assert (read.track_id, read.event, read.provider_ref) == (
        "KB7F3C9A1D2E40518",
        "100202600000000001",
        "100202600000000001",
    )
    assert (read.result, read.fils, read.paid) == ("CAPTURED", 5250, True)
    assert read.plain == dict(pair.split("=") for pair in PAID[0].split("&"))
    await knet.close()


async def test_the_declined_answer(knet: Knet) -> None:
    read = knet.parse_callback(DECLINED[1].lower().encode(), {})
    assert (read.result, read.paid, read.plain["authRespCode"]) == ("NOT CAPTURED", False, "55")
    await knet.close()


@pytest.mark.parametrize("cipher", [PROBE, REQUEST[1], SHORTEST[1], ARABIC[1], PAID[1][:-32], PAID[1][32:]])
async def test_the_probe_for_the_key_and_other_texts_are_refused_alike(knet: Knet, cipher: str) -> None:
    for body in (cipher, f"trandata={cipher}", f"paymentid=1&trandata={cipher}"):
        with pytest.raises(Malformed) as refused:
            knet.parse_callback(body.encode(), {})
        assert str(refused.value) == REFUSED
    await knet.close()
