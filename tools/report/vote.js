// Shows pairs of answers, takes votes, and saves them as votes.json. Texts become text nodes, never
// markup.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const main = document.getElementById("main"), pairs = data.pairs;
  const votes = pairs.map(() => null);  // "first", "second", "neither"
  let at = 0, saved = false;

  const element = (name, text, kind) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };
  const button = (text, action, pressed) => {
    const made = element("button", text);
    made.type = "button";
    if (pressed !== undefined) made.setAttribute("aria-pressed", pressed);
    made.addEventListener("click", action);
    return made;
  };
  const go = (to) => {
    at = Math.max(0, Math.min(pairs.length, to));
    show();
  };
  const vote = (word) => {
    if (at >= pairs.length) return;
    votes[at] = word;
    saved = false;
    go(at + 1);
  };
  const winner = (i) => votes[i] === "neither" ? null : pairs[i][votes[i]].model;

  // Of each two models: how often either was better.
  const tally = () => {
    const sums = new Map();
    pairs.forEach((pair, i) => {
      if (votes[i] === null) return;
      const names = [pair.first.model, pair.second.model].sort(), key = JSON.stringify(names);
      if (!sums.has(key)) sums.set(key, { models: names, better: [0, 0], neither: 0 });
      const sum = sums.get(key), best = winner(i);
      if (best === null) sum.neither += 1;
      else sum.better[names.indexOf(best)] += 1;
    });
    return [...sums.values()];
  };
  const save = () => {
    const all = pairs.map((pair, i) => ({ place: pair.place, first: pair.first.model,
      second: pair.second.model, vote: votes[i], better: votes[i] === null ? null : winner(i) }));
    const text = JSON.stringify({ records: data.records, totals: tally(), votes: all }, null, 2);
    const link = element("a");
    link.href = URL.createObjectURL(new Blob([text + "\n"], { type: "application/json" }));
    link.download = "votes.json";
    link.click();
    saved = true;
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const result = () => {
    const given = votes.filter((one) => one !== null).length;
    main.append(element("p", given + " of " + pairs.length + " pairs have a vote."));
    const table = element("table"), heads = element("tr");
    for (const head of ["models", "better", "better", "neither"]) heads.append(element("th", head));
    table.append(heads);
    for (const sum of tally()) {
      const row = element("tr");
      row.append(element("td", sum.models.join(" and ")));
      sum.models.forEach((name, i) => row.append(element("td", name + ": " + sum.better[i])));
      row.append(element("td", sum.neither));
      table.append(row);
    }
    if (given) main.append(table);
    main.append(button("Back", () => go(at - 1)), button("Save votes.json", save));
  };
  const show = () => {
    main.replaceChildren();
    if (at >= pairs.length) return result();
    const pair = pairs[at], sides = element("div", undefined, "pair");
    main.append(element("p", (at + 1) + " of " + pairs.length, "soft"));
    const titles = { system: "System text", user: "Question", assistant: "Earlier answer" };
    for (const turn of pair.turns)
      main.append(element("h2", titles[turn.role] || turn.role), element("div", turn.text, "text"));
    for (const [title, side] of [["First", pair.first], ["Second", pair.second]]) {
      const part = element("section");
      part.append(element("h2", title), element("div", side.text, "text"));
      sides.append(part);
    }
    main.append(sides);
    main.append(button("First is better (1)", () => vote("first"), votes[at] === "first"),
      button("Second is better (2)", () => vote("second"), votes[at] === "second"),
      button("Neither (0)", () => vote("neither"), votes[at] === "neither"),
      button("Back", () => go(at - 1)), button("To the end", () => go(pairs.length)));
  };
  document.addEventListener("keydown", (event) => {
    // A key that is held down says nothing about the pairs that it would rush through.
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    const actions = { 1: () => vote("first"), 2: () => vote("second"), 0: () => vote("neither"),
      ArrowLeft: () => go(at - 1), ArrowRight: () => go(at + 1) };
    if (actions[event.key]) actions[event.key]();
  });
  // Closing the page would lose what was not saved.
  addEventListener("beforeunload", (event) => {
    if (!saved && votes.some((one) => one !== null)) event.preventDefault();
  });
  show();
})();
