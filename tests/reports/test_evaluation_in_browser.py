"""The evaluation's page as a browser sees it, on a telephone and on a desk."""

import html
import json
import re
import shutil
import subprocess

import pytest

from liqwarn.reports.evaluation_html import evaluation_html

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH")

WIDTHS = (390, 1280)
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
      flat: all("svg").filter((s) => box(s).width < 200 || box(s).height < 200).length,
      pictures: all("svg").length, forests: all(".forest").length,
      thin: all(".track").filter((t) => box(t).width < 60 || box(t).height < 10).length,
      outside: all("section > *, .dots li > *, .charts > *")
        .filter((e) => box(e).right > root.clientWidth + 1).map((e) => e.className),
      hidden: all("#marks .tone").filter((e) => box(e).right > root.clientWidth).length,
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


def test_charts_are_visible_and_nothing_sticks_out(document, tmp_path):
    for width, found in seen(evaluation_html(document), tmp_path).items():
        assert found["body"] <= width
        assert (found["outside"], found["hidden"]) == ([], 0)
        assert (found["flat"], found["thin"]) == (0, 0)
        assert (found["pictures"], found["forests"]) == (6, 19)
