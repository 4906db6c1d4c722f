"""A server that is busy, slow, cut, closed or wrong, on loopback."""

import threading
import time
from email.utils import formatdate

import pytest

from liqwarn.errors import BusyError, ConfigError, DataError, RefusedError, SourceError
from liqwarn.sources.api_key import ApiKey, KeyTerms
from liqwarn.sources.pace import Budget
from liqwarn.sources.web import Patience, Web

DAY = "data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2024-01-15.zip"
LIMIT = 1 << 20
KEY = ApiKey(KeyTerms(variable="LIQWARN_X_KEY", header="X-Key"), "0123456789abcdef")


@pytest.fixture
def download(web, tmp_path):
    """Fetch the day; what came, and the sizes that were told."""

    def run(path=DAY, *, limit=LIMIT):
        sizes = []
        target = tmp_path / "x"
        found = web.download(path, target, limit=limit, on_bytes=sizes.append)
        return found, target, sizes

    return run


def test_a_file_comes_whole_with_its_hash(archive, download):
    found, target, sizes = download()

    assert target.read_bytes() == archive.zip_at(DAY)
    assert found.sha256 == archive.checksum_of(DAY).decode().split()[0]
    assert found.size == sum(sizes) == target.stat().st_size


def test_what_is_not_there_is_none(web, download):
    missing = DAY.replace("2024-01-15", "2034-01-15")

    assert download(missing)[0] is None
    assert web.text(missing) is None
    assert not web.exists(missing)
    assert web.exists(DAY)


def test_the_headers_of_a_file_are_seen_without_the_file(archive, web):
    seen = {}

    assert web.exists(DAY, seen.update)
    assert seen["content-length"] == str(len(archive.zip_at(DAY)))
    assert archive.asked == [("HEAD", DAY)]


@pytest.mark.parametrize("how", ["cut", "silent", "drip"])
def test_a_reply_that_breaks_off_is_asked_for_again(archive, download, fake, how):
    archive.replies[DAY] = [fake[how], fake[how]]

    assert download()[1].read_bytes() == archive.zip_at(DAY)
    assert archive.zips_asked() == [DAY] * 3


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_passes_is_waited_for(archive, download, status):
    archive.replies[DAY] = [status, status]

    assert download()[0] is not None
    assert archive.zips_asked() == [DAY] * 3


def test_attempts_have_an_end_and_the_last_reason_is_told(archive, download):
    archive.replies[DAY] = [503] * 9

    with pytest.raises(BusyError, match=r"asked 4 times, the last: status 503"):
        download()
    assert archive.zips_asked() == [DAY] * 4


def test_a_server_that_is_not_there_is_told(tmp_path):
    patience = Patience(attempts=2, first_wait_s=0.001, connect_s=1.0)
    with (
        Web("http://127.0.0.1:9", connections=1, patience=patience, stop=threading.Event()) as web,
        pytest.raises(BusyError, match=r"http://127\.0\.0\.1:9/a\.zip: asked 2 times"),
    ):
        web.text("a.zip")


def test_retry_after_is_obeyed_by_every_worker(archive, web, download, fake):
    archive.replies[DAY] = [fake["busy"](429, "1")]
    began = time.monotonic()
    worker = threading.Thread(target=download)
    worker.start()
    while not archive.asked:
        time.sleep(0.005)
    time.sleep(0.1)  # until the reply was read

    assert web.text(DAY + ".CHECKSUM") is not None
    assert time.monotonic() - began >= 0.9
    worker.join()
    assert archive.zips_asked() == [DAY] * 2


def test_a_pause_that_is_too_long_ends_it(archive, download, fake):
    archive.replies[DAY] = [fake["busy"](429, "86400")]

    with pytest.raises(SourceError, match="asks to wait 86400 s; run again after that"):
        download()
    assert archive.zips_asked() == [DAY]


@pytest.mark.parametrize("status", [301, 401, 403, 410, 418, 451])
def test_a_refusal_is_not_asked_again(archive, download, status):
    archive.replies[DAY] = [status]

    with pytest.raises(SourceError, match=f"status {status} .*expected 200 or 404"):
        download()
    assert archive.zips_asked() == [DAY]


def test_too_large_a_file_is_refused_unread(download):
    with pytest.raises(DataError, match="more than 100 bytes, refused"):
        download(limit=100)


def test_a_text_without_an_end_is_refused(archive, web):
    archive.content["a.CHECKSUM"] = b"x" * 10_000

    with pytest.raises(DataError, match="of any length, expected one line"):
        web.text("a.CHECKSUM")


def test_after_a_stop_nothing_is_asked(archive, address):
    stop = threading.Event()
    with Web(address, connections=1, patience=Patience(), stop=stop) as web:
        stop.set()
        with pytest.raises(SourceError, match="stopped"):
            web.text(DAY)
    assert archive.asked == []


def test_connections_are_used_again_after_a_404(archive, web):
    for _ in range(3):
        assert web.text("none") is None

    assert len(archive.clients) == 1


@pytest.mark.parametrize(
    "url",
    ["", "data.example", "ftp://a", "https://", "https://a?b=1", "https://u:p@a", "http://a:b"],
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ConfigError, match="expected https://host"):
        Web(url, connections=1, patience=Patience(), stop=threading.Event())


def test_a_page_is_what_is_made_of_it_and_its_size(archive, web):
    archive.content["api?a=1"] = b'{"a": 1}'

    assert web.page("api?a=1", bytes.decode) == ('{"a": 1}', 8)
    assert archive.asked == [("GET", "api?a=1")]


def test_a_page_that_asks_for_patience_is_asked_for_again(archive, web):
    archive.content["api"] = b"x"
    asked = []

    def accept(content):
        asked.append(content)
        if len(asked) < 3:
            raise BusyError("too many requests")
        return "good"

    assert web.page("api", accept) == ("good", 1)
    with pytest.raises(BusyError, match=r"asked 4 times, the last: not yet"):
        web.page("api", lambda _: (_ for _ in ()).throw(BusyError("not yet")))


def test_a_page_that_cannot_be_used_is_asked_for_once(archive, web):
    archive.content["api"] = b"x"

    def accept(_):
        raise DataError("row 3")

    with pytest.raises(DataError, match="row 3"):
        web.page("api", accept)
    assert len(archive.asked) == 1


def test_a_page_that_is_not_there_or_refused_says_what_the_server_says(archive, web, fake):
    with pytest.raises(SourceError, match=r"/none: status 404 Not Found, expected 200"):
        web.page("none", bytes.decode)
    archive.replies["api?m=x"] = [lambda h, _: h.reply(400, b'{"error":\n "bad metric"}')]
    with pytest.raises(SourceError, match=r"status 400 Bad Request.*bad metric"):
        web.page("api?m=x", bytes.decode)


def test_a_page_without_an_end_is_refused(archive, web, monkeypatch):
    monkeypatch.setattr("liqwarn.sources.web._REPLY_LIMIT", 10)
    archive.content["api"] = b"x" * 11

    with pytest.raises(DataError, match="a reply of more than 10 bytes, refused"):
        web.page("api", bytes.decode)


def test_questions_keep_the_distance_that_is_asked_for(archive, address):
    archive.content["api"] = b"x"
    patience = Patience(between_s=0.15)
    with Web(address, connections=1, patience=patience, stop=threading.Event()) as web:
        began = time.monotonic()
        for _ in range(3):
            web.page("api", bytes.decode)

    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, RefusedError), (402, RefusedError), (403, RefusedError), (404, RefusedError),
     (422, RefusedError), (401, SourceError), (301, SourceError), (418, SourceError),
     (451, SourceError)],
)  # fmt: skip
def test_one_question_is_refused_or_all_of_them(archive, web, fake, status, kind):
    archive.replies["api"] = [lambda h, _: h.reply(status, b"no such name")]

    with pytest.raises(kind, match=rf"status {status} .*expected 200 \(no such name\)") as caught:
        web.page("api", bytes.decode)
    assert type(caught.value) is kind
    assert len(archive.asked) == 1


@pytest.fixture
def keyed(address):
    """Something that asks with a key."""
    patience = Patience(attempts=2, first_wait_s=0.001)
    with Web(address, connections=1, patience=patience, stop=threading.Event(), key=KEY) as made:
        yield made


def test_a_key_is_a_header_and_no_part_of_the_address(archive, keyed):
    sent = []
    archive.replies["api?a=1"] = [
        lambda h, _: (sent.append(h.headers["X-Key"]), h.reply(200, b"x"))
    ]

    assert keyed.page("api?a=1", bytes.decode) == ("x", 1)
    assert sent == ["0123456789abcdef"]
    assert archive.asked == [("GET", "api?a=1")]


def test_a_key_is_not_sent_where_a_server_points(archive, keyed, fake):
    other = fake["FakeArchive"]({}, archive.published)
    with fake["Serving"](other) as elsewhere:
        place = (("Location", f"{elsewhere.url}/api"),)
        for status in (301, 302, 307, 308):
            archive.replies["api"] = [lambda h, _, s=status: h.reply(s, b"", headers=place)]
            with pytest.raises(SourceError, match=f"status {status}"):
                keyed.page("api", bytes.decode)
    assert other.asked == []


def test_a_key_on_loopback_is_not_shown_to_a_proxy(archive, address, monkeypatch):
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    archive.content["api"] = b"x"
    patience = Patience(attempts=1)
    with Web(address, connections=1, patience=patience, stop=threading.Event(), key=KEY) as web:
        assert web.page("api", bytes.decode) == ("x", 1)


def test_what_a_server_says_of_the_key_is_in_no_message(archive, keyed):
    said = b'{"msg": "' + b"x" * 190 + b' 0123456789abcdef"}'
    archive.replies["api"] = [lambda h, _: h.reply(401, said), lambda h, _: h.reply(200, said)]

    with pytest.raises(SourceError, match=r"status 401 .*is the key of LIQWARN_X_KEY right") as one:
        keyed.page("api", bytes.decode)
    assert "01234567" not in str(one.value)
    assert "***" in keyed.page("api", bytes.decode)[0]


@pytest.mark.parametrize(
    "url", ["http://data.example", "http://10.0.0.1", "http://127.0.0.1.example"]
)
def test_a_key_does_not_go_over_a_network_in_the_clear(url):
    with pytest.raises(ConfigError, match="expected https: the key of LIQWARN_X_KEY is not sent"):
        Web(url, connections=1, patience=Patience(), stop=threading.Event(), key=KEY)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1",
                                 "https://data.example"])  # fmt: skip
def test_a_key_goes_encrypted_or_to_this_machine(url):
    Web(url, connections=1, patience=Patience(), stop=threading.Event(), key=KEY)


def test_a_question_weighs_what_the_provider_counts(archive, address, monkeypatch):
    monkeypatch.setattr("liqwarn.sources.pace._MINUTE", 0.3)
    archive.content["api"] = b"x"
    patience = Patience(per_minute=40)
    with Web(address, connections=1, patience=patience, stop=threading.Event()) as web:
        began = time.monotonic()
        for weight in (20, 20):
            web.page("api", bytes.decode, weight=weight)
        assert time.monotonic() - began < 0.3
        web.page("api", bytes.decode)

    assert time.monotonic() - began >= 0.3


def test_the_budget_that_a_server_tells_is_kept(archive, address):
    told = (("MAX", "300"), ("USE", "7"))
    archive.replies["api"] = [lambda h, _: h.reply(200, b"x", headers=told)] * 3
    budget = Budget(allowed="MAX", used="USE")
    patience = Patience(between_s=1e-6)
    with Web(
        address, connections=1, patience=patience, stop=threading.Event(), budget=budget
    ) as web:
        began = time.monotonic()
        for _ in range(3):
            web.page("api", bytes.decode)

    assert 0.2 <= time.monotonic() - began < 2.0


def test_a_status_line_that_says_the_key_is_not_repeated(archive, keyed):
    def say(handler, _):
        handler.wfile.write(b"HTTP/1.1 nothing 0123456789abcdef\r\n\r\n")
        handler.close_connection = True

    archive.replies["api"] = [say, say]

    with pytest.raises(BusyError, match=r"asked 2 times, the last: .*\*\*\*") as told:
        keyed.page("api", bytes.decode)
    assert told.value.__cause__ is None


@pytest.mark.parametrize("status", [403, 404])
def test_an_error_page_that_drips_is_not_waited_for(archive, web, download, status):
    def drip(handler, _):
        handler.send_response(status)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while True:
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.02)

    archive.replies |= {DAY: [drip], "api": [drip]}
    began = time.monotonic()

    with pytest.raises(RefusedError, match=f"status {status} .*xxx"):
        web.page("api", bytes)
    if status == 404:
        assert download()[0] is None
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("url", ["https://me:pa55@data.example", "https://data.example?key=pa55",
                                 "https://me:pa55/w0rd@data.example:1x", "me:pa55@data.example",
                                 "https://data.example/#pa55"])  # fmt: skip
def test_an_address_with_a_password_is_refused_without_it(url):
    with pytest.raises(ConfigError, match=r"base URL is '.*\*\*\*.*expected https") as told:
        Web(url, connections=1, patience=Patience(), stop=threading.Event())
    assert "pa55" not in str(told.value)


@pytest.mark.parametrize(("off", "way"), [(-300, "ahead of"), (300, "behind")])
def test_a_clock_that_is_off_records_nothing(archive, web, off, way):
    def say(handler, _):
        handler.send_response_only(200)
        handler.send_header("Date", formatdate(time.time() + off, usegmt=True))
        handler.send_header("Content-Length", "1")
        handler.end_headers()
        handler.wfile.write(b"x")

    archive.replies["api"] = [say]

    with pytest.raises(SourceError, match=f"clock of this machine is (299|300|301) s {way} the"):
        web.page("api", bytes)
    assert archive.asked == [("GET", "api")]
