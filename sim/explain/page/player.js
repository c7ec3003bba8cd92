// ---- one run on the page ----
class View {
  constructor(run, index, count) {
    this.run = run;
    this.index = index;
    this.named = count > 1 ? " of " + run.m.title : "";
    this.drawn = 0; // pieces drawn since the page was opened: what scrubbing costs
    this.rows = [];
    this.now = el("div", { class: "panel now", id: index === 0 ? "now" : null, tabindex: "-1", "aria-live": "polite", "aria-atomic": "true", role: "region", "aria-label": "Current step" + this.named });
    this.quiz = new Quiz(this);
    this.cluster = new Cluster(this);
    this.lanes = new Lanes(this);
    this.times = new Times(this);
    this.box = el("section", { class: "run", "aria-label": run.m.title }, count > 1 ? el("h2", { class: "runname", text: run.m.title }) : null, this.now, this.quiz.box,
      el("div", { class: "columns" }, el("div", { class: "left" }, this.cluster.box, this.times.box), this.lanes.box));
  }
  setRows(all, only) {
    this.rows = this.run.steps.map((_, i) => i).filter(i => (all || this.run.steps[i].i) && (!only || this.run.isAbout(i, only)));
    if (!this.rows.length) this.rows = this.run.steps.map((_, i) => i).slice(0, only ? 1 : undefined); // it has to stand somewhere
  }
  rowOf(i) { // the row of step i, or of the last one shown before it
    let low = 0, high = this.rows.length - 1;
    while (low < high) { const middle = (low + high + 1) >> 1; if (this.rows[middle] <= i) low = middle; else high = middle - 1; }
    return low;
  }
  quizHides() { return player.quiz && this.quiz.questions.length > 0; }
  link(n, text) { return el("a", { href: "#" + player.hash(this, n), text }); }
  show(i) {
    if (!this.run.count) { this.now.replaceChildren(el("p", { class: "say", text: "Nothing happened in this run." })); return; }
    this.i = i;
    this.before = this.rows[this.rowOf(i) - 1] ?? -1;
    this.lanes.show(); // first: it scrolls, which is cheap as long as nothing else has changed
    this.cluster.show(i, this.before);
    this.times.show();
    this.tell(this.run.steps[i]);
  }
  linked(text) { // steps that a sentence names lead there, the others are words
    return text.replaceAll(" -> ", " → ").split(/(\bsteps? \d+(?:\.\d+)?)/).map((piece, k) => {
      const n = k % 2 ? this.run.numberOf(/\d+(?:\.\d+)?/.exec(piece)[0]) : undefined;
      return n !== undefined && n !== this.run.steps[this.i].n ? this.link(n, piece) : piece;
    });
  }
  tell(step) {
    const command = step.a === "command", quoted = step.a === "note", [lead, rest] = leadAndRest(command ? (step.x ?? "").replace(/^> /, "") : step.x);
    const wire = protocol(step), [route, code] = wire.split(" <- ");
    const links = el("div", { class: "links" }), other = n => { const i = this.run.indexOf.get(n); return i === undefined ? "" : ": " + protocol(this.run.steps[i]).replace(" <- NONE", ""); };
    if (this.run.indexOf.has(step.c)) links.append(el("span", { class: "cause" }, this.link(step.c, "because of step " + step.c), other(step.c)));
    if (step.h) links.append(el("span", {}, this.link(this.run.numberOf(String(step.h)), (step.y === "held" ? "answered in step " : "answers step ") + step.h)));
    else if (step.y === "held") links.append(el("span", { text: "not answered in this run" }));
    this.now.className = "panel now" + (step.e ? " bad" : step.b ? " rebalance" : "");
    this.now.replaceChildren(
      el("div", { class: "stamp" }, el("div", { class: "number" }, hidden("Step "), String(step.n)), el("div", { class: "when", text: seconds(step.t) })),
      el("div", {},
        el("div", { class: "wire" }, route, code ? el("span", { class: code === "NONE" ? null : "code", text: " ← " + code }) : ""),
        el("p", { class: "say" + (quoted ? " quoted" : "") }, ...this.linked(lead || step.a)),
        rest ? el("p", { class: "more" }, ...this.linked(rest)) : null, links));
  }
}

// ---- all of them move together ----
const player = {
  at: 0, timer: 0, quiz: false, all: false, only: null, found: new Set(), searched: "", positions: [],
  // Positions: a step of one run, or steps of both that come at the same time, in the order of time.
  arrange() {
    const marks = views.flatMap(view => { let order = 0; return view.rows.map((i, r) => { const t = view.run.steps[i].t; order = r && view.run.steps[view.rows[r - 1]].t === t ? order + 1 : 0; return { t, order, view, i }; }); });
    if (views.length > 1) marks.sort((a, b) => a.t - b.t || a.order - b.order || a.view.index - b.view.index);
    this.positions = [];
    this.positionOf = views.map(() => new Map());
    let steps = views.map(view => view.rows[0] ?? 0);
    for (const mark of marks) {
      const last = this.positions.at(-1), same = last && last.t === mark.t && last.order === mark.order && last.first !== mark.view.index;
      steps = steps.slice();
      steps[mark.view.index] = mark.i;
      if (same) last.steps = steps;
      else this.positions.push({ t: mark.t, order: mark.order, first: mark.view.index, steps });
      this.positionOf[mark.view.index].set(mark.i, this.positions.length - 1);
    }
    $("slider").max = Math.max(0, this.positions.length - 1);
    $("marks").replaceChildren(...this.positions.flatMap((position, k) => {
      const step = views[position.first].run.steps[position.steps[position.first]];
      return step.b ? [draw("path", { d: "M0 1 l5 5 l-5 5 l-5 -5 z", fill: "var(--mark-line)", stroke: "var(--ink)", "stroke-width": .6, transform: `translate(${this.across(k)} 0)` })] : [];
    }));
  },
  across(k) { return k / Math.max(1, this.positions.length - 1) * Math.max(1, $("marks").clientWidth); },
  hash(view, n) { return (view.index ? "run2-" : "") + "step-" + n + (this.only ? ";" + this.only[0] + "=" + encodeURIComponent(this.only[1]) : ""); },
  go(k) {
    if (!this.positions.length) { views.forEach(view => view.show(0)); return; }
    this.at = Math.max(0, Math.min(k, this.positions.length - 1));
    const position = this.positions[this.at], view = views[position.first], step = view.run.steps[position.steps[position.first]];
    views.forEach((each, index) => each.show(position.steps[index]));
    const last = views[0].run.lastNumber, text = "step " + step.n + (views.length > 1 && position.first ? " (right)" : "") + " · " + seconds(step.t);
    $("slider").value = this.at;
    $("slider").setAttribute("aria-valuetext", text);
    $("at").textContent = views.length > 1 ? text : "step " + step.n + " of " + last;
    clearTimeout(this.naming); // the address follows when the hand rests: naming it costs more than drawing
    this.naming = setTimeout(() => history.replaceState(null, "", "#" + this.hash(view, step.n)), 120);
  },
  goTo(view, i) { // step i of one run; hidden ones are shown
    if (!this.positionOf[view.index].has(i) && this.only && !view.run.isAbout(i, this.only)) this.choose(null);
    if (!this.positionOf[view.index].has(i)) this.show(true);
    this.go(this.positionOf[view.index].get(i) ?? 0);
  },
  next() {
    const after = this.positions[this.at + 1];
    if (!after) { this.stop(); return; }
    if (this.quiz) {
      const asks = views.filter(view => view.quiz.ask(view.i, after.steps[view.index]));
      if (asks.length) { this.stop(); return; }
    }
    this.go(this.at + 1);
  },
  back() { this.go(this.at - 1); },
  rebalance(d) {
    for (let k = this.at + d; k >= 0 && k < this.positions.length; k += d) {
      const position = this.positions[k];
      if (views.some((view, v) => position.steps[v] !== this.positions[k - 1]?.steps[v] && view.run.steps[position.steps[v]]?.b)) { this.go(k); return; }
    }
    this.go(d > 0 ? this.positions.length - 1 : 0);
  },
  cause() {
    const view = views[this.positions[this.at]?.first ?? 0], i = view.run.indexOf.get(view.run.steps[view.i]?.c);
    if (i !== undefined) this.goTo(view, i);
  },
  live(on) { views.forEach(view => view.now.setAttribute("aria-live", on ? "polite" : "off")); },
  stop() {
    clearInterval(this.timer);
    this.timer = 0;
    this.live(true);
    $("play").replaceChildren(el("span", { "aria-hidden": "true", text: "▸" }), " Play");
    $("play").setAttribute("aria-pressed", "false");
  },
  play() {
    if (this.timer) { this.stop(); return; }
    if (this.at === this.positions.length - 1) this.go(0);
    this.live(Number($("speed").value) <= 1); // faster than anybody can listen
    $("play").replaceChildren(el("span", { "aria-hidden": "true", text: "‖" }), " Pause");
    $("play").setAttribute("aria-pressed", "true");
    this.timer = setInterval(() => this.next(), 1000 / Number($("speed").value));
  },
  choose(only) { // only the steps of a group or a process; null: of everybody
    const option = only && [...$("only").options].find(one => one.only?.[0] === only[0] && one.only[1] === only[1]);
    this.only = option ? only : null;
    $("only").value = option ? option.value : "";
    this.show(this.all);
  },
  show(all) { // every step, or the story
    this.all = all;
    $("level").value = all ? "all" : "story";
    const here = this.positions[this.at], step = here?.steps[here.first], view = views[here?.first ?? 0];
    views.forEach(each => each.setRows(all, this.only));
    this.arrange();
    if (here) this.go(this.positionOf[view.index].get(view.rows[view.rowOf(step)]) ?? 0);
  },
  setQuiz(on) {
    this.quiz = on;
    $("quiz").setAttribute("aria-pressed", on);
    $("quiz").textContent = on ? "Quiz is on" : "Quiz";
    document.querySelectorAll(".difference").forEach(box => { if (!box.closest("#printed")) box.hidden = on; });
    views.forEach(view => { view.quiz.cancel(); view.quiz.questions.forEach(question => { question.done = false; }); });
    this.go(this.at);
  },
  find(text) {
    text = text.trim().toLowerCase();
    this.found = new Set();
    this.searched = text;
    this.hits = [];
    if (text) for (const view of views) view.run.steps.forEach((step, i) => {
      const hit = /^\d+(\.\d+)?$/.test(text) ? String(step.n) === text : [step.a, step.p, step.x, step.e].some(words => words?.toLowerCase().includes(text));
      if (hit && !(view.quizHides() && i > view.i)) { this.found.add(view.index + ":" + i); this.hits.push({ view, i, t: step.t }); }
    });
    this.hits.sort((a, b) => a.t - b.t || a.view.index - b.view.index || a.i - b.i);
    $("found").textContent = text ? (this.hits.length || "none") : "";
    views.forEach(view => view.lanes.draw());
  },
  jump(d) { // to the hit after (or before) where we are
    if (!this.hits?.length) return;
    const after = this.hits.findIndex(hit => hit.i > hit.view.i), k = d > 0 ? (after < 0 ? 0 : after) : this.hits.findLastIndex(hit => hit.i < hit.view.i);
    const hit = this.hits[k < 0 ? this.hits.length - 1 : k];
    this.goTo(hit.view, hit.i);
  },
  open(hash) {
    const named = /^#(run2-)?step-(\d+(?:\.\d+)?)(?:;(group|node)=(.+))?$/.exec(hash), view = views[named?.[1] ? 1 : 0], i = named && view && view.run.indexOf.get(view.run.numberOf(named[2]));
    if (i === undefined || i === null) return false;
    let name;
    try { name = decodeURIComponent(named[4] ?? ""); } catch { name = ""; } // typed by hand
    if (name !== (this.only?.[1] ?? "") || (named[3] ?? "") !== (this.only?.[0] ?? "")) this.choose(name ? [named[3], name] : null);
    this.goTo(view, i);
    return true;
  },
};

// ---- the page ----
const models = JSON.parse($("model").textContent);
const views = models.map((model, index) => new View(new Run(model), index, models.length));
document.title = models.map(model => model.title).join(" against ") + " – kafkasim";
$("title").textContent = models.map(model => model.title).join(" against ");
$("facts").textContent = models.map((model, index) => [model.seed === null ? "" : "seed " + model.seed, plural(views[index].run.lastNumber, "step"), seconds(model.duration),
  ...model.groups.slice(0, 4).map(group => "group " + group.name + ": " + group.type + (group.assignor ? ", " + group.assignor : ""))].filter(Boolean).join(" · ")).join("  |  ");
if (views.length > 1) {
  $("runs").className = "two";
  $("runs").append(difference(views.map(view => view.run)));
}
$("runs").append(...views.map(view => view.box));

function carry(model) { // the scenario, to copy or to keep
  const text = el("pre", { tabindex: "0", text: model.scenario, "aria-label": "Scenario " + model.title }), said = el("span", { role: "status" });
  const copy = async () => {
    try { await navigator.clipboard.writeText(model.scenario); said.textContent = "copied"; }
    catch { getSelection().selectAllChildren(text); said.textContent = document.execCommand("copy") ? "copied" : "selected: copy it with Ctrl C"; }
  };
  const keep = el("a", { href: URL.createObjectURL(new Blob([model.scenario], { type: "text/plain" })), download: model.title.replace(/[^\w.-]/g, "_").replace(/(\.ksim)?$/, ".ksim"), text: "Download" });
  return el("div", {}, el("div", { class: "head" }, el("span", { class: "mono", text: model.title }), el("span", {}, said, " ", el("button", { type: "button", text: "Copy the scenario", onclick: copy }), " ", keep)), text);
}
const lessons = models.filter(model => model.scenario);
$("lesson").hidden = !lessons.length;
$("scenarios").append(...lessons.map(carry));

let choices = 0;
for (const [label, kind, list] of [["Groups", "group", "groups"], ["Processes", "node", "nodes"]]) { // of both runs
  const names = [...new Set(models.flatMap(model => model[list].map(one => one.name)))];
  const options = names.map(name => Object.assign(el("option", { value: "o" + choices++, text: name }), { only: [kind, name] }));
  if (options.length) $("only").append(el("optgroup", { label }, ...options));
}
$("onlylabel").hidden = choices === 0;

const sample = (...pieces) => el("span", { class: "rail", "aria-hidden": "true" }, ...pieces.map(cls => el("span", { class: cls, style: { "--c": "var(--c0)" } })));
$("signs").append(...[[sample("done"), "committed: a new owner begins behind it"], [sample("taken"), "delivered, not yet committed"], [sample("again"), "was delivered to somebody before: comes again"],
  [el("span", { class: "chip nobody", text: "nobody" }), "no owner: nobody reads it"], [el("span", { text: "◆", style: { color: "var(--mark-line)" } }), "a rebalance begins"],
  [el("span", { style: { background: "var(--held)", width: "8px", height: "24px", display: "inline-block", "border-radius": "2px" } }), "a request whose answer is held back"],
  [el("span", { class: "mono", text: "- - ▸" }), "an answer; a solid line is a request"]].map(([picture, words]) => el("li", {}, picture, el("span", { text: words }))));

$("first").onclick = () => player.go(0);
$("back").onclick = () => player.back();
$("next").onclick = () => player.next();
$("play").onclick = () => player.play();
$("rebalance").onclick = () => player.rebalance(1);
$("speed").onchange = () => { if (player.timer) { player.stop(); player.play(); } };
$("slider").oninput = event => player.go(Number(event.target.value));
$("marks").onclick = event => { const box = $("marks").getBoundingClientRect(); player.go(Math.round((event.clientX - box.left) / box.width * (player.positions.length - 1))); };
$("only").onchange = event => player.choose(event.target.selectedOptions[0].only ?? null);
$("level").onchange = event => player.show(event.target.value === "all");
$("quiz").onclick = () => player.setQuiz(!player.quiz);
$("helpbutton").onclick = () => $("help").showModal();
$("find").oninput = event => player.find(event.target.value);
$("find").onkeydown = event => {
  if (event.key === "Enter") { player.jump(event.shiftKey ? -1 : 1); event.preventDefault(); }
  if (event.key === "Escape") { event.target.value = ""; player.find(""); event.target.blur(); }
};
const themes = ["auto", "light", "dark"];
$("theme").onclick = () => {
  const theme = themes[(themes.indexOf(document.documentElement.dataset.theme ?? "auto") + 1) % 3];
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  $("theme").textContent = "Theme: " + theme;
};
document.addEventListener("keydown", event => {
  const target = event.target, tag = target.tagName;
  if (event.ctrlKey || event.altKey || event.metaKey || $("help").open || tag === "SELECT" || (tag === "INPUT" && target.id !== "slider")) return;
  const slider = target.id === "slider", inList = target.classList.contains("list"), press = tag === "BUTTON" || tag === "A";
  switch (event.key) {
  case "ArrowRight": player.next(); break;
  case "ArrowLeft": player.back(); break;
  case "ArrowDown": if (!inList) return; player.next(); break;
  case "ArrowUp": if (!inList) return; player.back(); break;
  case "Home": player.go(0); break;
  case "End": player.go(player.positions.length - 1); break;
  case " ": if (press) return; player.play(); break;
  case "r": player.rebalance(1); break;
  case "R": player.rebalance(-1); break;
  case "c": player.cause(); break;
  case "s": player.show(!player.all); break;
  case "q": player.setQuiz(!player.quiz); break;
  case "t": $("theme").click(); break;
  case "/": $("find").focus(); break;
  case "?": $("help").showModal(); break;
  default: if (slider && /^Page/.test(event.key)) { setTimeout(() => player.go(Number($("slider").value))); return; } return;
  }
  event.preventDefault();
});
addEventListener("hashchange", () => player.open(location.hash));
addEventListener("beforeprint", preparePrint);
matchMedia("print").addEventListener("change", change => { if (change.matches) preparePrint(); });
new ResizeObserver(() => player.arrange()).observe($("marks"));

window.ksimWork = () => ({ steps: views.reduce((sum, view) => sum + view.run.replayed, 0), drawn: views.reduce((sum, view) => sum + view.drawn, 0) }); // for whoever measures

const important = views.reduce((sum, view) => sum + view.run.steps.filter(step => step.i).length, 0);
views.forEach(view => view.setRows(important < 3));
player.all = important < 3;
$("level").value = player.all ? "all" : "story";
player.arrange();
if (!player.open(location.hash)) player.go(0);
