"""The ledger's section as a browser lays it out, on a telephone and on a desk."""

import html
import json
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from liqwarn.reports.environment import environment
from liqwarn.reports.ledger_view import ledger_view

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
LEDGERS = runpy.run_path(str(Path(__file__).with_name("ledger_documents.py")))
WIDTHS = (390, 1280)
PAGE = """<!doctype html><meta charset=utf-8>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{% include "report.css" %}{% include "ledger.css" %}</style>
<main class="wrap">{% include "ledger.html.j2" %}</main>"""
WATCHER = """
<pre id="seen"></pre>
<script>
  const look = (frame) => {
    const doc = frame.contentDocument, root = doc.documentElement;
    const box = (e) => e.getBoundingClientRect();
    const all = (selector) => [...doc.querySelectorAll(selector)];
    all("details").forEach((d) => { d.open = true; });
    return {
      body: root.scrollWidth,
      pictures: all("svg").length,
      flat: all("svg").filter((s) => box(s).width < 200 || box(s).height < 100).length,
      thin: all(".track").filter((t) => box(t).width < 60).length,
      outside: all("section > *, .dots li > *, .panels > *, .weeks > *")
        .filter((e) => box(e).right > root.clientWidth + 1).map((e) => e.className),
      spots: all(".spot").filter((e) => {
        const at = box(e), plot = box(e.parentElement.querySelector("svg"));
        const x = at.left + at.width / 2, y = at.top + at.height / 2;
        return x < plot.left || x > plot.right || y < plot.top - 1 || y > plot.bottom + 1;
      }).length,
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
    quiet = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync")
    command = [CHROMIUM, *quiet, f"--user-data-dir={folder}/profile", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL).group(1)
    return dict(zip(WIDTHS, json.loads(html.unescape(found)), strict=True))


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH")
def test_charts_are_visible_and_nothing_sticks_out(tmp_path):
    view = ledger_view(LEDGERS["make_account"]())
    page = environment().from_string(PAGE).render(ledger=view)
    for width, found in seen(page, tmp_path).items():
        assert found["body"] <= width
        assert found["outside"] == []
        assert (found["pictures"], found["flat"], found["thin"], found["spots"]) == (8, 0, 0, 0)
