// ---- the steps as swim lanes: one row a step, of which only those in sight exist ----
const ROW = 62, GUTTER = 104, NAMED = 130;
const MOST_LANES = 12; // of more processes all clients share a lane, and each row names its own

class Lanes {
  constructor(view) {
    this.view = view;
    this.run = view.run;
    this.nodes = this.order();
    this.shared = this.nodes.length > MOST_LANES;
    const clients = this.shared ? this.nodes.filter(node => this.run.m.nodes[node].kind === "client") : [];
    this.lane = new Map(this.nodes.map((node, k) => [node, this.shared ? Math.max(0, k - clients.length + 1) : k]));
    if (this.shared) this.nodes = [-1, ...this.nodes.slice(clients.length)];
    this.heads = el("div", { class: "heads", "aria-hidden": "true" });
    this.list = el("div", { class: "list", role: "listbox", tabindex: "0", "aria-label": "Steps" + view.named + ", as messages between processes" });
    this.frame = el("div", { class: "frame" }, this.heads, this.list);
    this.box = el("section", { class: "panel lanes", "aria-label": "Messages" + view.named }, el("h2", { text: "Messages, step by step" }), this.frame);
    this.top = 0; // as the frame is scrolled: reading it would lay the page out anew
    this.scrolls = null;
    this.frame.addEventListener("scroll", () => {
      if (this.scrolls !== null) return;
      this.top = this.frame.scrollTop;
      this.draw();
    });
    this.list.addEventListener("click", event => {
      const row = event.target.closest(".row");
      if (row) player.goTo(this.view, Number(row.dataset.i));
    });
    new ResizeObserver(() => this.layout()).observe(this.frame);
  }
  order() { // processes that exchange something, clients on the left, in the order of their first step
    const used = new Set();
    for (const step of this.run.steps) { if (step.o !== undefined) { used.add(step.f); used.add(step.o); } }
    this.run.nodeOfMember.forEach(node => { if (node >= 0) used.add(node); });
    const nodes = [...used], broker = node => this.run.m.nodes[node].kind === "broker";
    return [...nodes.filter(node => !broker(node)).sort((a, b) => a - b),
      ...nodes.filter(broker).sort((a, b) => this.run.m.nodes[a].name.localeCompare(this.run.m.nodes[b].name, "en", { numeric: true }))];
  }
  layout() {
    this.high = this.frame.clientHeight;
    this.across = this.frame.clientWidth;
    this.drawn = "";
    const room = this.across - GUTTER - 14, count = Math.max(1, this.nodes.length);
    this.wide = Math.max(58, (room - (this.shared ? NAMED : 0)) / count);
    this.left = GUTTER + (this.shared ? NAMED : 0);
    this.width = this.left + this.wide * count + 14;
    this.list.style.setProperty("--room", this.across - 22 + "px");
    this.list.style.background = this.nodes.map((_, k) => `linear-gradient(var(--line), var(--line)) ${this.x(k) - .75}px 0 / 1.5px 100% no-repeat`).join();
    this.heads.style.width = this.list.style.width = this.width + "px";
    this.heads.replaceChildren(...this.nodes.map((node, k) => el("span", { text: this.name(node), title: this.name(node), style: { left: this.x(k) + "px", "max-width": this.wide - 4 + "px", color: this.ink(node) } })));
    if (this.view.i !== undefined) this.show();
  }
  x(lane) { return this.left + this.wide * (lane + .5); }
  name(node) {
    const member = this.run.memberOfNode[node] ?? -1;
    return node < 0 ? "clients" : (member >= 0 ? sign(member) + " " : "") + this.run.m.nodes[node].name;
  }
  ink(node) { return this.run.memberOfNode[node] >= 0 ? colour(this.run.memberOfNode[node]) : "var(--ink)"; }
  show() {
    if (!this.wide) return;
    this.stretch();
    const at = this.view.rowOf(this.view.i), y = at * ROW, height = this.high - 30;
    if (y < this.top + ROW || y + 2 * ROW > this.top + height) {
      this.top = Math.round(Math.max(0, Math.min(y - height * .45, this.stretched * ROW + 31 - this.high)));
      this.scrolls ??= requestAnimationFrame(() => { this.scrolls = null; this.frame.scrollTop = this.top; }); // with the next picture, not before it
    }
    const step = this.run.steps[this.view.i];
    if (this.width > this.across && step.o !== undefined) { // narrow: what is drawn of this step comes into sight
      const ends = [step.f, step.o].map(node => this.x(this.lane.get(node) ?? 0)), left = Math.min(...ends) - GUTTER - 30, right = Math.max(...ends) + 40 - this.across;
      this.frame.scrollLeft = Math.max(Math.min(this.frame.scrollLeft, left), right, 0);
    }
    this.draw();
  }
  stretch() { // a quiz does not show what is to come
    const visible = this.view.quizHides() ? this.view.rowOf(this.view.i) + 1 : this.view.rows.length;
    if (visible !== this.stretched) this.list.style.height = visible * ROW + "px";
    this.stretched = visible;
    return visible;
  }
  draw() {
    if (!this.wide || this.view.i === undefined) return;
    const rows = this.view.rows, visible = this.stretch();
    const from = Math.max(0, Math.floor(this.top / ROW) - 2), to = Math.min(visible, from + Math.ceil(this.high / ROW) + 5);
    const said = [from, to, this.view.i, this.view.index, player.searched, this.view.rows.length, player.only].join();
    if (said === this.drawn) return;
    this.drawn = said;
    const drawn = [];
    for (let r = from; r < to; r++) drawn.push(this.row(rows[r], r));
    this.list.replaceChildren(...drawn);
    this.list.setAttribute("aria-activedescendant", this.idOf(this.view.i));
    this.view.drawn++;
  }
  idOf(i) { return "row-" + this.view.index + "-" + i; }
  row(i, r) {
    const step = this.run.steps[i], here = i === this.view.i;
    const told = step.y === "command" && sentences(step.x).length < 2; // by the picture
    const text = told ? "" : step.x || (step.o === undefined ? step.p : "") || "";
    const row = el("div", { class: "row" + (here ? " here" : "") + (step.b ? " big" : "") + (player.found.has(this.view.index + ":" + i) ? " found" : ""), role: "option", id: this.idOf(i), "aria-selected": here ? "true" : "false",
      "aria-label": "Step " + step.n + ", " + seconds(step.t) + ", " + (step.p ?? "").replace(/\s+/g, " ") + ". " + (step.x ?? ""), "data-i": i, style: { top: r * ROW + "px" } },
      this.picture(i, step), el("span", { class: "gutter" }, el("span", { class: "n", text: step.n }), el("span", { class: "t", text: seconds(step.t) })), el("span", { class: "x", text }));
    if (here) row.setAttribute("aria-current", "step");
    return row;
  }
  picture(i, step) {
    const svg = draw("svg", { width: this.width, height: ROW, "aria-hidden": "true", focusable: "false" });
    this.nodes.forEach((node, k) => {
      const state = node < 0 ? "" : this.run.nodeAt(node, i), x = this.x(k);
      const line = (ink, width, dashes) => svg.append(draw("line", { x1: x, x2: x, y1: 0, y2: ROW, stroke: ink, "stroke-width": width, "stroke-dasharray": dashes }));
      const here = i === this.view.i;
      if (!here && (state === "crashed" || state === "paused")) line("var(--panel)", 3, "none"); // over the lane that the list has drawn
      if (state === "paused") line("var(--line)", 3, "2 4");
      else if (here && state !== "crashed") line("var(--line)", 1.5, "none");
    });
    this.heldBars(svg, i);
    const client = this.shared ? [step.f, step.o].find(node => this.lane.get(node) === 0) : undefined;
    if (client !== undefined) svg.append(draw("text", { x: this.x(0) - 14, y: 26, "text-anchor": "end", style: `font-weight:700;fill:${this.ink(client)}` }, svgText(this.name(client), NAMED + this.wide / 2 - 20)));
    if (step.o !== undefined && this.lane.has(step.f) && this.lane.has(step.o)) this.messages(svg, step);
    else this.mark(svg, i, step);
    return svg;
  }
  heldBars(svg, i) { // a request whose answer waits: a bar on the lane of who holds it; of many, one bar and their number
    const held = this.run.held.filter(one => one.from <= i && i <= one.to && this.lane.has(one.o)), lanes = new Map();
    for (const one of held) lanes.set(one.o, [...(lanes.get(one.o) ?? []), one]);
    for (const [node, bars] of lanes) {
      const x = this.x(this.lane.get(node)), many = bars.length > 3;
      (many ? [{ from: Math.min(...bars.map(bar => bar.from)), to: Math.max(...bars.map(bar => bar.to)) }] : bars).forEach((bar, slot) => {
        const from = bar.from === i ? 20 : 0, to = bar.to === i ? 20 : 44;
        svg.append(draw("rect", { x: x - 4 + 9 * slot, y: from, width: many ? 12 : 8, height: to - from, fill: "var(--held)", rx: 2 }));
      });
      if (many) svg.append(draw("text", { x: x + 12, y: 42, class: "soft" }, bars.length + " held"));
    }
  }
  arrow(svg, from, to, y, ink, dashed) {
    const d = to > from ? 1 : -1;
    svg.append(draw("line", { x1: from, y1: y, x2: to - d * 9, y2: y, stroke: ink, "stroke-width": 2.2, "stroke-dasharray": dashed ? "6 4" : "none" }),
      draw("path", { d: `M${to} ${y} l${-d * 11} -5 l0 10 z`, fill: ink }));
  }
  messages(svg, step) {
    const a = this.x(this.lane.get(step.f)), b = this.x(this.lane.get(step.o)), middle = (a + b) / 2, ink = step.e ? "var(--warn)" : "var(--accent)";
    const label = (y, text, cls) => svg.append(draw("text", { x: middle, y, "text-anchor": "middle", class: "halo " + cls, style: cls === "bad" ? "fill:var(--warn);font-weight:700" : "" }, text));
    if (step.y === "reply") {
      this.arrow(svg, a, b, 22, ink, true);
      label(16, step.e ? step.a + " " + step.e : step.a + " answered", step.e ? "bad" : "");
      return;
    }
    this.arrow(svg, a, b, 20, "var(--accent)", false);
    label(14, step.a + (step.y === "held" ? " (held)" : ""), "");
    if (step.y === "held") return;
    this.arrow(svg, b, a, 36, ink, true);
    if (step.e) label(32, step.e, "bad");
  }
  mark(svg, i, step) { // a command, a timer, a fault: on the lane of the process it happened in, or that it starts or ends
    const life = this.run.bucket[i].find(change => change.y === "node" && step.y === "command"), node = life ? life.w : step.f;
    const lane = this.lane.get(node), at = lane === undefined ? GUTTER + 8 : this.x(lane);
    const [route, call] = (step.p ?? "").split("   "); // "broker-1   the session of c2 is over"
    const text = step.a === "note" ? "“" + (step.x ?? "") + "”" : step.a === "command" || life ? leadAndRest((step.x ?? "").replace(/^> /, ""))[0] ?? "" : call ?? route;
    const timer = step.y === "timer" && step.a !== "client_commit_failed"; // that one its program finds out
    if (lane === undefined) {
      svg.append(draw("text", { x: at, y: 26, class: "halo", style: "font-weight:700" }, svgText(text, (this.width - at) * .93))); // bold
      return;
    }
    const dies = life?.st === "crashed", right = lane > this.nodes.length / 2;
    svg.append(draw("circle", { cx: at, cy: 22, r: 9, fill: "var(--panel)", stroke: dies ? "var(--warn)" : "var(--ink)", "stroke-width": 2 }),
      draw("text", { x: at, y: 26.5, "text-anchor": "middle", style: "font-weight:700" }, timer ? "◔" : dies ? "✕" : life?.st === "paused" ? "‖" : life ? "▸" : "•"),
      draw("text", { x: right ? at - 15 : at + 15, y: 26, "text-anchor": right ? "end" : "start", class: "halo" }, svgText(text, right ? at - GUTTER - 20 : this.width - at - 20)));
  }
}
