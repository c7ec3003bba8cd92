// ---- two runs: what each cost ----
function costsOf(run) {
  const pauses = run.pauses, length = pause => (pause.to ?? run.duration()) - pause.from, begun = new Map();
  let rebalances = 0, unsettled = 0;
  run.steps.forEach((step, i) => {
    if (step.b && !begun.has(step.g)) { begun.set(step.g, i); rebalances++; }
    if (step.k && begun.has(step.g)) { unsettled += step.t - run.steps[begun.get(step.g)].t; begun.delete(step.g); }
  });
  return [
    ["Rebalances", rebalances, String],
    ["Time in rebalances", unsettled, span],
    ["Partitions paused", pauses.length, String],
    ["given up and given back", pauses.filter(pause => pause.o === pause.m).length, String],
    ["moved to another member", pauses.filter(pause => pause.o !== undefined && pause.o !== pause.m).length, String],
    ["Longest pause", Math.max(0, ...pauses.map(length)), span],
    ["Pauses, together", pauses.reduce((sum, pause) => sum + length(pause), 0), span],
    ["Records read again", pauses.reduce((sum, pause) => sum + (pause.r ?? 0), 0), String],
    ["Highest lag (records)", Math.max(0, ...run.m.groups.flatMap(group => group.lag.map(point => point[1]))), String],
  ];
}
function difference(runs) {
  const [a, b] = runs.map(costsOf);
  const row = (run, mine, others) => el("tr", {}, el("th", { scope: "row", text: run.m.title }),
    ...mine.map(([, value, say], k) => el("td", { class: value < others[k][1] * .95 ? "less" : null, text: say(value) })));
  return el("section", { class: "panel difference", "aria-label": "The difference", tabindex: "0" }, el("h2", { text: "The difference" }),
    el("table", {}, el("thead", {}, el("tr", {}, el("td", {}), ...a.map(([name]) => el("th", { scope: "col", text: name })))), el("tbody", {}, row(runs[0], a, b), row(runs[1], b, a))));
}
