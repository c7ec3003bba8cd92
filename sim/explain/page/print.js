// ---- on paper: the story, with a picture of each step that moves something ----
const MOST_PICTURES = 40, MOST_PRINTED = 200;

function picture(run, i, before) {
  const state = run.seek(i), changed = run.changed(before, i), rows = [];
  for (let p = 0; p < run.P; p++) {
    const moved = changed.get(p)?.was.size > 0;
    if (!state.there[p] || (run.P > 16 && !moved)) continue;
    const cells = run.m.groups.flatMap((_, g) => {
      const share = g * run.P + p, was = changed.get(p)?.was.get(g);
      return [el("td", {}, chip(run, state.own[share]), was !== undefined && was !== state.own[share] && was >= 0 ? " was " + run.m.members[was] : ""), el("td", { text: state.com[share] < 0 ? "–" : state.com[share] }), el("td", { text: state.pos[share] < 0 ? "–" : state.pos[share] })];
    });
    rows.push(el("tr", { class: moved ? "moved" : null }, el("th", { scope: "row", text: run.m.partitions[p] }), el("td", { text: state.end[p] }), ...cells));
  }
  if (!rows.length) return null;
  const heads = run.m.groups.flatMap(group => [(run.G > 1 ? group.name + ": " : "") + "owner", "committed", "position"]);
  return el("table", { class: "picture" }, el("thead", {}, el("tr", {}, ...["partition", "end", ...heads].map(text => el("th", { scope: "col", text })))), el("tbody", {}, ...rows));
}
function printStory(view) {
  const run = view.run, parts = [el("h2", { text: run.m.title })];
  if (run.m.scenario) parts.push(el("pre", { text: run.m.scenario }));
  const story = run.steps.map((_, i) => i).filter(i => run.steps[i].i);
  let before = -1, pictures = 0;
  for (const i of story.slice(0, MOST_PRINTED)) {
    const step = run.steps[i], moves = [...run.changed(before, i).values()].some(change => change.was.size), article = el("article", {});
    const words = el("div", {}, el("div", { class: "wire", text: protocol(step) }), el("p", { text: step.x ?? "" }));
    if ((moves || step.b || step.k) && pictures < MOST_PICTURES) { const table = picture(run, i, before); if (table) { words.append(table); pictures++; } }
    article.append(el("div", { class: "when" }, el("b", { text: step.n }), seconds(step.t)), words);
    parts.push(article);
    before = i;
  }
  if (story.length > MOST_PRINTED) parts.push(el("p", { text: plural(story.length - MOST_PRINTED, "more step") + " of the story not printed." }));
  return parts;
}
function preparePrint() {
  const parts = [el("h1", { text: $("title").textContent }), el("p", { text: $("facts").textContent })];
  if (views.length > 1) parts.push(difference(views.map(view => view.run)));
  for (const view of views) parts.push(...printStory(view));
  $("printed").replaceChildren(...parts);
  for (const view of views) view.run.seek(view.i);
}
