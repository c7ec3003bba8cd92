// ---- quiz: predict who will own what, before it is shown ----
const ASK_EACH = 12; // more partitions than this: how many each member gets, not which

class Quiz {
  constructor(view) {
    this.view = view;
    this.run = view.run;
    this.box = el("section", { class: "panel quiz", "aria-label": "Quiz" + view.named, hidden: true });
    this.questions = this.find();
    this.open = null;
    this.right = this.asked = 0;
  }
  // One question for each rebalance that comes to an end: asked once it has begun, about how the group is when it has settled.
  find() {
    const run = this.run, questions = [], begun = new Map();
    run.steps.forEach((step, i) => {
      if (step.b && !begun.has(step.g)) begun.set(step.g, i);
      if (!step.k || !begun.has(step.g)) return;
      const begin = begun.get(step.g);
      let settled = i; // members take up what they got one after the other
      while (settled + 1 < run.count && !(run.steps[settled + 1].b && run.steps[settled + 1].g === step.g)) settled++;
      questions.push({ g: step.g, at: begin < i ? begin : begin - 1, target: i, settled, done: false });
      begun.delete(step.g);
    });
    return questions;
  }
  owners(g, i) {
    const share = g * this.run.P;
    return [...this.run.seek(i).own.slice(share, share + this.run.P)];
  }
  // Asks what lies between step `from` and step `to`. True: it asks now.
  ask(from, to) {
    if (this.open) return true;
    const question = this.questions.find(q => !q.done && to > q.at && from < q.target);
    if (!question) return false;
    question.done = true;
    const before = this.owners(question.g, Math.max(0, question.at)), after = this.owners(question.g, question.settled), state = this.run.seek(this.view.i);
    const members = [...new Set([...after, ...before])].filter(m => m >= 0);
    for (let m = 0; m < this.run.M; m++) if (state.inside[question.g * this.run.M + m] && !members.includes(m)) members.push(m);
    members.sort((a, b) => a - b);
    const partitions = after.map((_, p) => p).filter(p => after[p] >= 0 || before[p] >= 0);
    if (members.length < 2 || !partitions.length) return false;
    this.open = { question, before, after, members, partitions };
    if (partitions.length <= ASK_EACH && members.length <= 8) this.askEach();
    else this.askHowMany();
    return true;
  }
  present(words, fields, check) {
    const { question } = this.open, group = this.run.m.groups[question.g];
    this.verdict = el("p", { class: "verdict", role: "status" });
    this.check = el("button", { type: "button", text: "Check", onclick: () => { check(); this.answered(); } });
    this.on = el("button", { type: "button", text: "Step through it", hidden: true, onclick: () => this.close(false) });
    this.jump = el("button", { type: "button", text: "Go to the result", hidden: true, onclick: () => this.close(true) });
    this.box.replaceChildren(el("h2", { text: "Predict" }),
      el("p", { class: "ask", text: words + " Group " + group.name + " is " + (group.type === "consumer" ? "reconciled" : "stable") + " again at step " + this.run.steps[question.target].n + (group.assignor ? ", assignor " + group.assignor : "") + "." }),
      ...fields, el("div", { class: "actions" }, this.check, this.on, this.jump, this.verdict));
    this.box.hidden = false;
    this.box.scrollIntoView({ block: "nearest" });
    this.box.querySelector("input")?.focus();
  }
  askEach() {
    const { before, after, members, partitions } = this.open, run = this.run, rows = [];
    const fields = partitions.map(p => {
      const name = "quiz-" + this.view.index + "-" + p, verdict = el("span", { class: "verdict" });
      const picks = [...members, -1].map(m => el("label", { class: "pick" }, el("input", { type: "radio", name, value: m, checked: m === before[p] }), chip(run, m)));
      rows.push({ p, name, verdict });
      return el("fieldset", {}, el("legend", { text: run.m.partitions[p] }), ...picks, el("span", { class: "count", text: "now: " + (before[p] < 0 ? "nobody" : run.m.members[before[p]]) }), verdict);
    });
    this.present("Who will own what?", fields, () => {
      let right = 0;
      for (const { p, name, verdict } of rows) {
        const picked = Number(this.box.querySelector(`input[name="${name}"]:checked`)?.value ?? NaN), good = picked === after[p];
        right += good;
        verdict.textContent = good ? "✓ right" : "✗ it is " + (after[p] < 0 ? "nobody" : run.m.members[after[p]]);
        verdict.className = "verdict " + (good ? "right" : "wrong");
      }
      this.score(right, rows.length);
    });
  }
  askHowMany() {
    const { after, members } = this.open, run = this.run, rows = [];
    const fields = members.map(m => {
      const input = el("input", { type: "number", min: 0, "aria-label": "Partitions of " + run.m.members[m] }), verdict = el("span", { class: "verdict" });
      rows.push({ m, input, verdict });
      return el("fieldset", {}, el("legend", {}, chip(run, m)), input, verdict);
    });
    this.present("How many partitions will each member own?", fields, () => {
      let right = 0;
      for (const { m, input, verdict } of rows) {
        const many = after.filter(owner => owner === m).length, good = input.value !== "" && Number(input.value) === many;
        right += good;
        verdict.textContent = good ? "✓ right" : "✗ it is " + many;
        verdict.className = "verdict " + (good ? "right" : "wrong");
      }
      this.score(right, rows.length);
    });
  }
  score(right, asked) {
    this.right += right;
    this.asked += asked;
    this.verdict.textContent = right + " of " + asked + " right." + (this.asked > asked ? " In all: " + this.right + " of " + this.asked + "." : "");
  }
  answered() {
    const { before, after } = this.open, moved = after.filter((owner, p) => owner !== before[p] && owner >= 0 && before[p] >= 0).length;
    this.verdict.append(" " + plural(moved, "partition changes its owner", "partitions change their owner") + ".");
    this.box.querySelectorAll("input").forEach(input => { input.disabled = true; });
    this.check.hidden = true;
    this.on.hidden = this.jump.hidden = false;
    this.on.focus();
  }
  close(jump) {
    const { question } = this.open;
    this.cancel();
    if (jump) player.goTo(this.view, question.target);
    else player.next();
    $("next").focus();
  }
  cancel() {
    this.open = null;
    this.box.hidden = true;
  }
}
