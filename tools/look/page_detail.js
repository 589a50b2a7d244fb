// The second half of the page's script: an operation or a parameter that was clicked, and the start.
const histogram = (stats, colour) => {
  const width = 320, height = 70, n = stats[6].length, picture = svg("svg", { viewBox: `0 0 ${width} ${height + 16}`, role: "img", "aria-label": "Histogram" });
  [...stats[6]].forEach((digit, i) => {
    const h = (parseInt(digit, 36) / 35) * height;
    picture.append(svg("rect", { x: (i * width) / n + 1, y: height - h, width: width / n - 2, height: h, fill: colour }));
  });
  picture.append(svg("line", { x1: 0, x2: width, y1: height, y2: height, stroke: "var(--faint)" }));
  picture.append(svg("text", { x: 0, y: height + 13, fill: "var(--soft)", "font-size": 11 }, figure(stats[0])));
  picture.append(svg("text", { x: width, y: height + 13, "text-anchor": "end", fill: "var(--soft)", "font-size": 11 }, figure(stats[1])));
  return picture;
};
const values = (name, stats, shape, colour) => {
  if (!stats) return [];
  const places = (all) => all.map(([v, at]) => make("div", {}, figure(v) + " ", make("small", {}, index(shape, at))));
  return [
    make("h4", {}, name), histogram(stats, colour),
    make("small", {}, `Height: logarithm of the count. Norm ${figure(stats[3])}, mean ${figure(stats[2])}` +
      (stats[4] ? `, ${stats[4].toLocaleString("en")} zeros` : "") + (stats[5] ? `, ${stats[5].toLocaleString("en")} not finite` : "")),
    make("div", { class: "extremes" }, make("div", {}, make("small", {}, "lowest"), ...places(stats[7])), make("div", {}, make("small", {}, "highest"), ...places(stats[8]))),
  ];
};
const pairs = (all) => make("dl", {}, ...all.filter(([, text]) => text).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
const to_op = (s, i) => make("button", { class: "link", onclick: () => select(s, i) }, `#${i} ${title(steps[s].ops[i])}`);
const to_parameter = (s, p) => make("button", { class: "link", onclick: () => show_parameter(s, p) }, steps[s].parameters[p].name);

const operation_card = (s, i) => {
  const step = steps[s], op = step.ops[i], card = make("div", { class: "card" });
  const intensity = op.flops && op.read + op.written ? digits(op.flops / (op.read + op.written), 3) + " FLOPs a byte" : "";
  card.append(make("h3", {}, `${step.method}: #${i} ${op.name}`), make("div", { class: "soft" }, kinds[op.kind] + (op.place ? ", " : ""), make("code", {}, op.place)));
  card.append(pairs([
    [op.kind === 2 ? "gradient" : op.kind === 3 ? "parameter" : "result", op.shape], ["time", time(op.micros)], ["work", op.flops && flops(op.flops) + (intensity ? ", " + intensity : "")],
    ["reads", op.read && bytes(op.read)], ["writes", op.written && bytes(op.written)], ["allocates", op.allocated && bytes(op.allocated)], ["frees", op.freed && bytes(op.freed)],
    ["held", bytes(total(op.held))], ["defined at", op.defined && make("code", {}, op.defined)], ["module at", op.called && make("code", {}, op.called)],
    ["gradients", op.kind < 2 ? (op.recorded ? "go through it" : "none: nothing before it is trained") : ""],
    ["kernels", op.kernels.length ? op.kernels.map((k) => `${words[k[0]]}${k[1] > 1 ? " ×" + k[1] : ""} ${time(k[2])}${k[3] ? " (recomputes)" : ""}`).join(", ") : op.kind < 2 ? "none: a view, or done by the operation before" : "none"],
  ]));
  if (op.inputs.length)
    card.append(make("h4", {}, "Parents"), make("ul", {}, ...op.inputs.map(([from, parameter, shape]) =>
      make("li", {}, parameter >= 0 ? to_parameter(s, parameter) : from >= 0 ? to_op(s, from) : "data or a constant", ` ${words[shape]}` + (parameter >= 0 ? ", " + step.parameters[parameter].role : "")))));
  if (op.readers.length) card.append(make("h4", {}, "Read by"), make("ul", {}, ...op.readers.slice(0, 12).map((r) => make("li", {}, to_op(s, r)))));
  if (op.kind === 2 && op.of >= 0) card.append(make("h4", {}, "Backward pass of"), to_op(s, op.of));
  if (op.backward >= 0) card.append(make("h4", {}, "Its backward pass"), to_op(s, op.backward));
  const saver = op.kind === 2 ? op : op.backward >= 0 ? step.ops[op.backward] : null;
  if (saver)
    card.append(make("h4", {}, "Saved for backward"), saver.saved.length
      ? make("ul", {}, ...saver.saved.map((t) => make("li", {}, `${words[t[0]]} ${words[t[1]]}` + (t[2] ? `, ${bytes(t[2])}${t[3] ? ", freed with it" : ", also held elsewhere"}` : ", held anyway"))))
      : make("small", {}, "nothing that was there before" + (saver.kernels.some((k) => k[3]) ? ": what it needs is recomputed" : "")));
  if (op.kind === 3) {
    const p = step.parameters[op.parameter];
    if (p) card.append(make("h4", {}, "Parameter"), to_parameter(s, op.parameter), ...values("Its gradient", p.gradient, p.shape, "var(--bar2)"));
  } else if (op.kind === 2) {
    card.append(...values("Gradient of the result", op.stats, op.shape, "var(--bar2)"));
  } else {
    card.append(...values("Values of the result", op.stats, op.shape, "var(--bar)"));
    if (op.backward >= 0) card.append(...values("Gradient of the result", step.ops[op.backward].stats, step.ops[op.backward].shape, "var(--bar2)"));
  }
  return card;
};
const panel = document.getElementById("detail");
const show = (...cards) => {
  panel.classList.add("open");
  panel.replaceChildren(make("button", { class: "close", "aria-label": "close", onclick: () => panel.classList.remove("open") }, "×"), ...cards);
  panel.scrollTop = 0;
};
const show_parameter = (s, i) => {
  const step = steps[s], p = step.parameters[i], users = step.ops.filter((o) => o.parameter === i || o.inputs.some((x) => x[1] === i));
  show(make("div", { class: "card" }, make("h3", {}, `${step.method}: ${p.name}`),
    pairs([["shape", p.shape], ["role", p.role], ["norm", figure(p.norm)], ["norm of its gradient", p.gradient ? figure(p.gradient[3]) : "it has none"],
      ["moved by", p.moved === null ? "" : figure(p.moved) + (p.norm ? ` (${digits((100 * p.moved) / p.norm, 3)} % of its norm)` : "")]]),
    make("h4", {}, "Used by"), make("ul", {}, ...users.slice(0, 12).map((o) => make("li", {}, to_op(s, o.index), " " + kinds[o.kind]))),
    ...values("Its gradient", p.gradient, p.shape, "var(--bar2)")));
};
function select(s, i) {
  const row = data.rows.findIndex((r) => r[s] === i);
  view.on = row;
  all_sections.forEach((g, n) => { if (g.rows.includes(row)) view.opened.add(n); });
  list();
  const which = shown_steps().length > 1 ? steps.map((_, n) => n) : [s], cards = [operation_card(s, i)];
  for (const other of which) if (other !== s && data.rows[row][other] >= 0) cards.push(operation_card(other, data.rows[row][other]));
  show(...cards);
  const on = document.querySelector("tr.on");
  if (on) on.scrollIntoView({ block: "nearest" });
  history.replaceState(null, "", `#${s}-${i}`);
}

// ---- start
const controls = () => {
  const bar = document.getElementById("controls");
  bar.append(make("input", { type: "search", placeholder: "operation or module", "aria-label": "Filter", oninput: (e) => { view.text = e.target.value; list(); } }));
  kinds.forEach((name, k) => {
    if (!steps.some((s) => of_kind(s, k).length)) return;
    const button = make("button", { "aria-pressed": "true", onclick: () => { view.kinds[k] = !view.kinds[k]; button.setAttribute("aria-pressed", view.kinds[k]); list(); } }, name);
    bar.append(button);
  });
  bar.append(make("button", { onclick: () => { view.opened.clear(); list(); } }, "fold all"), make("button", { onclick: () => { all_sections.forEach((_, i) => view.opened.add(i)); list(); } }, "unfold all"));
  if (steps.length < 2) return;
  const methods = make("span", { class: "bar", id: "methods" });
  steps.forEach((s, i) => methods.append(make("button", { onclick: () => { view.method = i; mark(); list(); } }, s.method)));
  bar.append(methods);
};
const mark = () => {
  const methods = document.getElementById("methods");
  if (!methods) return;
  methods.style.display = view.narrow || steps.length > 2 ? "" : "none";
  [...methods.children].forEach((b, i) => b.setAttribute("aria-pressed", shown_steps().includes(i)));
};
const charts = steps.map(chart);
document.getElementById("charts").append(...charts.map((c) => c.card));
document.getElementById("legend").append(...data.purposes.map((name, p) => make("span", {}, make("i", { class: "dot", style: `background:var(--p${p})` }), name === "masters" ? "masters (f32 copies of trained weights that are bf16)" : name)));
summary();
controls();
const resize = () => {
  view.narrow = steps.length > 1 && innerWidth < 1000;
  mark();
  charts.forEach((c) => c.draw());
  list();
};
let waiting = 0, last_width = 0;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => { if (innerWidth !== last_width) { last_width = innerWidth; resize(); } }, 100);
});
last_width = innerWidth;
resize();
document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
});
const asked = /^#(\d+)-(\d+)$/.exec(location.hash);
if (asked && steps[asked[1]] && steps[asked[1]].ops[asked[2]]) select(Number(asked[1]), Number(asked[2]));
else panel.replaceChildren(make("div", { class: "card empty" }, make("p", { class: "soft" }, "Click an operation in the list or in the picture: its values, its gradient, where it comes from and what it saved for the backward pass are shown here.")));
