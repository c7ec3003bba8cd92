// ---- over time: who owned what, when it was paused, and the lag, on one axis ----
const LEFT = 128, RIGHT = 16, LAG = 96;

class Times {
  constructor(view) {
    this.view = view;
    this.run = view.run;
    this.by = "time";
    this.buttons = ["time", "steps"].map(by => el("button", { type: "button", "aria-pressed": String(by === this.by), text: by, onclick: () => this.choose(by) }));
    this.figure = el("div", { class: "figure" });
    this.box = el("section", { class: "panel times", "aria-label": "Over time" + view.named },
      el("div", { class: "head" }, el("h2", { text: "Ownership and lag over time" }), el("span", { class: "choice", role: "group", "aria-label": "Axis of the plots" }, "Axis ", ...this.buttons)), this.figure);
    this.box.hidden = this.run.G === 0; // nobody to own anything, or to lag
    new ResizeObserver(() => { if (this.figure.clientWidth !== this.width) this.draw(); }).observe(this.figure);
  }
  choose(by) {
    this.by = by;
    this.buttons.forEach(button => button.setAttribute("aria-pressed", button.textContent === by));
    this.draw();
  }
  // Where step i (or a time near it) stands, from 0 to 1.
  place(i, t) {
    const run = this.run;
    if (this.by === "time") return (t ?? run.steps[i].t) / run.duration();
    if (t !== undefined) {
      i = run.stepAtTime(t);
      const next = run.steps[i + 1]?.t ?? run.duration();
      if (next > run.steps[i].t) i += Math.min(1, Math.max(0, (t - run.steps[i].t) / (next - run.steps[i].t)));
    }
    return i / Math.max(1, run.count);
  }
  x(i, t) { return LEFT + (this.width - LEFT - RIGHT) * this.place(i, t); }
  draw() {
    const run = this.run;
    this.width = this.figure.clientWidth;
    if (!this.width || !run.count) return;
    const rows = [];
    for (let g = 0; g < run.G; g++) for (let p = 0; p < Math.min(run.P, MOST_ROWS); p++) if (run.ownership[g * run.P + p].length) rows.push([g, p]);
    const tall = rows.length > 60 ? 5 : rows.length > 24 ? 10 : 22, top = 8, bottom = top + rows.length * tall;
    const height = bottom + 16 + LAG + 40;
    this.plotTop = bottom + 18;
    this.plotBottom = this.plotTop + LAG;
    const svg = draw("svg", { viewBox: `0 0 ${this.width} ${height}`, height, role: "img", "aria-label": this.spoken(rows) });
    this.bands(svg, bottom);
    rows.forEach(([g, p], r) => this.line(svg, g, p, top + r * tall, tall));
    this.lag(svg);
    this.axis(svg);
    // Laid over the drawing, not into it: moving them lays nothing out.
    this.cursor = el("div", { class: "cursor", "aria-hidden": "true", style: { height: this.plotBottom + 6 + "px" } }, el("div", { class: "veil" }));
    const scrub = event => {
      const box = svg.getBoundingClientRect(), at = ((event.clientX - box.left) / box.width * this.width - LEFT) / (this.width - LEFT - RIGHT);
      const i = this.by === "time" ? run.stepAtTime(at * run.duration()) : Math.floor(at * run.count);
      player.goTo(this.view, Math.max(0, Math.min(run.count - 1, i)));
    };
    svg.addEventListener("pointerdown", event => { svg.setPointerCapture(event.pointerId); scrub(event); });
    svg.addEventListener("pointermove", event => { if (event.buttons) scrub(event); });
    this.figure.replaceChildren(svg, this.cursor);
    this.show();
  }
  spoken(rows) {
    const run = this.run;
    const most = run.m.groups.map(group => (run.G > 1 ? "in " + group.name + " " : "") + plural(Math.max(0, ...group.lag.map(point => point[1])), "record"));
    return "Who owned each of " + plural(rows.length, "partition") + " over " + seconds(run.duration()) + "; " + plural(run.pauses.length, "pause") + "; lag at most " + most.join(", ");
  }
  bands(svg, bottom) { // from where a rebalance begins to where the group is stable again
    const run = this.run, begun = new Map();
    run.steps.forEach((step, i) => {
      if (step.b && !begun.has(step.g)) begun.set(step.g, i);
      if (!step.k || !begun.has(step.g)) return;
      const from = this.x(begun.get(step.g)), to = this.x(i);
      svg.append(draw("rect", { x: from, y: 0, width: Math.max(3, to - from), height: this.plotBottom, fill: "var(--mark-line)", opacity: .22 }));
      begun.delete(step.g);
    });
    for (const i of begun.values()) svg.append(draw("rect", { x: this.x(i), y: 0, width: Math.max(3, this.width - RIGHT - this.x(i)), height: this.plotBottom, fill: "var(--mark-line)", opacity: .22 }));
  }
  line(svg, g, p, y, tall) {
    const run = this.run, name = (run.G > 1 ? run.m.groups[g].name + " " : "") + run.m.partitions[p], thin = tall < 16;
    if (!thin) svg.append(draw("text", { x: LEFT - 8, y: y + 15, "text-anchor": "end" }, svgText(name, LEFT - 10)));
    const list = run.ownership[g * run.P + p];
    for (let k = 0; k < list.length; k++) {
      const from = this.x(list[k].i), to = k + 1 < list.length ? this.x(list[k + 1].i) : this.width - RIGHT, m = list[k].m;
      if (m < 0 && to - from < 1) continue;
      const rect = draw("rect", { class: "segment", x: from, y: y + 1, width: Math.max(1, to - from), height: tall - (thin ? 1 : 4), fill: m < 0 ? "var(--faint)" : colour(m), rx: thin ? 0 : 3 });
      rect.append(draw("title", {}, name + ": " + (m < 0 ? "nobody" : run.m.members[m]) + " from step " + run.steps[list[k].i].n + ", " + seconds(run.steps[list[k].i].t)));
      svg.append(rect);
      if (!thin && m >= 0 && to - from > 20) svg.append(draw("text", { x: from + 6, y: y + 14.5, class: "on" }, to - from > 50 ? svgText(sign(m) + " " + run.m.members[m], to - from - 10) : sign(m)));
    }
    for (const pause of run.pauses) {
      if (pause.g !== g || pause.p !== p) continue;
      const from = this.x(pause.first, this.by === "time" ? pause.from : undefined), to = pause.to === undefined ? this.width - RIGHT : this.x(Math.min(pause.last, run.count - 1), this.by === "time" ? pause.to : undefined);
      const wide = Math.max(4, to - from), rect = draw("rect", { x: from, y: y + tall / 2 - 3, width: wide, height: Math.min(6, tall - 1), fill: "var(--panel)", stroke: "var(--warn)", "stroke-width": 2 });
      rect.append(draw("title", {}, name + ": paused for " + (pause.to === undefined ? "the rest of the run" : span(pause.to - pause.from)) + (pause.r ? ", " + plural(pause.r, "record") + " read again" : "")));
      svg.append(rect);
    }
  }
  lag(svg) {
    const run = this.run, most = Math.max(1, ...run.m.groups.flatMap(group => group.lag.map(point => point[1]))), nice = this.nice(most / 2), topValue = Math.ceil(most / nice) * nice;
    const y = value => this.plotBottom - (LAG - 6) * value / topValue;
    for (let value = 0; value <= topValue; value += nice)
      svg.append(draw("line", { x1: LEFT, x2: this.width - RIGHT, y1: y(value), y2: y(value), stroke: "var(--line)" }), draw("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, String(value)));
    svg.append(draw("text", { x: 4, y: this.plotTop + 12, style: "font-weight:700" }, "Lag"), draw("text", { x: 4, y: this.plotTop + 28, class: "soft" }, "records not"), draw("text", { x: 4, y: this.plotTop + 43, class: "soft" }, "committed"));
    run.m.groups.forEach((group, g) => {
      let path = "", last = null;
      for (const [t, value] of group.lag) { path += (last === null ? "M" : "H") + this.x(0, t).toFixed(1) + (last === null ? " " : "V") + y(value).toFixed(1); last = value; }
      if (last === null) return;
      path += "H" + (this.width - RIGHT);
      svg.append(draw("path", { d: path, fill: "none", stroke: "var(--ink)", "stroke-width": 2, "stroke-dasharray": ["none", "7 3", "2 3", "9 3 2 3"][g % 4] }));
      if (run.G > 1) svg.append(draw("text", { x: this.width - RIGHT - 4, y: y(last) - 5, "text-anchor": "end", class: "halo" }, group.name));
    });
  }
  nice(rough) { // 1, 2 or 5 times a power of ten, not below one
    const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
    return Math.max(1, [1, 2, 5, 10].map(k => k * power).find(value => value >= rough) ?? 1);
  }
  axis(svg) {
    const run = this.run, y = this.plotBottom + 22, room = this.width - LEFT - RIGHT;
    const tick = (x, text) => svg.append(draw("line", { x1: x, x2: x, y1: this.plotBottom, y2: this.plotBottom + 6, stroke: "var(--soft)" }), draw("text", { x, y, "text-anchor": "middle", class: "soft" }, text));
    if (this.by === "time") {
      const whole = run.duration() / 1e6, rough = whole / Math.max(2, room / 110), power = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 5, 10].map(k => k * power).find(value => value >= rough);
      for (let k = 0; k * step <= whole * 1.0001; k++) tick(LEFT + room * k * step / whole, +(k * step).toPrecision(6) + (k ? "" : " s"));
      svg.append(draw("text", { x: this.width - RIGHT, y: y + 15, "text-anchor": "end", class: "soft" }, "seconds"));
    } else {
      const every = this.nice(run.count / Math.max(2, room / 90));
      for (let i = 0; i < run.count; i += every) tick(this.x(i), run.steps[i].n);
      svg.append(draw("text", { x: this.width - RIGHT, y: y + 15, "text-anchor": "end", class: "soft" }, "step"));
    }
  }
  show() {
    if (!this.cursor || this.view.i === undefined) return;
    const x = this.x(this.view.i);
    this.cursor.style.transform = `translateX(${x.toFixed(1)}px)`;
    this.cursor.classList.toggle("hides", this.view.quizHides()); // a quiz does not show what is to come
  }
}
