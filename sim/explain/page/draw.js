// ---- making elements; text is always text, never markup ----
const $ = id => document.getElementById(id);
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name === "style") for (const [property, v] of Object.entries(value)) element.style.setProperty(property, v);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined && child !== ""));
  return element;
}
function draw(tag, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}
const hidden = text => el("span", { class: "hidden", text });
const plural = (n, one, many) => n + " " + (n === 1 ? one : many ?? one + "s");
function seconds(us) {
  const s = us / 1e6;
  return s.toFixed(s >= 1000 ? 0 : s >= 100 ? 1 : 3) + " s";
}
function span(us) { // how long something took: as few digits as tell it
  return us < 1000 ? us + " µs" : us < 1e6 ? +(us / 1e3).toFixed(us < 1e4 ? 1 : 0) + " ms" : +(us / 1e6).toFixed(us < 1e7 ? 2 : 1) + " s";
}
// Eight colours and eight signs: sixty-four consumers before a pair comes again, and the name stands beside it.
const SIGNS = ["●", "■", "▲", "◆", "★", "▼", "✚", "✖"];
const sign = m => SIGNS[(m + Math.floor(m / 8)) % 8];
const colour = m => m < 0 ? "var(--soft)" : "var(--c" + m % 8 + ")";
function chip(run, m, extra) {
  if (m < 0) return el("span", { class: "chip nobody", text: "nobody" });
  return el("span", { class: "chip" + (extra ? " " + extra : ""), style: { "--c": colour(m) }, title: run.m.members[m] },
    el("span", { "aria-hidden": "true", text: sign(m) }), run.m.members[m]);
}
// The protocol fact of a step: "c1 → broker-2 Heartbeat generation 1 <- REBALANCE_IN_PROGRESS".
const protocol = step => (step.p ?? step.a).replace(/\s+/g, " ").replace(" -> ", " → ");
// Sentences of a step's text, for the eye only: a long step reads as a lead and what follows from it.
const sentences = text => (text ?? "").split(/(?<=[.!?]["”)]?)\s+(?=\S)/);
function leadAndRest(text) { // what merely moves along does not lead
  const all = sentences(text), lead = Math.max(0, all.findIndex(one => !/ (is|are) (committed|delivered|written) /.test(one)));
  return [all[lead], all.filter((_, k) => k !== lead).join(" ")];
}
function svgText(text, width) { // cut to fit about `width` pixels of small text
  const most = Math.max(1, Math.floor(width / 7.2));
  return text.length > most ? text.slice(0, most - 1) + "…" : text;
}
