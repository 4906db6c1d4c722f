"""Real servers on loopback, most of them bad ones."""

import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from liqwarn.client.http_fetch import HttpFetch
from liqwarn.errors import StoreError


def fetch_of(server, **options):
    return HttpFetch(urlsplit(server.url), **options)


def test_the_flags_come_and_then_only_what_is_new(serve):
    def answer(handler):
        if handler.headers.get("If-None-Match") == '"a"':
            handler.send_response(304)
            handler.end_headers()
        else:
            serve.reply(handler, b"flags", ETag='"a"')

    server = serve(answer)
    fetch = fetch_of(server)
    assert [fetch().content for _ in range(3)] == [b"flags", None, None]
    fetch.forget()
    assert fetch().content == b"flags"
    path, headers = server.asked[0]
    assert (path, headers["Accept"]) == ("/v1/flags", "application/json")
    assert "Authorization" not in headers


def test_a_key_is_sent_and_a_path_is_kept(serve):
    server = serve(b"flags")
    url = urlsplit(server.url + "/risk/")
    HttpFetch(url, api_key="lqw_secret")()
    path, headers = server.asked[0]
    assert (path, headers["Authorization"]) == ("/risk/v1/flags", "Bearer lqw_secret")
    assert "secret" not in HttpFetch(url, api_key="lqw_secret").name


@pytest.mark.parametrize("status", [204, 301, 302, 304, 307, 401, 403, 404, 429, 500, 503])
def test_any_other_status_is_no_answer(serve, status):
    def answer(handler):
        handler.send_response(status)
        handler.send_header("Location", f"http://127.0.0.1:{handler.server.server_port}/else")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server = serve(answer)
    with pytest.raises(StoreError, match=f"HTTP status is {status}, expected 200 or 304"):
        fetch_of(server)()
    assert len(server.asked) == 1  # a redirect is not followed


def test_a_huge_body_is_not_read(serve):
    def answer(handler):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65536)

    with pytest.raises(StoreError, match="more than 100000 bytes, expected fewer"):
        fetch_of(serve(answer), max_content=100_000)()


def test_a_body_cut_short_is_no_answer(serve):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"x" * 50)

    with pytest.raises(StoreError, match="body has 50 bytes, expected 100"):
        fetch_of(serve(answer))()


@pytest.mark.parametrize("where", ["before", "headers", "body"])
def test_a_server_that_stalls_or_drips_is_left_in_time(serve, where):
    stop = threading.Event()

    def answer(handler):
        if where == "before":
            stop.wait(5)
            return
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        if where == "body":
            handler.wfile.write(b"Content-Length: 100000\r\n\r\n")
        for _ in range(500):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            if stop.wait(0.01):
                return

    start = time.monotonic()
    with pytest.raises(TimeoutError, match=r"too long|timed out"):
        fetch_of(serve(answer), timeout_s=0.2)()
    assert time.monotonic() - start < 2
    stop.set()


def test_what_speaks_no_http_is_no_answer(serve):
    def answer(handler):
        handler.wfile.write(b"\x00\x01\x02 what\r\n\r\n")

    with pytest.raises(HTTPException, match="what"):
        fetch_of(serve(answer))()


def test_endless_headers_are_no_answer(serve):
    def answer(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            handler.wfile.write(b"X: y\r\n" * 100)

    with pytest.raises(HTTPException, match="headers"):
        fetch_of(serve(answer))()


def test_a_server_that_hangs_up_and_one_that_is_not_there(serve):
    def answer(handler):
        handler.connection.shutdown(socket.SHUT_RDWR)

    with pytest.raises((HTTPException, OSError), match=r"closed|reset|Bad file|pipe"):
        fetch_of(serve(answer))()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = urlsplit(f"http://127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(ConnectionRefusedError, match="refused"):
        HttpFetch(url)()


@pytest.fixture
def certificate(tmp_path):
    """A file with a key and a certificate of its own for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = tmp_path / "localhost.pem"
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_tls_is_spoken_and_strangers_are_not_trusted(serve, certificate):
    server = serve(b"flags" * 50_000)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.http.socket = context.wrap_socket(server.http.socket, server_side=True)
    server.http.handle_error = lambda *_: None
    url = urlsplit(f"https://localhost:{server.http.server_address[1]}")
    own = ssl.create_default_context(cafile=str(certificate))

    assert HttpFetch(url, tls=own)().content == b"flags" * 50_000
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed certificate"):
        HttpFetch(url)()
