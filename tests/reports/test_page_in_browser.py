"""The page as a browser sees it: its scripts ran, its charts are there, nothing failed."""

import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from liqwarn.reports.page import render_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH")

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
)
# what a reader would do: sort the events by their move, and look for one side
READER = """
<script>
  document.querySelectorAll("#event-table thead th button")[3].click();
  const box = document.getElementById("event-filter");
  box.value = "long";
  box.dispatchEvent(new Event("input"));
  const plot = document.querySelector(".plot.hover[data-kind=p]");
  const at = plot.getBoundingClientRect();
  const middle = {clientX: at.left + at.width / 2, clientY: at.top};
  plot.dispatchEvent(new PointerEvent("pointermove", middle));
</script>
"""


def seen(page, folder):
    """The document after its scripts ran, as the browser writes it."""
    file = folder / "report.html"
    file.write_text(page, encoding="utf-8")
    command = [CHROMIUM, *QUIET, f"--user-data-dir={folder}/profile", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def document(content, tmp_path_factory):
    page = render_report(content).replace("</body>", READER + "</body>")
    return seen(page, tmp_path_factory.mktemp("browser"))


def test_the_scripts_ran_without_an_error(document):
    assert 'data-ready="yes"' in document
    assert "data-errors" not in document


def test_the_timelines_are_drawn(document):
    assert document.count('data-kind="tier"') == 10
    assert document.count('data-kind="p"') == 10
    assert len(re.findall(r'class="line (?:long|short)" d="M', document)) >= 20


def test_a_heading_sorts_the_events(document):
    table = document.split('id="event-table"')[1].split("</table>")[0]
    moves = [float(m) for m in re.findall(r'data-sort="(-?[\d.]+)">[−+][\d.]+ %', table)]

    assert len(moves) > 50
    assert moves == sorted(moves, reverse=True)


def test_the_filter_hides_the_other_side(document):
    table = document.split('id="event-table"')[1].split("</table>")[0]
    rows = re.findall(r"<tr( hidden=\"\")?><th.*?class=\"side (long|short)\"", table)

    assert {(bool(hidden), side) for hidden, side in rows} == {(False, "long"), (True, "short")}


def test_the_pointer_reads_values(document):
    tip = document.split('id="tip"')[1].split("</div>")[0]

    assert re.search(r"UTC\nlong  T\d .*%\nshort T\d .*%", tip)


def test_old_flags_are_shown_as_expired(document):
    assert len(re.findall(r'class="until past"', document)) == 20
    assert 'id="expired" hidden' not in document


def test_an_empty_page_has_no_errors_either(content, tmp_path):
    empty = replace(
        content,
        flags=(),
        scores=content.scores.iloc[:0],
        events=content.events.iloc[:0],
        evaluation=None,
    )
    document = seen(render_report(empty), tmp_path)

    assert 'data-ready="yes"' in document
    assert "data-errors" not in document
