"""The simulator's pages as a browser sees them, on a telephone and on a desk."""

import html
import json
import re
import runpy
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from liqwarn.reports.simulation_page import (
    render_closed_loop,
    render_scenario,
    render_worst_case,
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH")

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("simulation_documents.py"))))
PAGES = {
    "scenario": (render_scenario, made.scenario_document),
    "closed_loop": (render_closed_loop, made.closed_loop_document),
    "worst_case": (render_worst_case, made.worst_case_document),
}
WIDTHS = (360, 1280)
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
# what a reader would do and see: point at a chart, sort a table, look at every chart
WATCHER = """
<pre id="seen"></pre>
<script>
  const look = (frame) => {
    const doc = frame.contentDocument, root = doc.documentElement;
    const inside = frame.contentWindow;
    const box = (e) => e.getBoundingClientRect();
    const all = (selector) => [...doc.querySelectorAll(selector)];
    all(".plot.paths").slice(0, 1).forEach((p) => {
      const middle = {clientX: box(p).left + box(p).width / 2, clientY: box(p).top};
      p.dispatchEvent(new inside.PointerEvent("pointermove", middle));
    });
    const table = doc.querySelector("#symbols table");
    if (table) table.querySelectorAll("thead th button")[2].click();
    return {
      ready: root.dataset.ready, errors: root.dataset.errors || "",
      body: root.scrollWidth, tip: doc.getElementById("tip").textContent,
      flat: all("svg").filter((s) => box(s).width < 60 || box(s).height < 9).length,
      empty: all(".fan-line, .fan-outer").filter((p) => p.getTotalLength() < 10).length,
      lines: all(".fan-line").length, dots: all(".dot").length,
      bars: all("rect.seg").filter((r) => box(r).width > 0).length,
      outside: all("section > *, .stack > *, .arms li > *")
        .filter((e) => box(e).right > root.clientWidth + 1).map((e) => e.className),
      sorted: table ? [...table.tBodies[0].rows].map((r) => r.cells[2].dataset.sort) : [],
    };
  };
  addEventListener("load", () => {
    const found = [...document.querySelectorAll("iframe")].map(look);
    document.getElementById("seen").textContent = JSON.stringify(found);
  });
</script>
"""


def seen(page, folder):
    """What the watcher found, by width."""
    frame = '<iframe width="{}" height="900" style="border:0" srcdoc="{}"></iframe>'
    frames = "".join(frame.format(width, html.escape(page)) for width in WIDTHS)
    file = folder / "watched.html"
    file.write_text(f"<!doctype html><meta charset=utf-8>{frames}{WATCHER}", encoding="utf-8")
    command = [CHROMIUM, *QUIET, f"--user-data-dir={folder}/profile", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL).group(1)
    return dict(zip(WIDTHS, json.loads(html.unescape(found)), strict=True))


@pytest.fixture(scope="module", params=PAGES)
def watched(request, tmp_path_factory):
    render, document = PAGES[request.param]
    page = render(document())
    return request.param, seen(page, tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_scripts_ran_and_the_charts_are_visible(watched, width):
    kind, found = watched[0], watched[1][width]

    assert (found["ready"], found["errors"]) == ("yes", "")
    assert (found["flat"], found["empty"]) == (0, 0)
    expected = {"scenario": (12, 108, 0), "closed_loop": (0, 0, 48), "worst_case": (14, 0, 0)}
    assert (found["lines"], found["bars"], found["dots"]) == expected[kind]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_body_never_scrolls_sideways(watched, width):
    found = watched[1][width]

    assert found["body"] <= width
    assert found["outside"] == []


def test_the_pointer_reads_values_and_a_heading_sorts(watched):
    kind, found = watched[0], watched[1][1280]
    if kind == "scenario":
        assert re.match(r"ADAUSDT  after 12 h\n95 %   −\d+\.\d %\n75 % ", found["tip"])
        troughs = [float(value) for value in found["sorted"]]
        assert len(troughs) == 12
        assert troughs == sorted(troughs, reverse=True)
    if kind == "worst_case":
        assert re.fullmatch(r"ADAUSDT  after 12 h\nchange −\d\.\d %", found["tip"])


@pytest.mark.parametrize("kind", PAGES)
def test_a_page_of_nulls_has_no_errors_either(kind, tmp_path):
    render, document = PAGES[kind]
    found = seen(render(made.nothing(document())), tmp_path)

    for width in WIDTHS:
        assert (found[width]["ready"], found[width]["errors"]) == ("yes", "")
        assert found[width]["body"] <= width
