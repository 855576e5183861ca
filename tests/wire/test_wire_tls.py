"""The lean client over TLS: whom it believes."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.wire import NotSent, Wire

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


class Authority:
    """Signs servers' certificates."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.file = folder / f"{name}.pem"
        made = self._builder(self._name, self._key, 3650).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
    ) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name)
        made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
        return made.not_valid_before(NOW - 900 * DAY).not_valid_after(NOW + days * DAY)

    def server(self, *names: str, days: int = 3650) -> ssl.SSLContext:
        """What a server of these names listens with; over for a negative number of ``days``."""
        key = ec.generate_private_key(ec.SECP256R1())
        shown = [
            x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
            for name in names
        ]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        made = self._builder(subject, key, days).add_extension(
            x509.SubjectAlternativeName(shown), critical=False
        )
        kept = self._folder / f"server-{names[0]}-{days}.pem"
        kept.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(kept)
        return context


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The only one this machine believes."""
    made = Authority(tmp_path, "believed")
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    return made


@asynccontextmanager
async def serving(context: ssl.SSLContext, asked: list[bytes]) -> AsyncGenerator[int, None]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def said(context: ssl.SSLContext, host: str = "localhost") -> tuple[str, list[bytes]]:
    """What became of a request to ``host``, and what the server saw of it."""
    asked: list[bytes] = []
    async with serving(context, asked) as port:
        wire = Wire(f"https://{host}:{port}/registry", {"Authorization": "Bearer secret"})
        try:
            return str((await wire.ask("GET", "v1/health")).status), asked
        except NotSent as error:
            return str(error), asked
        finally:
            await wire.close()


async def test_a_server_that_proves_its_name_is_asked(authority: Authority) -> None:
    told, asked = await said(authority.server("localhost"))
    assert (told, len(asked)) == ("200", 1)
    assert (await said(authority.server("127.0.0.1"), "127.0.0.1"))[0] == "200"


async def test_another_name_an_old_certificate_and_a_stranger_s_get_no_request(
    authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "stranger")
    for context in (
        authority.server("registry.example"),
        authority.server("localhost", days=-1),
        stranger.server("localhost"),
    ):
        told, asked = await said(context)
        assert told == "SSLCertVerificationError"
        assert not asked
