"""TLS on loopback, with certificates made here: the wrong ones are refused in the handshake."""

import datetime
import ssl

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from liqwarn.errors import ConfigError
from liqwarn.serving.refusals import refuse
from liqwarn.serving.tls import TlsFiles, tls_options

SAN = x509.SubjectAlternativeName([x509.DNSName("localhost")])


async def answer(scope, receive, send):
    await refuse(scope, send, 200, scope["scheme"])


class Authority:
    """A certificate authority that signs for an hour."""

    def __init__(self, folder, name):
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._certificate(self._subject, self._key.public_key(), authority=True)
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def _certificate(self, subject, public, *, authority):
        now = datetime.datetime.now(datetime.UTC)
        constraints = x509.BasicConstraints(ca=authority, path_length=None)
        issuer = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(constraints, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer),
                critical=False,
            )
            .add_extension(SAN, critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def issue(self, name, passphrase=None):
        """Paths of a new certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._certificate(subject, key.public_key(), authority=False)
        cert_path = self._folder / f"{self._name}.{name}.pem"
        key_path = cert_path.with_suffix(".key")
        cert_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        seal = serialization.NoEncryption()
        if passphrase:
            seal = serialization.BestAvailableEncryption(passphrase)
        key_path.touch(mode=0o600)
        key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, seal
            )
        )
        return cert_path, key_path


@pytest.fixture
def ours(tmp_path):
    return Authority(tmp_path, "ours")


@pytest.fixture
def files(ours):
    cert, key = ours.issue("server")
    return TlsFiles(cert=cert, key=key)


def fetch(url, authority, certificate=None):
    context = ssl.create_default_context(cafile=authority.path)
    if certificate:
        context.load_cert_chain(*certificate)
    url = url.replace("127.0.0.1", "localhost")
    with httpx.Client(verify=context, trust_env=False) as client:
        return client.get(url)


def test_the_server_speaks_tls_and_nothing_below_1_2(ours, files, serve_on_loopback):
    url = serve_on_loopback(answer, **tls_options(files))

    assert fetch(url, ours).json() == {"detail": "https"}
    context = tls_options(files)["ssl_context_factory"](
        None, lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    )
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_only_clients_of_our_authority_are_let_in(ours, files, tmp_path, serve_on_loopback):
    theirs = Authority(tmp_path, "theirs")
    options = tls_options(TlsFiles(cert=files.cert, key=files.key, client_ca=ours.path))
    url = serve_on_loopback(answer, **options)

    assert fetch(url, ours, ours.issue("desk")).status_code == 200
    for stranger in (None, theirs.issue("desk")):
        with pytest.raises(httpx.TransportError, match=r"(?i)certificate|unknown|disconnected"):
            fetch(url, ours, stranger)
    assert fetch(url, ours, ours.issue("desk")).status_code == 200


def test_a_key_that_others_may_read_is_refused(files):
    files.key.chmod(0o640)

    with pytest.raises(ConfigError, match="mode is 0640, expected 0600"):
        tls_options(files)


def test_a_key_of_another_certificate_is_refused(ours, files):
    _, other = ours.issue("other")

    with pytest.raises(ConfigError, match="KEY_VALUES_MISMATCH"):
        tls_options(TlsFiles(cert=files.cert, key=other))


def test_a_key_with_a_passphrase_is_refused_and_not_asked_for(ours):
    cert, key = ours.issue("sealed", passphrase=b"x")

    with pytest.raises(ConfigError, match="passphrase, expected one without"):
        tls_options(TlsFiles(cert=cert, key=key))


@pytest.mark.parametrize("missing", ["cert", "key", "client_ca"])
def test_a_file_that_is_missing_is_named(files, tmp_path, missing):
    named = {"cert": files.cert, "key": files.key, missing: tmp_path / "none.pem"}

    with pytest.raises(ConfigError, match=r"none\.pem.*No such file"):
        tls_options(TlsFiles(**named))


@pytest.mark.parametrize("content", ["", "no PEM"])
def test_a_file_of_authorities_without_one_is_refused(files, tmp_path, content):
    empty = tmp_path / "empty.pem"
    empty.write_text(content)

    with pytest.raises(ConfigError, match=r"empty\.pem.*expected certificates of authorities"):
        tls_options(TlsFiles(cert=files.cert, key=files.key, client_ca=empty))


def test_a_leaf_is_no_authority(ours, files):
    leaf, _ = ours.issue("leaf")

    with pytest.raises(ConfigError, match="holds no authority"):
        tls_options(TlsFiles(cert=files.cert, key=files.key, client_ca=leaf))
