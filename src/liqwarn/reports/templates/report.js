"use strict";
(() => {
  const root = document.documentElement;
  const failed = (text) => { root.dataset.errors = (root.dataset.errors || "") + text + "; "; };
  window.addEventListener("error", (e) => failed(e.message));

  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Sorting: a heading becomes a button; numbers by data-sort or by their text, else alphabetical.
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    const raw = cell.dataset.sort ?? cell.textContent.trim();
    const value = parseFloat(raw.replace(/[,\s]/g, "").replace("−", "-"));
    const numeric = cell.dataset.sort !== undefined || cell.classList.contains("n");
    return numeric ? (Number.isNaN(value) ? -Infinity : value) : raw;
  };
  const sortBy = (table, column) => {
    const heads = all("thead th", table);
    const down = heads[column].getAttribute("aria-sort") !== "descending";
    heads.forEach((h) => h.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row, i) => ({ row, i, key: keyOf(row, column) }));
    const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    keyed.sort((a, b) => (down ? -1 : 1) * order(a.key, b.key) || a.i - b.i);
    body.append(...keyed.map((k) => k.row));
  };
  all("table.sortable").forEach((table) => all("thead th", table).forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => sortBy(table, column));
  }));

  // Events: show the rows that contain every word.
  const filter = document.getElementById("event-filter");
  if (filter) {
    const rows = all("#event-table tbody tr");
    filter.addEventListener("input", () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      rows.forEach((r) => { const t = r.textContent.toLowerCase(); r.hidden = !words.every((w) => t.includes(w)); });
      const shown = rows.filter((r) => !r.hidden).length;
      document.getElementById("event-count").textContent = words.length ? `${shown} of ${rows.length}` : "";
    });
  }

  // An expired flag is never shown as it was.
  const late = all("[data-until]").filter((cell) => Date.parse(cell.dataset.until) < Date.now());
  late.forEach((cell) => cell.classList.add("past"));
  if (late.length) document.getElementById("expired").hidden = false;

  // Values under the pointer.
  const series = JSON.parse(document.getElementById("series").textContent);
  const tip = document.getElementById("tip");
  const stamp = (s) => new Date(1000 * s).toISOString().slice(0, 16).replace("T", " ") + " UTC";
  const tierAt = (runs, s) => { const r = runs.find((x) => x[0] <= s && s < x[1]); return r ? series.tiers[r[2]] : "not scored"; };
  const chance = (p) => (p === null || p === undefined ? "–" : (p / 1000).toFixed(2) + " %");
  const lines = (plot, share) => {
    const span = series.end - series.start;
    const sides = Object.entries(series.symbols[plot.dataset.symbol]);
    const at = Math.min(share * span, span - 1);
    const text = ([side, s]) => side.padEnd(6) + tierAt(s.runs, at) +
      (plot.dataset.kind === "p" ? "   " + chance(s.p[Math.min(Math.floor(share * s.p.length), s.p.length - 1)]) : "");
    return [stamp(series.start + at), ...sides.map(text)].join("\n");
  };
  all(".plot.hover").forEach((plot) => {
    const cursor = document.createElement("i");
    cursor.className = "cursor";
    cursor.hidden = true;
    plot.append(cursor);
    plot.addEventListener("pointermove", (e) => {
      const box = plot.getBoundingClientRect();
      const share = Math.min(Math.max((e.clientX - box.left) / box.width, 0), 1);
      cursor.hidden = tip.hidden = false;
      cursor.style.left = 100 * share + "%";
      tip.textContent = plot.dataset.symbol + "  " + lines(plot, share);
      tip.style.left = Math.min(e.clientX + 14, innerWidth - tip.offsetWidth - 8) + "px";
      tip.style.top = Math.min(e.clientY + 14, innerHeight - tip.offsetHeight - 8) + "px";
    });
    plot.addEventListener("pointerleave", () => { cursor.hidden = tip.hidden = true; });
  });
  root.dataset.ready = "yes";
})();
