"use strict";
(() => {
  // Values of a simulated price under the pointer.
  const data = JSON.parse(document.getElementById("paths").textContent);
  const tip = document.getElementById("tip");
  const time = (h) => (h < 1 ? Math.round(60 * h) + " min" : (Math.round(100 * h) / 100) + " h");
  const change = (v) => (v === null ? "–" : (v < 0 ? "−" : "+") + Math.abs(v).toFixed(1) + " %");
  document.querySelectorAll(".plot.paths").forEach((plot) => {
    const series = data.symbols[plot.dataset.symbol];
    const cursor = document.createElement("i");
    cursor.className = "cursor";
    cursor.hidden = true;
    plot.append(cursor);
    plot.addEventListener("pointermove", (e) => {
      const box = plot.getBoundingClientRect();
      const share = Math.min(Math.max((e.clientX - box.left) / box.width, 0), 1);
      const last = data.times.length - 1;
      const at = data.times[0] + share * (data.times[last] - data.times[0]);
      let i = data.times.findIndex((t) => t >= at);
      if (i < 0) i = last;
      if (i > 0 && at - data.times[i - 1] < data.times[i] - at) i -= 1;
      cursor.hidden = tip.hidden = false;
      cursor.style.left = 100 * share + "%";
      tip.textContent = [plot.dataset.symbol + "  after " + time(data.times[i])]
        .concat(series.map(([name, values]) => name.padEnd(7) + change(values[i]))).join("\n");
      tip.style.left = Math.min(e.clientX + 14, innerWidth - tip.offsetWidth - 8) + "px";
      tip.style.top = Math.min(e.clientY + 14, innerHeight - tip.offsetHeight - 8) + "px";
    });
    plot.addEventListener("pointerleave", () => { cursor.hidden = tip.hidden = true; });
  });
})();
