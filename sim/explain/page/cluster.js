// ---- the cluster at this step: groups with their members, partitions with their records ----
const CLASSIC = ["Empty", "PreparingRebalance", "CompletingRebalance", "Stable"];
const CONSUMER = ["Empty", "Assigning", "Reconciling", "Stable"];
const DENSE = 14;      // more partitions than this are drawn as thin rows
const MOST_ROWS = 400; // and of those at most so many
const FEW = 8;         // members, of which each is told in words

class Cluster {
  constructor(view) {
    this.view = view;
    this.run = view.run;
    this.dense = this.run.P > DENSE;
    this.groups = el("div", { class: "groups" });
    this.body = this.dense ? el("ul", { class: "dense" + (this.run.G ? "" : " lone"), role: "list" }) : el("tbody");
    this.rows = Array(Math.min(this.run.P, MOST_ROWS)).fill(null);
    this.said = Array(this.rows.length).fill("");
    this.groupSaid = Array(this.run.G).fill("");
    const table = this.dense ? this.body : el("table", { class: "parts" }, el("caption", { class: "hidden", text: "Partitions, who owns them, and how far each group is" }),
      el("colgroup", {}, el("col", { class: "first" }), el("col")), this.body);
    this.box = el("section", { class: "panel cluster", "aria-label": "Groups and partitions" + view.named }, el("h2", { text: "Who owns what, and how far they are" }),
      this.groups, table, this.run.P > MOST_ROWS ? el("p", { class: "legend", text: plural(this.run.P - MOST_ROWS, "more partition") + " not drawn" }) : null, this.run.G ? this.legend() : null);
    this.table = table;
    this.cellWidth = this.widthOfCells();
    this.capacity = 8;
    new ResizeObserver(() => this.measure()).observe(this.box);
  }
  legend() {
    const key = (cls, text) => el("span", { class: "key" }, el("span", { class: "rail", "aria-hidden": "true" }, el("span", { class: cls, style: { "--c": "var(--c0)" } })), text);
    return el("p", { class: "legend" }, key("done", "committed"), key("taken", "delivered, not yet committed"), key("again", "delivered before; comes again"),
      el("span", { class: "key" }, "thick bar: the committed offset"));
  }
  label(record) { return record === undefined ? "" : Array.isArray(record) ? record[0] : record; }
  widthOfCells() { // as wide as the usual label needs
    let longest = 2;
    for (const lives of this.run.records) {
      let looked = 0;
      for (const record of lives[0].values()) { longest = Math.max(longest, Math.min(9, this.label(record).length)); if (++looked > 50) break; }
    }
    return Math.round(16 + longest * 7);
  }
  measure() {
    const width = (this.dense ? 100 : this.table.clientWidth - (matchMedia("(max-width: 760px)").matches ? 100 : 138));
    const capacity = Math.max(3, Math.floor((width - 96) / (this.cellWidth + 2)));
    if (capacity === this.capacity) return;
    this.capacity = capacity;
    this.said.fill("");
    if (this.view.i !== undefined) this.show(this.view.i, this.view.before);
  }
  show(i, before) {
    const state = this.run.seek(i), changed = this.run.changed(before, i);
    for (let g = 0; g < this.run.G; g++) this.showGroup(state, g, i);
    for (let p = 0; p < this.rows.length; p++) {
      const said = this.signature(state, p, i, changed.get(p));
      if (said === this.said[p] && this.rows[p]) continue;
      this.said[p] = said;
      const row = this.dense ? this.thinRow(state, p, i, changed.get(p)) : this.row(state, p, i, changed.get(p));
      if (this.rows[p]) this.rows[p].replaceWith(row); else this.body.append(row);
      this.rows[p] = row;
      this.view.drawn++;
    }
  }
  pauseOf(g, p, i) { return this.run.pauses.find(pause => pause.g === g && pause.p === p && pause.first <= i && i < pause.last); }
  signature(state, p, i, change) {
    let said = state.start[p] + "," + state.end[p] + "," + state.there[p] + "," + state.life[p];
    for (let g = 0; g < this.run.G; g++) {
      const share = g * this.run.P + p, pause = this.pauseOf(g, p, i);
      said += ";" + state.own[share] + "," + state.com[share] + "," + state.pos[share] + "," + state.high[share] + (pause ? "p" + this.run.steps[i].t : "");
    }
    return change ? said + "!" + i + "," + this.view.before : said;
  }

  // -- groups --
  memberNote(state, g, m, i) { // what is special about a member now
    const run = this.run, node = run.nodeOfMember[m], notes = [];
    if (node >= 0 && state.node[node] === "crashed") notes.push(["gone", "dead"]);
    else if (node >= 0 && state.node[node] === "paused") notes.push(["gone", "stands still"]);
    const waits = run.held.find(held => held.f === node && held.from <= i && i < held.to);
    if (waits) notes.push(["held", run.M > FEW ? "waits" : "waits for an answer to " + run.steps[waits.from].a]);
    let owned = 0;
    for (let p = 0; p < run.P; p++) if (state.own[g * run.P + p] === m) owned++;
    if (!state.inside[g * run.M + m]) notes.push(["gone", owned ? "not a member any more" : "not a member"]);
    notes.push(["", plural(owned, "partition")]);
    const target = state.target[g * run.M + m];
    if (target && !this.view.quizHides()) { // a target tells what the quiz asks for
      if (target.epoch !== undefined && target.epoch > (target.at ?? -1)) notes.push(["", "at epoch " + (target.at ?? 0) + ", target of epoch " + target.epoch + ": " + (target.target || "nothing")]);
      else if (target.at !== undefined) notes.push(["", "at epoch " + target.at]);
      if (target.st === "UNREVOKED_PARTITIONS") notes.push(["held", "has to give up " + target.revoking]);
      if (target.st === "UNRELEASED_PARTITIONS") notes.push(["held", "waits for partitions that others still have"]);
    }
    return notes;
  }
  showGroup(state, g, i) {
    const run = this.run, group = run.m.groups[g], now = state.group[g], consumer = group.type === "consumer";
    const members = [];
    for (let m = 0; m < run.M; m++) {
      const owns = () => { for (let p = 0; p < run.P; p++) if (state.own[g * run.P + p] === m) return true; return false; };
      if (state.inside[g * run.M + m] || owns()) members.push([m, this.memberNote(state, g, m, i)]);
    }
    const said = JSON.stringify([now, members]);
    if (said === this.groupSaid[g]) return;
    this.groupSaid[g] = said;
    const states = consumer ? CONSUMER : CLASSIC;
    const shown = now && !states.includes(now.st) ? [...states, now.st] : states;
    const rail = el("ol", { class: "states", "aria-label": "State of " + group.name });
    for (const name of shown) {
      const here = now?.st === name;
      rail.append(el("li", { class: name === "Stable" || name === "Empty" ? "" : "unsettled", "aria-current": here ? "true" : null, text: name }));
    }
    const few = run.M <= FEW;
    const list = el("ul", { class: "members", "aria-label": "Members of " + group.name });
    for (const [m, notes] of members)
      list.append(el("li", {}, chip(run, m, state.inside[g * run.M + m] ? "" : "out"), ...(few ? notes : notes.filter(n => n[0])).map(([cls, text], k) => el("span", { class: "note " + cls, text: (k ? "· " : "") + text }))));
    if (!members.length) list.append(el("li", { class: "note", text: now ? "no members" : "does not exist yet" }));
    const box = el("div", { class: "group" },
      el("div", { class: "line" }, el("span", { class: "name", text: group.name }),
        el("span", { class: "kind", text: group.type + (group.assignor ? ", " + group.assignor : "") }),
        el("span", { class: "generation" }, consumer ? "epoch " : "generation ", el("b", { text: now ? now.n : "–" })),
        now?.w !== undefined ? el("span", { class: "kind", text: "coordinator " + run.m.nodes[now.w].name }) : null, rail), list);
    if (this.groups.children[g]) this.groups.children[g].replaceWith(box); else this.groups.append(box);
    this.view.drawn++;
  }

  // -- partitions --
  facts(state, p, g, i, change) { // of one partition in one group, in words and numbers
    const run = this.run, share = g * run.P + p, own = state.own[share], com = state.com[share], pos = state.pos[share], lag = run.lag(state, g, p);
    const was = change?.was.get(g), pause = this.pauseOf(g, p, i), moved = was !== undefined && was !== own;
    return { own, com, pos, high: state.high[share], lag, was, moved, pause,
      pauseText: pause ? (own < 0 ? "paused" : "not fetched yet") + " for " + span(Math.max(0, run.steps[i].t - pause.from)) : "",
      movedText: moved ? (was < 0 ? "taken up" : own < 0 ? "given up by " + run.m.members[was] : "was " + run.m.members[was]) : "",
      committed: Boolean(change?.com.has(g)) };
  }
  touches(g, p) { return this.run.touched[g * this.run.P + p]; }
  spoken(state, p, all) {
    const run = this.run;
    return all.map((f, g) => !this.touches(g, p) ? "" : (run.G > 1 ? run.m.groups[g].name + ": " : "") + (f.own < 0 ? "owned by nobody" : "owned by " + run.m.members[f.own]) + (f.com >= 0 ? ", committed " + f.com : "") +
      (f.pos >= 0 ? ", position " + f.pos : "") + ", lag " + f.lag + (f.movedText ? ", " + f.movedText : "") + (f.pauseText ? ", " + f.pauseText : "")).filter(Boolean).join(". ");
  }
  row(state, p, i, change) {
    const run = this.run, all = run.m.groups.map((_, g) => this.facts(state, p, g, i, change));
    const count = state.end[p] - state.start[p];
    const name = el("th", { scope: "row" }, el("span", { class: "tp mono", text: run.m.partitions[p] }));
    const log = el("td");
    const [first, last] = this.window(state, p, all);
    log.append(this.track(state, p, first, last, all, change));
    all.forEach((f, g) => {
      if (run.G > 1 && !this.touches(g, p)) return;
      if (run.G === 1) name.append(chip(run, f.own));
      log.append(this.rail(state, p, f, first, last));
      log.append(el("div", { class: "nums" }, run.G > 1 ? el("span", { text: run.m.groups[g].name }) : null, run.G > 1 ? chip(run, f.own) : null,
        f.com >= 0 ? el("span", { class: f.committed ? "was" : "" }, "committed ", el("b", { text: f.com })) : null,
        f.pos >= 0 ? el("span", {}, "position ", el("b", { text: f.pos })) : null,
        f.own >= 0 || f.com >= 0 ? el("span", {}, "lag ", el("b", { text: f.lag })) : null,
        f.movedText ? el("span", { class: "was", text: "◀ " + f.movedText }) : null,
        f.pauseText ? el("span", { class: "pause", text: f.pauseText }) : null));
    });
    name.append(el("span", { class: "count", text: state.there[p] ? plural(count, "record") : "not there" }));
    return el("tr", { class: (all.some(f => f.moved) ? "moved" : "") + (state.there[p] ? "" : " absent") }, name, log);
  }
  window(state, p, all) { // which offsets are drawn: the newest, but so that the group's edge is in sight
    let edge = state.end[p];
    for (const f of all) if (f.com >= 0 || f.pos >= 0) edge = Math.min(edge, f.com >= 0 ? f.com : f.pos);
    let first = Math.max(state.start[p], state.end[p] - this.capacity);
    if (edge - 2 < first) first = Math.max(state.start[p], edge - 2);
    return [first, Math.min(state.end[p], first + this.capacity)];
  }
  track(state, p, first, last, all, change) {
    const run = this.run, track = el("div", { class: "track", "aria-hidden": "true", style: { "--w": this.cellWidth + "px" } });
    const records = run.records[p][state.life[p]];
    if (first > state.start[p]) track.append(el("span", { class: "end", text: this.leading(first - state.start[p]), title: plural(first - state.start[p], "record") + " before" }));
    for (let offset = first; offset < last; offset++) {
      const record = records?.get(offset), label = this.label(record);
      track.append(el("span", { class: "cell" + (change && offset >= state.end[p] - change.records ? " fresh" : ""),
        title: run.m.partitions[p] + " offset " + offset + (record === undefined ? "" : ": " + (Array.isArray(record) ? record[0] + " = " + record[1] : record)) }, el("i", { text: offset }), label));
    }
    if (state.end[p] > last) track.append(el("span", { class: "end", text: "+" + (state.end[p] - last) + " ›", title: plural(state.end[p] - last, "more record") }));
    if (first === last) track.append(el("span", { class: "end", text: "empty" }));
    this.lead = first > state.start[p] ? this.leading(first - state.start[p]) : "";
    return track;
  }
  leading(before) { return "‹ " + before; }
  rail(state, p, f, first, last) {
    const rail = el("div", { class: "rail", "aria-hidden": "true" }), step = this.cellWidth + 2;
    if (this.lead) rail.append(el("span", { class: "end lead", text: this.lead })); // as wide as above
    const clamp = offset => Math.max(first, Math.min(last, offset));
    const com = f.com >= 0 ? clamp(f.com) : first, pos = f.pos >= 0 ? Math.max(com, clamp(f.pos)) : com, high = f.high >= 0 ? Math.max(pos, clamp(f.high)) : pos;
    const piece = (cls, from, to) => { if (to > from) rail.append(el("span", { class: cls, style: { width: (to - from) * step + "px", "--c": colour(f.own) } })); };
    if (f.com >= 0) piece("done", first, com);
    if (f.com >= first && f.com <= last) rail.append(el("span", { class: "pin" }));
    piece("taken", com, pos);
    piece("again", pos, high);
    return rail;
  }
  thinRow(state, p, i, change) {
    const run = this.run, all = run.m.groups.map((_, g) => this.facts(state, p, g, i, change));
    const bars = el("span", { class: "bars", "aria-hidden": "true" });
    const f = all.find(one => one.own >= 0) ?? all[0] ?? { own: -1, com: -1, pos: -1 }, room = 22, end = state.end[p];
    const first = Math.max(state.start[p], Math.min(end - room, (f.com >= 0 ? f.com : end) - 2)), last = Math.min(end, first + room);
    const com = Math.max(first, Math.min(last, f.com)), pos = Math.max(com, Math.min(last, f.pos));
    const piece = (cls, many) => { if (many > 0) bars.append(el("span", { class: cls, style: { "--c": colour(f.own), width: many * 5 + "px" } })); };
    piece("done", com - first);
    piece("taken", pos - com);
    piece("waits", last - pos);
    return el("li", { class: (all.some(one => one.moved) ? "moved" : "") + (state.there[p] ? "" : " absent"), title: run.m.partitions[p] + ": " + this.spoken(state, p, all) },
      el("span", { class: "tp mono", text: run.m.partitions[p] }), run.G ? el("span", {}, ...all.filter((_, g) => run.G === 1 || this.touches(g, p)).map(one => chip(run, one.own))) : null, bars, hidden(plural(end - state.start[p], "record") + ". " + this.spoken(state, p, all)));
  }
}
