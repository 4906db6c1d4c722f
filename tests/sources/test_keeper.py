"""One file: fetched once, verified, replaced when it changed, and never half there."""

import errno
import os
from hashlib import sha256

import pytest

from liqwarn import durable
from liqwarn.errors import DataError, StoreError
from liqwarn.sources import keeper as module
from liqwarn.sources.keeper import Keeper

DAY = "data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2024-01-15.zip"
SUM = DAY + ".CHECKSUM"


@pytest.fixture
def keeper(web, tmp_path):
    return Keeper(web, tmp_path / "a", on_bytes=lambda _: None, ask_again=True)


@pytest.fixture
def here(tmp_path):
    """Every file below the folder, hidden ones too."""

    def names():
        return sorted(p.name for p in (tmp_path / "a").rglob("*") if p.is_file())

    return names


def test_a_file_is_fetched_once(archive, keeper, tmp_path, here):
    size = len(archive.zip_at(DAY))

    assert keeper.keep(DAY) == ("fetched", size)
    assert keeper.keep(DAY) == ("held", 0)

    assert archive.zips_asked() == [DAY]
    assert (tmp_path / "a" / DAY).read_bytes() == archive.zip_at(DAY)
    assert (tmp_path / "a" / SUM).read_bytes() == archive.checksum_of(DAY)
    assert here() == [DAY.rsplit("/", 1)[-1], SUM.rsplit("/", 1)[-1]]


def test_a_changed_file_is_fetched_anew(archive, keeper, fake, tmp_path):
    keeper.keep(DAY)
    archive.content[DAY] = fake["zipped"]("a.csv", "another table\n1\n")

    assert keeper.keep(DAY)[0] == "replaced"
    assert (tmp_path / "a" / DAY).read_bytes() == archive.content[DAY]
    assert keeper.keep(DAY) == ("held", 0)


def test_without_asking_what_is_here_is_still_checked(archive, web, keeper, tmp_path):
    keeper.keep(DAY)
    archive.asked.clear()
    quiet = Keeper(web, tmp_path / "a", on_bytes=lambda _: None, ask_again=False)

    assert quiet.keep(DAY) == ("held", 0)
    assert archive.asked == []
    (tmp_path / "a" / DAY).write_bytes(b"bits rot")
    assert not quiet.holds(DAY)
    assert quiet.keep(DAY)[0] == "replaced"


def test_a_file_that_rotted_here_is_fetched_anew(archive, keeper, tmp_path):
    keeper.keep(DAY)
    (tmp_path / "a" / DAY).write_bytes(archive.zip_at(DAY)[:-1])

    assert keeper.keep(DAY)[0] == "replaced"
    assert (tmp_path / "a" / DAY).read_bytes() == archive.zip_at(DAY)


def test_a_run_killed_between_file_and_checksum_goes_on(archive, keeper, tmp_path):
    keeper.keep(DAY)
    (tmp_path / "a" / SUM).unlink()

    assert not keeper.holds(DAY)
    assert keeper.keep(DAY) == ("held", 0)
    assert (tmp_path / "a" / SUM).is_file()
    assert archive.zips_asked() == [DAY]


def test_what_is_not_there_leaves_nothing(keeper, here):
    assert keeper.keep(DAY.replace("01-15", "12-15")) == ("missing", 0)
    assert here() == []


def test_what_the_provider_takes_away_stays(archive, keeper, tmp_path):
    keeper.keep(DAY)
    archive.content |= {DAY: None, SUM: None}

    assert keeper.keep(DAY) == ("withdrawn", 0)
    assert (tmp_path / "a" / DAY).is_file()


def test_a_wrong_checksum_is_asked_twice_and_refused(archive, keeper, here):
    archive.content[SUM] = f"{'0' * 64}  {DAY.rsplit('/', 1)[-1]}\n".encode()

    with pytest.raises(DataError, match=r"BTCUSDT-metrics-2024-01-15\.zip: the SHA-256 of what"):
        keeper.keep(DAY)
    assert archive.zips_asked() == [DAY, DAY]
    assert here() == []


def test_a_file_replaced_between_the_two_questions_is_right_at_the_second(archive, keeper, fake):
    old = archive.zip_at(DAY)
    archive.replies[DAY] = [lambda handler, _: handler.reply(200, old[:-4] + b"abcd")]

    assert keeper.keep(DAY)[0] == "fetched"
    assert archive.zips_asked() == [DAY, DAY]


@pytest.mark.parametrize("which", [DAY, SUM])
def test_a_page_with_status_200_is_refused(archive, keeper, here, fake, which):
    archive.replies[which] = [fake["page"]] * 4

    with pytest.raises(DataError, match="a page of HTML or XML"):
        keeper.keep(DAY)
    assert here() == []


def test_a_file_without_a_checksum_is_refused(archive, keeper, here):
    archive.content[SUM] = None

    with pytest.raises(DataError, match="has no CHECKSUM beside it"):
        keeper.keep(DAY)
    assert here() == []


def test_a_checksum_without_its_file_is_refused(archive, keeper, here):
    archive.content[SUM] = archive.checksum_of(DAY)
    archive.content[DAY] = None

    with pytest.raises(DataError, match="has a CHECKSUM and is not there itself"):
        keeper.keep(DAY)
    assert here() == []


@pytest.mark.parametrize("make", ["two", "empty", "cut", "text"])
def test_a_bad_zip_with_a_true_checksum_is_refused(archive, keeper, here, fake, make):
    zipped = fake["zipped"]
    archive.content[DAY] = {
        "two": zipped("a.csv", "x\n", members=2),
        "empty": zipped("a.csv", ""),
        "cut": zipped("a.csv", "x\n" * 900)[:-30],
        "text": b"create_time,symbol\n",
    }[make]

    with pytest.raises(DataError, match=r"BTCUSDT-metrics-2024-01-15\.zip: "):
        keeper.keep(DAY)
    assert here() == []


def test_a_refused_replacement_leaves_the_old_file(archive, keeper, tmp_path):
    keeper.keep(DAY)
    before = (tmp_path / "a" / DAY).read_bytes()
    archive.content[DAY] = b"PK\x03\x04 nonsense"

    with pytest.raises(DataError, match="damaged zip"):
        keeper.keep(DAY)
    assert (tmp_path / "a" / DAY).read_bytes() == before
    assert keeper.holds(DAY)


def test_more_than_is_taken_is_refused(archive, keeper, here, monkeypatch):
    monkeypatch.setattr(module, "MAX_ZIP", 100)

    with pytest.raises(DataError, match="more than 100 bytes, refused"):
        keeper.keep(DAY)
    assert here() == []


def test_a_full_disk_is_told_and_leaves_nothing(keeper, here, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(durable, "sync_to_disk", full)

    with pytest.raises(StoreError, match=r"No space left on device.*make room and run again"):
        keeper.keep(DAY)
    assert here() == []


def test_a_place_that_cannot_be_written_is_told(keeper, tmp_path):
    (tmp_path / "a").write_text("a file where the folder should be")

    with pytest.raises(StoreError, match="cannot be written"):
        keeper.keep(DAY)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\xfe", b"0" * 64 + b"  other.zip"])
def test_a_checksum_file_that_says_nothing_holds_nothing(keeper, tmp_path, content):
    keeper.keep(DAY)
    (tmp_path / "a" / SUM).write_bytes(content)

    assert not keeper.holds(DAY)
    assert keeper.keep(DAY) == ("held", 0)
    digest = sha256((tmp_path / "a" / DAY).read_bytes()).hexdigest()
    assert (tmp_path / "a" / SUM).read_text().startswith(digest)
