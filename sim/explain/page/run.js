// ---- one run: its state after any step, as a fold of its changes ----
// A keyframe every KEYFRAME steps: going anywhere costs at most that many steps, back as well as forward.
const KEYFRAME = 100;

class Run {
  constructor(model) {
    this.m = model;
    this.steps = model.steps;
    this.count = model.steps.length;
    this.P = model.partitions.length;
    this.G = model.groups.length;
    this.M = model.members.length;
    this.N = model.nodes.length;
    this.indexOf = new Map(model.steps.map((step, i) => [step.n, i]));
    this.memberOfNode = model.nodes.map(node => model.members.indexOf(node.name));
    this.nodeOfMember = model.members.map(name => model.nodes.findIndex(node => node.name === name));
    this.bucket = Array.from({ length: this.count }, () => []);
    for (const change of model.changes) this.bucket[this.indexOf.get(change.s) ?? 0]?.push(change);
    this.records = Array.from({ length: this.P }, () => [new Map()]); // by life of the partition, then by offset
    this.ownership = Array.from({ length: this.G * this.P }, () => []); // [{i, m}]: who owned it from step i on
    this.touched = new Uint8Array(this.G * this.P); // groups that ever have to do with a partition
    this.nodeStates = model.nodes.map(() => []);
    this.pauses = model.pauses.map(pause => ({ ...pause, first: this.indexOf.get(pause.s) ?? 0, last: this.indexOf.get(pause.e) ?? this.count }));
    this.held = [];
    for (let i = 0; i < this.count; i++)
      if (this.steps[i].y === "held") this.held.push({ from: i, to: this.indexOf.get(this.steps[i].h) ?? this.count, f: this.steps[i].f, o: this.steps[i].o });
    this.frames = [];
    this.state = this.fresh();
    this.at = -1;
    for (let i = 0; i < this.count; i++) {
      if (i % KEYFRAME === 0) this.frames.push(this.copy(this.state));
      for (const change of this.bucket[i]) { this.remember(change, i); this.apply(this.state, change); }
    }
    this.state = this.copy(this.frames[0] ?? this.fresh());
    this.replayed = 0; // steps, since the page was opened: what scrubbing costs
  }
  // "18" or "18.8" as the model has it: of a sub-step that is not on the page the step that it belongs to; undefined: there is none.
  numberOf(text) {
    if (this.indexOf.has(text)) return text;
    const main = Number.parseInt(text, 10);
    return this.indexOf.has(main) ? main : undefined;
  }
  // Is step i about this group or process, as `ksim explain --group` and `--node` have it? `only`: ["group" or "node", its name].
  isAbout(i, only) {
    const step = this.steps[i], group = only[0] === "group", names = group ? this.m.groups : this.m.nodes, k = names.findIndex(one => one.name === only[1]);
    return k >= 0 && (group ? step.g === k || step.gs?.includes(k) : step.f === k || step.o === k || step.ws?.includes(k));
  }
  get lastNumber() { return Number.parseInt(this.steps.at(-1)?.n ?? 0, 10); }
  fresh() {
    const shares = this.G * this.P, places = this.G * this.M;
    return { start: new Float64Array(this.P), end: new Float64Array(this.P), there: new Uint8Array(this.P), life: new Int32Array(this.P),
      own: new Int32Array(shares).fill(-1), com: new Float64Array(shares).fill(-1), pos: new Float64Array(shares).fill(-1), high: new Float64Array(shares).fill(-1),
      group: Array(this.G).fill(null), inside: new Uint8Array(places), target: Array(places).fill(null), node: Array(this.N).fill("") };
  }
  copy(state) {
    const copied = {};
    for (const name in state) copied[name] = state[name].slice();
    return copied;
  }
  remember(change, i) { // what is looked up over the whole run, filled once
    if (change.g !== undefined && change.p !== undefined) this.touched[change.g * this.P + change.p] = 1;
    if (change.y === "log") {
      const life = this.records[change.p].at(-1);
      change.r.forEach((record, k) => life.set(change.e - change.r.length + k, record));
    } else if (change.y === "part" && !change.in) this.records[change.p].push(new Map());
    else if (change.y === "own") this.ownership[change.g * this.P + change.p].push({ i, m: change.m ?? -1 });
    else if (change.y === "node") this.nodeStates[change.w].push({ i, st: change.st });
  }
  apply(state, c) {
    const share = c.g * this.P + c.p, place = c.g * this.M + c.m;
    switch (c.y) {
    case "log": state.end[c.p] = c.e; state.there[c.p] = 1; break;
    case "start": state.start[c.p] = c.o; break;
    case "part":
      state.there[c.p] = c.in; state.start[c.p] = state.end[c.p] = 0;
      if (!c.in) state.life[c.p]++;
      break;
    case "own":
      state.own[share] = c.m ?? -1;
      state.pos[share] = c.m === null ? -1 : state.com[share];
      break;
    case "com": state.com[share] = c.o; break;
    case "pos":
      state.pos[share] = c.o;
      if (c.o > state.high[share]) state.high[share] = c.o;
      break;
    case "grp": state.group[c.g] = c.st === null ? null : { st: c.st, n: c.n, w: c.w }; break;
    case "mem": state.inside[place] = c.in; if (!c.in) state.target[place] = null; break;
    case "tgt": state.target[place] = { ...(state.target[place] ?? {}), target: c.o, epoch: c.n }; break;
    case "rec": state.target[place] = { ...(state.target[place] ?? {}), st: c.st, at: c.n, revoking: c.r }; break;
    case "node": state.node[c.w] = c.st; break;
    }
  }
  seek(i) {
    if (this.count === 0) return this.state;
    i = Math.max(0, Math.min(i, this.count - 1));
    if (i < this.at || i - this.at > KEYFRAME) {
      this.state = this.copy(this.frames[Math.floor(i / KEYFRAME)]);
      this.at = Math.floor(i / KEYFRAME) * KEYFRAME - 1;
    }
    while (this.at < i) {
      this.at++;
      for (const change of this.bucket[this.at]) this.apply(this.state, change);
      this.replayed++;
    }
    return this.state;
  }
  // What changed, by partition: who owned it after step `from`, in each group where that changed up to step `to`; how many
  // records step `to` itself appended, and in which groups it committed.
  changed(from, to) {
    const found = new Map();
    const of = p => { if (!found.has(p)) found.set(p, { was: new Map(), records: 0, com: new Set() }); return found.get(p); };
    for (let i = Math.max(0, from + 1, to - 400); i <= to; i++) {
      for (const c of this.bucket[i]) {
        if (c.y === "log") of(c.p).records += i === to ? c.r.length : 0;
        else if (c.y === "part") of(c.p);
        else if (c.y === "own") { const one = of(c.p); if (!one.was.has(c.g)) one.was.set(c.g, this.ownerAt(c.g, c.p, from)); }
        else if (c.y === "com" && i === to) of(c.p).com.add(c.g);
      }
    }
    return found;
  }
  // The last entry of a list ordered by i that is not after step i; null: none.
  static latest(list, i) {
    let low = 0, high = list.length;
    while (low < high) { const middle = (low + high) >> 1; if (list[middle].i <= i) low = middle + 1; else high = middle; }
    return low > 0 ? list[low - 1] : null;
  }
  ownerAt(g, p, i) { return Run.latest(this.ownership[g * this.P + p], i)?.m ?? -1; }
  nodeAt(w, i) { return Run.latest(this.nodeStates[w], i)?.st ?? ""; }
  lag(state, g, p) {
    const share = g * this.P + p;
    if (state.own[share] < 0 && state.com[share] < 0) return 0;
    return Math.max(0, state.end[p] - Math.max(state.com[share], state.start[p]));
  }
  duration() { return Math.max(this.m.duration, this.count ? this.steps[this.count - 1].t : 0, 1); }
  stepAtTime(t) { // the last step that is not after t
    let low = 0, high = this.count - 1;
    while (low < high) { const middle = (low + high + 1) >> 1; if (this.steps[middle].t <= t) low = middle; else high = middle - 1; }
    return low;
  }
}
