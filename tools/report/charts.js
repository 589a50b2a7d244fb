// The charts of report.html, drawn by Chart.js from the JSON in the page; colours come from the style sheet, so both themes are one code.
(() => {
  "use strict";
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("data").textContent);
  const drawn = [];
  let axis = "step";

  const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const colour = (method) => css("--m" + (method % 8));
  const faded = (hex, alpha) => hex + Math.round(alpha * 255).toString(16).padStart(2, "0");
  const finite = (value) => typeof value === "number" && Number.isFinite(value);
  const mean = (values) => (values.every(finite) && values.length ? values.reduce((a, b) => a + b, 0) / values.length : null);

  const axes = { step: ["step", "step"], second: ["seconds", "seconds of training"], token: ["tokens", "tokens read"] };
  const short = (value) => (Math.abs(value) >= 1e6 ? +(value / 1e6).toPrecision(3) + " M" : Math.abs(value) >= 1e4 ? +(value / 1e3).toPrecision(3) + " k" : +value.toPrecision(4) + "");

  // Runs of a method looked at in the same steps: for each point the mean and the extremes over seeds.
  function overSeeds(runs, list, field) {
    const tables = runs.map((run) => run[list]).filter((table) => table.step.length);
    if (!tables.length) return [];
    const length = Math.min(...tables.map((table) => table.step.length));
    const points = [];
    for (let i = 0; i < length; i++) {
      const values = tables.map((table) => table[field][i]);
      if (!values.every(finite)) continue;
      points.push({
        x: mean(tables.map((table) => table[axes[axis][0]][i])), y: mean(values), step: tables[0].step[i],
        low: Math.min(...values), high: Math.max(...values),
      });
    }
    return points;
  }

  // A centred moving average: training loss jumps from batch to batch.
  function smooth(points) {
    const half = Math.floor(points.length / 40);
    return points.map((point, i) => {
      const part = points.slice(Math.max(0, i - half), i + half + 1);
      return { ...point, y: mean(part.map((other) => other.y)) };
    });
  }

  function lines(list, field, smoothed) {
    const sets = [];
    data.methods.forEach((method, m) => {
      const points = overSeeds(method.runs, list, field);
      if (!points.length) return;
      const line = { borderColor: colour(m), backgroundColor: colour(m), borderWidth: 2.2, pointRadius: 0, pointHoverRadius: 4, tension: 0, clip: 8 };
      if (smoothed) {
        sets.push({ ...line, label: "", data: points, borderColor: faded(colour(m), 0.25), borderWidth: 1, pointHoverRadius: 0 });
        sets.push({ ...line, label: method.label, data: smooth(points) });
        return;
      }
      if (method.runs.length > 1) {
        const edge = { ...line, label: "", borderWidth: 0, pointHoverRadius: 0, backgroundColor: faded(colour(m), 0.16) };
        sets.push({ ...edge, data: points.map((p) => ({ x: p.x, y: p.low })) });
        sets.push({ ...edge, data: points.map((p) => ({ x: p.x, y: p.high })), fill: "-1" });
      }
      sets.push({ ...line, label: method.label, data: points, pointRadius: points.length > 40 ? 0 : 2.5 });
    });
    return sets;
  }

  function scale(title, more) {
    return {
      type: "linear", title: { display: true, text: title, color: css("--soft") }, grid: { color: css("--grid"), borderColor: css("--line") },
      ticks: { color: css("--soft"), maxRotation: 0, autoSkipPadding: 16, includeBounds: false }, ...more,
    };
  }

  function options(x, y, tooltip) {
    return {
      animation: false, responsive: true, maintainAspectRatio: false, parsing: false, normalized: false,
      interaction: { mode: "nearest", axis: "xy", intersect: false }, scales: { x, y },
      plugins: {
        legend: {
          position: "top", align: "start",
          labels: { color: css("--ink"), usePointStyle: true, pointStyle: "circle", boxWidth: 6, boxHeight: 6, padding: 14, filter: (item) => item.text !== "" },
        },
        tooltip: { filter: (item) => item.dataset.label !== "", callbacks: tooltip },
      },
    };
  }

  function chart(id, type, datasets, settings) {
    const canvas = document.getElementById(id);
    if (!canvas) return;
    if (!datasets.length) {
      canvas.parentElement.style.display = "none";
      return;
    }
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    drawn.push(new Chart(canvas, { type, data: { datasets }, options: settings }));
  }

  function curve(id, list, field, title, smoothed) {
    const tooltip = {
      title: (items) => (items.length ? "step " + items[0].raw.step + (axis === "step" ? "" : ", " + short(items[0].raw.x) + " " + axes[axis][0]) : ""),
      label: (item) => item.dataset.label + ": " + item.raw.y.toFixed(4) + (item.raw.high > item.raw.low && !smoothed ? "  (seeds: " + item.raw.low.toFixed(4) + " to " + item.raw.high.toFixed(4) + ")" : ""),
    };
    const sets = lines(list, field, smoothed);
    const x = scale(axes[axis][1], { min: 0, max: Math.max(...sets.flatMap((set) => set.data.map((point) => point.x))) });
    x.ticks.callback = short;
    chart(id, "line", sets, options(x, scale(title), tooltip));
  }

  // One path a method, from the untouched model at the origin: right is learnt, up is forgotten.
  function tradeoff() {
    const sets = [];
    data.methods.forEach((method, m) => {
      const c = colour(m);
      const paths = method.runs.map((run) => {
        const e = run.evaluations;
        return e.step.map((step, i) => ({ step, x: e.heldout[0] - e.heldout[i], y: finite(e.retain[i]) && finite(e.retain[0]) ? e.retain[i] - e.retain[0] : NaN }));
      }).filter((path) => path.length && path.every((p) => finite(p.x) && finite(p.y)));
      if (!paths.length) return;
      const length = Math.min(...paths.map((path) => path.length));
      const path = Array.from({ length }, (_, i) => ({ step: paths[0][i].step, x: mean(paths.map((p) => p[i].x)), y: mean(paths.map((p) => p[i].y)) }));
      const last = length - 1;
      sets.push({
        label: method.label, data: path, showLine: true, borderColor: c, backgroundColor: c, borderWidth: 2.2, tension: 0, clip: 12,
        pointRadius: path.map((_, i) => (i === last ? 7 : 2.5)), pointHoverRadius: 8,
      });
      if (paths.length > 1) {
        sets.push({ label: "", data: paths.map((p) => p[last]), showLine: false, pointRadius: 4, backgroundColor: faded(c, 0.35), borderColor: faded(c, 0.6) });
      }
    });
    const tooltip = {
      title: (items) => (items.length ? items[0].dataset.label + ", step " + items[0].raw.step : ""),
      label: (item) => ["learnt " + item.raw.x.toFixed(4), "forgot " + item.raw.y.toFixed(4)],
    };
    chart("tradeoff", "scatter", sets, options(scale("learnt: held-out loss before − after  →"), scale("forgotten: retention loss after − before  →"), tooltip));
  }

  function search() {
    const sets = [];
    data.methods.forEach((method, m) => {
      const rates = [...new Set(method.search.map((row) => row.learning_rate))].sort((a, b) => a - b);
      const points = rates.map((rate) => {
        const rows = method.search.filter((row) => row.learning_rate === rate);
        return { x: rate, y: mean(rows.map((row) => row.heldout)), chosen: rows.some((row) => row.chosen) };
      }).filter((point) => finite(point.y));
      if (!points.length) return;
      sets.push({
        label: method.label, data: points, showLine: true, borderColor: colour(m), backgroundColor: colour(m), borderWidth: 2,
        pointRadius: points.map((p) => (p.chosen ? 8 : 3.5)), pointStyle: points.map((p) => (p.chosen ? "rectRot" : "circle")), pointHoverRadius: 8,
      });
    });
    const power = (value) => (/^1e/.test(Number(value).toExponential()) ? Number(value).toExponential() : "");
    const tooltip = {
      title: (items) => (items.length ? items[0].dataset.label + (items[0].raw.chosen ? ", chosen" : "") : ""),
      label: (item) => "rate " + item.raw.x.toExponential() + ": " + item.raw.y.toFixed(4),
    };
    const x = scale("learning rate", { type: "logarithmic" });
    x.ticks.callback = power;
    chart("search-chart", "scatter", sets, options(x, scale("held-out loss"), tooltip));
  }

  function draw() {
    while (drawn.length) drawn.pop().destroy();
    curve("heldout", "evaluations", "heldout", "held-out loss", false);
    curve("retain", "evaluations", "retain", "retention loss", false);
    curve("train", "curve", "loss", "training loss", true);
    tradeoff();
    search();
  }

  function setTheme(theme) {
    root.dataset.theme = theme;
    draw();
  }

  document.getElementById("theme").addEventListener("click", () => setTheme(root.dataset.theme === "dark" ? "light" : "dark"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => setTheme(event.matches ? "dark" : "light"));
  for (const button of document.querySelectorAll(".switch button")) {
    button.addEventListener("click", () => {
      axis = button.dataset.axis;
      for (const other of document.querySelectorAll(".switch button")) other.setAttribute("aria-pressed", String(other === button));
      draw();
    });
  }
  // Paper is light, and hides nothing.
  let screen = "";
  addEventListener("beforeprint", () => {
    screen = root.dataset.theme;
    for (const details of document.querySelectorAll("details.why")) details.open = true;
    setTheme("light");
    for (const one of drawn) one.resize();
  });
  addEventListener("afterprint", () => setTheme(screen));
  draw();
})();
