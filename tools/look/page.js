// The page that 'afina step' writes: reads the data beside it and draws. What each array of the data holds is said by
// tools/look/step_data.cpp.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent), words = data.words;
const kinds = ["forward", "recomputed", "backward", "update"];
const steps = data.steps.map((s) => {
  const ops = s.ops.map((o, i) => ({
    index: i, kind: o[0], name: words[o[1]], place: words[o[2]], defined: words[o[3]], called: words[o[4]], depth: o[5], of: o[6],
    recorded: o[7], shape: words[o[8]], micros: o[9], flops: o[10], read: o[11], written: o[12], allocated: o[13], freed: o[14],
    held: o[15], stats: o[16], inputs: o[17], kernels: o[18], saved: o[19], parameter: o[20], readers: [], backward: -1,
  }));
  for (const op of ops) {
    for (const i of op.inputs) if (i[0] >= 0) ops[i[0]].readers.push(op.index);
    if (op.kind === 2 && op.of >= 0) ops[op.of].backward = op.index;
  }
  const parameters = s.parameters.map((p) => ({
    name: words[p[0]], shape: words[p[1]], role: ["frozen", "trained", "adapter"][p[2]], trained: p[3], norm: p[4], gradient: p[5], moved: p[6],
  }));
  return { ...s, ops, parameters };
});

// ---- texts
const make = (tag, attributes, ...inside) => {
  const e = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) e.setAttribute(key, value);
  }
  e.append(...inside.filter((x) => x !== null && x !== undefined));
  return e;
};
const svg = (tag, attributes, text) => {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  if (text !== undefined) e.textContent = text;
  return e;
};
const digits = (x, n) => Number(x.toPrecision(n)).toString();
const figure = (x) => {
  if (x === null) return "not finite";
  const size = Math.abs(x);
  return x === 0 ? "0" : size >= 1e5 || size < 1e-3 ? x.toExponential(2) : digits(x, 4);
};
const scaled = (x, step, units) => {
  let i = 0;
  while (x >= step && i < units.length - 1) { x /= step; i++; }
  return (i === 0 ? String(Math.round(x)) : digits(x, 3)) + " " + units[i];
};
const bytes = (x) => scaled(x, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
const flops = (x, unit = "FLOP") => (x ? scaled(x, 1000, ["", "k", "M", "G", "T", "P"]) + unit : "–");
const time = (us) => (us >= 1e6 ? digits(us / 1e6, 3) + " s" : us >= 1e3 ? digits(us / 1e3, 3) + " ms" : digits(us, 3) + " µs");
const sum = (all, f) => all.reduce((total, x) => total + f(x), 0);
const total = (held) => sum(held, (x) => x);
const layer = (place) => { const found = /(?:^|\.)(\d+)(?:\.|$)/.exec(place); return found ? Number(found[1]) : -1; };
const behind = (place) => { const found = /(?:^|\.)\d+\.(.*)$/.exec(place); return found ? found[1] : place; };
const title = (op) => op.name + (op.place ? " · " + op.place : "");
// A position in a tensor of "(8, 256, 128) f32" as an index.
const index = (shape, at) => {
  const extents = shape.slice(1, shape.indexOf(")")).split(",").map(Number), out = [];
  for (let i = extents.length - 1; i >= 0; i--) { out.unshift(at % extents[i]); at = Math.floor(at / extents[i]); }
  return "[" + out.join(", ") + "]";
};

// ---- head and figures
document.getElementById("title").textContent = data.model;
document.title = "One training step of " + data.model;
const of_kind = (s, k) => s.ops.filter((o) => o.kind === k);
document.getElementById("facts").append(...data.facts.map(([name, text]) => make("span", {}, make("small", {}, name + " "), text + " ")));
// A sentence for each method but the first: what it needs of the first one's.
const lead = () => {
  if (steps.length < 2 || steps[0].peak < 0) return;
  const a = steps[0], of = (s) => sum(s.ops, (o) => o.flops), held = (s) => s.ops[s.peak].held;
  const kept = (s) => bytes(Math.max(...s.ops.map((o) => o.held[1] + o.held[2] + o.held[3])));
  document.getElementById("lead").textContent = steps.slice(1).map((b) => `${b.method} needs ${digits(of(b) / of(a), 2)}× the FLOPs of ${a.method} and ${digits(total(held(b)) / total(held(a)), 2)}× its memory at the peak: ` +
    `masters, gradients and optimizer state take at most ${kept(b)} instead of ${kept(a)}.`).join(" ");
};
const summary = () => {
  lead();
  const row = (name, f) => make("tr", {}, make("td", {}, name), ...steps.map((s) => make("td", {}, f(s))));
  const again = steps.some((s) => of_kind(s, 1).length > 0);
  const rows = [row("Operations", (s) => String(s.ops.length)), row("Trained parameters, tensors", (s) => String(s.parameters.filter((p) => p.trained).length))];
  for (const k of [0, 1, 2, 3]) {
    if (k === 1 && !again) continue;
    rows.push(row("Time, " + kinds[k], (s) => time(sum(of_kind(s, k), (o) => o.micros))));
    if (k < 3) rows.push(row("FLOPs, " + kinds[k], (s) => flops(sum(of_kind(s, k), (o) => o.flops))));
  }
  rows.push(row("Memory at its peak", (s) => (s.peak < 0 ? "–" : bytes(total(s.ops[s.peak].held)))));
  data.purposes.forEach((p, i) => {
    if (steps.some((s) => s.peak >= 0 && s.ops[s.peak].held[i])) rows.push(row("of it " + p, (s) => bytes(s.ops[s.peak].held[i])));
  });
  rows.push(row("Loss", (s) => figure(s.loss)), row("Norm of the gradient", (s) => figure(s.norm)), row("Learning rate", (s) => figure(s.lr)));
  const head = make("thead", {}, make("tr", {}, make("th", { class: "l" }, ""), ...steps.map((s) => make("th", {}, s.method))));
  document.getElementById("summary").append(make("table", { class: "facts" }, head, make("tbody", {}, ...rows)));
};

// ---- memory
const most = Math.max(...steps.map((s) => (s.peak < 0 ? 1 : total(s.ops[s.peak].held))), 1);
// What came during the step and is held while operation `at` runs, by purpose and by the operation that it came with.
const holders = (step, at) => {
  const all = new Map();
  for (const [size, purpose, born, died] of step.buffers) {
    if (born > at || (died >= 0 && died < at) || born >= step.ops.length) continue;
    const op = step.ops[born], key = `${data.purposes[purpose]} from ${op.name}${op.kind === 2 ? " backward" : ""}`;
    const entry = all.get(key) || [0, 0];
    all.set(key, [entry[0] + size, entry[1] + 1]);
  }
  return [...all].sort((a, b) => b[1][0] - a[1][0]).slice(0, 4).map(([key, [size, count]]) => `${bytes(size)} of ${key}${count > 1 ? " (" + count + " tensors)" : ""}`);
};
const chart = (step, s) => {
  const card = make("div", { class: "card" }, make("h3", {}, step.method)), n = step.ops.length;
  const tip = make("div", { class: "tip" });
  let shown = null;
  const draw = () => {
    const width = Math.max(260, card.clientWidth - 30), height = 210, left = 46, bottom = 20, top = 8;
    const x = (i) => left + ((width - left - 4) * i) / Math.max(1, n), y = (v) => top + (height - top - bottom) * (1 - v / most);
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": "Memory during the step" });
    let from = 0;
    for (let i = 1; i <= n; i++) {
      const phase = (o) => (o.kind === 1 ? 2 : o.kind);
      if (i < n && phase(step.ops[i]) === phase(step.ops[from])) continue;
      const k = phase(step.ops[from]);
      if (k !== 2) picture.append(svg("rect", { x: x(from), y: top, width: x(i) - x(from), height: height - top - bottom, fill: "var(--band)" }));
      if (x(i) - x(from) > 44) picture.append(svg("text", { x: (x(from) + x(i)) / 2, y: height - 5, "text-anchor": "middle", fill: "var(--soft)", "font-size": 11 }, kinds[k]));
      from = i;
    }
    for (let i = 0; i <= 4; i++) {
      const v = (most * i) / 4;
      picture.append(svg("line", { x1: left, x2: width, y1: y(v), y2: y(v), stroke: "var(--line)" }));
      picture.append(svg("text", { x: left - 4, y: y(v) + 4, "text-anchor": "end", fill: "var(--soft)", "font-size": 10 }, v ? bytes(v) : "0"));
    }
    const base = new Array(n).fill(0);
    data.purposes.forEach((name, p) => {
      let d = "", back = "";
      for (let i = 0; i < n; i++) {
        const low = base[i];
        base[i] += step.ops[i].held[p];
        d += `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(base[i]).toFixed(1)}L${x(i + 1).toFixed(1)} ${y(base[i]).toFixed(1)}`;
        back = `L${x(i + 1).toFixed(1)} ${y(low).toFixed(1)}L${x(i).toFixed(1)} ${y(low).toFixed(1)}` + back;
      }
      if (n) picture.append(svg("path", { d: d + back + "Z", fill: `var(--p${p})` }));
    });
    const line = svg("line", { y1: top, y2: height - bottom, stroke: "var(--ink)", "stroke-width": 1.5, visibility: "hidden" });
    picture.append(line);
    const point = (i) => {
      line.setAttribute("x1", x(i + 0.5));
      line.setAttribute("x2", x(i + 0.5));
      line.setAttribute("visibility", "visible");
      const op = step.ops[i];
      tip.replaceChildren(make("b", {}, `#${i} ${title(op)}`), ` (${kinds[op.kind]}): ${bytes(total(op.held))}. Of what came during the step: ` + (holders(step, i).join("; ") || "nothing") + ".");
    };
    const at = (e) => { const r = picture.getBoundingClientRect(); return Math.min(n - 1, Math.max(0, Math.floor((((e.clientX - r.left) * width) / r.width - left) / ((width - left - 4) / n)))); };
    picture.addEventListener("pointermove", (e) => point(at(e)));
    picture.addEventListener("click", (e) => { point(at(e)); select(s, at(e)); });
    if (shown) shown.replaceWith(picture);
    else card.insertBefore(picture, tip);
    shown = picture;
    if (step.peak >= 0) point(step.peak);
  };
  card.append(tip);
  return { card, draw };
};

// ---- the list of operations
const view = { text: "", kinds: [true, true, true, true], method: 0, narrow: false, opened: new Set(), on: null };
const columns = [
  ["time", (o) => time(o.micros)], ["FLOPs", (o) => flops(o.flops, "")], ["held", (o) => bytes(total(o.held))],
  ["norm", (o, s) => { const st = stats_of(o, s); return st ? figure(st[3]) : "–"; }],
];
const stats_of = (op, s) => (op.kind === 3 && op.parameter >= 0 ? steps[s].parameters[op.parameter].gradient : op.stats);
const first_of = (row) => { const s = row.findIndex((i) => i >= 0); return steps[s].ops[row[s]]; };
const sections = () => {
  const all = [];
  let place = -1;
  data.rows.forEach((row, r) => {
    const op = first_of(row), kind = op.kind === 1 ? 2 : op.kind;
    place = op.place || !all.length || all[all.length - 1].kind !== kind ? layer(op.place) : place;
    const last = all[all.length - 1];
    if (!last || last.kind !== kind || last.layer !== place) all.push({ kind, layer: place, rows: [] });
    all[all.length - 1].rows.push(r);
  });
  return all;
};
const all_sections = sections();
const first_layers = new Set();
all_sections.forEach((g, i) => { if (!first_layers.has(g.kind) && g.layer >= 0 && g.kind < 3) { first_layers.add(g.kind); view.opened.add(i); } });
// On a narrow screen one method; else two, the first and the chosen one.
const shown_steps = () => (steps.length === 1 ? [0] : view.narrow ? [view.method] : [0, view.method || 1]);
const list = () => {
  const which = shown_steps(), wanted = view.text.toLowerCase(), table = make("table", {});
  const heads = make("tr", {}, make("th", { class: "l" }, "operation"), ...which.flatMap(() => columns.map(([name]) => make("th", {}, name))));
  const methods = make("tr", {}, make("th", {}, ""), ...which.map((s) => make("th", { colspan: columns.length, class: "l" }, steps[s].method)));
  table.append(make("thead", {}, methods, heads));
  all_sections.forEach((group, g) => {
    const rows = group.rows.filter((r) => {
      const row = data.rows[r], op = first_of(row);
      return which.some((s) => row[s] >= 0) && view.kinds[op.kind] && (!wanted || title(op).toLowerCase().includes(wanted));
    });
    if (!rows.length) return;
    const body = make("tbody", { class: "fold" }), folds = group.layer >= 0 && rows.length > 1, open = !folds || wanted || view.opened.has(g);
    if (folds) {
      const cells = which.flatMap((s) => {
        const ops = rows.map((r) => data.rows[r][s]).filter((i) => i >= 0).map((i) => steps[s].ops[i]);
        return [make("td", { class: "first" }, time(sum(ops, (o) => o.micros))), make("td", {}, flops(sum(ops, (o) => o.flops), "")), make("td", {}, ops.length ? bytes(Math.max(...ops.map((o) => total(o.held)))) : "–"), make("td", {}, "")];
      });
      const toggle = () => { if (view.opened.has(g)) view.opened.delete(g); else view.opened.add(g); list(); };
      body.append(make("tr", { class: "group", tabindex: 0, onclick: toggle, onkeydown: (e) => { if (e.key === "Enter") toggle(); } },
        make("td", {}, `${open ? "▾" : "▸"} ${kinds[group.kind]}, layer ${group.layer}`, make("span", { class: "tag" }, `${rows.length} operations`)), ...cells));
    }
    for (const r of open ? rows : []) {
      const row = data.rows[r], op = first_of(row), s0 = row.findIndex((i) => i >= 0);
      const label = make("td", { style: `padding-left:${0.6 + 0.7 * (op.depth + (folds ? 1 : 0))}rem`, title: title(op) },
        op.name, op.kind === 1 ? make("span", { class: "tag" }, "again") : null, op.kind === 2 ? make("span", { class: "tag" }, "backward") : null, " ",
        make("span", { class: "place" }, folds ? behind(op.place) : op.place));
      const cells = which.flatMap((s) => columns.map(([, f], c) => {
        const own = row[s] >= 0 ? steps[s].ops[row[s]] : null;
        return make("td", { class: c ? undefined : "first" }, own ? f(own, s) : make("span", { class: "none" }, "·"));
      }));
      const pick = () => select(which.find((s) => row[s] >= 0) ?? s0, row[which.find((s) => row[s] >= 0) ?? s0]);
      body.append(make("tr", { class: "op" + (view.on === r ? " on" : ""), tabindex: 0, onclick: pick, onkeydown: (e) => { if (e.key === "Enter") pick(); } }, label, ...cells));
    }
    table.append(body);
  });
  document.getElementById("list").replaceChildren(table);
};
