// SPDX-License-Identifier: Apache-2.0
// The page as a person would use it: steps through, checks what is shown, takes screenshots at two sizes and both themes.
// Arguments: the folder with node_modules, the folder with the pages, the folder for screenshots.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
const [modules, pages, shots] = process.argv.slice(2);
const require = createRequire(modules + "/");
const { chromium } = require("playwright-core");
const axe = require("fs").readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [page, compare, kip848, groups, hostile, long, wide, slow, restarted] = ["page", "compare", "kip848", "groups", "hostile", "long", "wide", "slow", "restarted"].map(name => `${pages}/${name}.html`);

let failed = 0;
async function check(name, body) {
  const tabs = [];
  const open = async (file, options = {}, hash = "") => {
    const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, reducedMotion: "reduce", ...options });
    const tab = await context.newPage();
    tab.problems = [];
    tab.on("console", m => { if (m.type() === "error" || m.type() === "warning") tab.problems.push(m.text()); });
    tab.on("pageerror", e => tab.problems.push(String(e)));
    tab.on("dialog", dialog => { tab.problems.push("a dialog: " + dialog.message()); dialog.dismiss(); });
    tab.on("request", r => { if (!/^(file|data|blob):/.test(r.url())) tab.problems.push("asks the network: " + r.url()); });
    tabs.push(tab);
    await tab.goto(pathToFileURL(file) + hash);
    return tab;
  };
  try {
    await body(open);
    for (const tab of tabs) equal(tab.problems.join("; "), "");
    console.log("[       OK ] " + name);
  } catch (error) { failed++; console.log("    " + String(error.message).split("\n").join("\n    ")); console.log("[  FAILED  ] " + name); }
  for (const tab of tabs) await tab.context().close();
}
function equal(actual, expected) { if (actual !== expected) throw new Error(`it is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`); }
function holds(what, condition) { if (!condition) throw new Error(what); }

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });

async function until(tab, what, condition) { // the page's own policy forbids what the driver's waiting is made of
  for (let i = 0; i < 200; i++) { if (await tab.evaluate(condition)) return; await new Promise(resolve => setTimeout(resolve, 50)); }
  throw new Error("never: " + what);
}
const number = (tab, run = 0) => tab.locator(".now .number").nth(run).innerText().then(text => Number(text.replace(/[^\d.]/g, "")));
const press = async (tab, key, times = 1) => { for (let i = 0; i < times; i++) await tab.keyboard.press(key); };
const every = tab => tab.locator("#level").selectOption("all");
const owners = tab => tab.locator(".parts th .chip").allInnerTexts().then(texts => texts.map(text => text.replace(/[^\w]/g, "")).join(" "));

await check("steps forward and back with the keyboard, and back is exact", async open => {
  const tab = await open(page);
  equal(await number(tab), 1);
  await every(tab);
  await tab.locator("h1").click();
  await press(tab, "ArrowRight", 4);
  equal(await number(tab), 5);
  const shown = () => tab.evaluate(() => [...document.querySelectorAll(".now, .groups, .parts")].map(box => box.innerHTML).join("\n"));
  const there = await shown();
  await press(tab, "End");
  equal(await number(tab), 11.3);
  await press(tab, "Home");
  await press(tab, "ArrowRight", 4);
  equal(await shown(), there);
  await press(tab, "End");
  await press(tab, "ArrowLeft", 9);
  equal(await shown(), there);
});
await check("the story leaves steps out and numbers them the same", async open => {
  const tab = await open(page);
  const story = await tab.locator("#slider").getAttribute("max");
  await every(tab);
  equal(await tab.locator("#slider").getAttribute("max"), "13");
  holds("the story is shorter than " + story, Number(story) < 13);
  await tab.locator("#level").selectOption("story");
  await press(tab, "End");
  const n = await number(tab);
  await press(tab, "s");
  equal(await number(tab), n);
});
await check("a deep link opens its step, the cause of a step is a link, and so is the answer that was held", async open => {
  const tab = await open(page, {}, "#step-5");
  equal(await number(tab), 5);
  await tab.getByRole("link", { name: "answered in step 8" }).click();
  equal(await number(tab), 8);
  await until(tab, "the address names the step", () => location.hash === "#step-8");
  await tab.locator("#now .cause a").click();
  holds("not followed: " + await number(tab), await number(tab) < 8);
  await tab.locator("h1").click();
  const before = await number(tab);
  await press(tab, "c");
  holds("C does not lead to the cause", await number(tab) < before || await tab.locator("#now .cause a").count() === 0);
});
await check("a sub-step of the story has its address, one that is not told leads to its main step", async open => {
  const tab = await open(page, {}, "#step-11.2");
  equal(await number(tab), 11.2);
  holds("told", (await tab.locator("#now .say").innerText()).includes("orders[1] comes again"));
  equal(await tab.locator("#at").innerText(), "step 11.2 of 11");
  equal(await tab.locator(".row.here .n").innerText(), "11.2");
  await tab.evaluate(() => { location.hash = "#step-4.7"; });
  await until(tab, "the main step", () => document.querySelector("#now .number").textContent.endsWith(" 4"));
  await tab.evaluate(() => { location.hash = "#step-6"; });
  await until(tab, "a link to it", () => [...document.querySelectorAll("#now .more a")].some(a => a.textContent === "step 11.3"));
  await tab.getByRole("link", { name: "step 11.3" }).click();
  equal(await number(tab), 11.3);
  await tab.locator("#find").fill("11.1");
  await tab.keyboard.press("Enter");
  equal(await number(tab), 11.1);
});
await check("steps of one group or process: as the command line has them, by keyboard, with an address", async open => {
  const tab = await open(groups);
  await every(tab);
  const shown = () => tab.evaluate(() => { // by stepping through
    const id = name => document.getElementById(name), steps = [];
    id("first").click();
    for (let k = 0; k <= Number(id("slider").max); k++, id("next").click()) steps.push(document.querySelector(".now .number").textContent.replace("Step ", ""));
    return steps.join(" ");
  });
  const lists = require("fs").readFileSync(`${pages}/filtered.txt`, "utf8").trim().split("\n").map(line => /^(\S+) (\S+) ?(.*)$/.exec(line));
  equal(lists.length, await tab.locator("#only option").count() - 1);
  let told = 0;
  for (const [, kind, name, steps] of lists) {
    await tab.locator("#only").selectOption({ label: name });
    equal(kind + " " + name + ": " + await shown(), kind + " " + name + ": " + (steps || "1")); // nothing: it stands at the beginning
    told += steps !== "";
  }
  holds("few have steps: " + told, told > 6);
  const [, , name] = lists.find(list => list[1] === "group");
  await tab.locator("#only").selectOption("");
  const all = (await shown()).split(" ").length;
  await tab.locator("#only").focus();
  await press(tab, "Home");
  equal((await shown()).split(" ").length, all);
  await press(tab, "ArrowDown"); // the first group
  holds("fewer steps", (await shown()).split(" ").length < all);
  await tab.locator("h1").click();
  await press(tab, "End");
  await until(tab, "the address says it", () => /^#step-[\d.]+;group=/.test(location.hash));
  const here = await tab.evaluate(() => location.hash);
  equal(here, "#step-" + await tab.locator(".now .number").innerText().then(text => text.replace(/[^\d.]/g, "")) + ";group=" + name);
  const again = await open(groups, {}, here);
  equal(await again.locator("#only").evaluate(select => select.selectedOptions[0].textContent), name);
  equal(await number(again), await number(tab));
  await again.evaluate(() => { location.hash = "#step-2"; }); // no address of a step that is left out keeps the filter
  await until(again, "of everybody", () => document.querySelector("#only").value === "");
  equal(await number(again), 2);
  await again.evaluate(() => { location.hash = "#step-2;node=%E0%A4%A"; });
  await again.evaluate(() => { location.hash = "#step-2;node=nobody"; });
  equal(await again.locator("#only").inputValue(), "");
});
await check("owners, records, committed and current positions and group state are those of the step", async open => {
  const tab = await open(page, {}, "#step-3");
  equal(await owners(tab), "c1 c1 c1");
  await every(tab);
  await press(tab, "End");
  await press(tab, "ArrowLeft", 3);
  equal(await owners(tab), "c1 c2 c2");
  equal(await tab.locator(".states [aria-current]").innerText(), "Stable");
  equal(await tab.locator(".generation b").innerText(), "2");
  equal((await tab.locator(".nums").first().innerText()).replace(/\s+/g, " "), "committed 2 position 2 lag 3 ◀ taken up not fetched yet for 5.01 s");
  await tab.keyboard.press("ArrowRight"); // the sub-step in which it is fetched
  equal((await tab.locator(".nums").first().innerText()).replace(/\s+/g, " "), "committed 2 position 5 lag 3");
  await press(tab, "End");
  equal(await tab.locator(".track").first().locator(".cell").count(), 5);
  holds("the hatched part is what was delivered and not committed", await tab.locator(".parts .rail .taken").count() === 3);
  holds("markup in a value is text", (await tab.locator(".cell").first().getAttribute("title")).includes("<b>"));
});
await check("what moves in a step is marked: given up, taken up, paused, comes again", async open => {
  const tab = await open(page, {}, "#step-6");
  for (const n of [6, 7, 8, 9, 10]) {
    if ((await tab.locator("tr.moved").count()) > 0) break;
    await tab.keyboard.press("ArrowRight");
  }
  holds("no row is marked", (await tab.locator("tr.moved").count()) > 0);
  holds("who gave it up", (await tab.locator("tr.moved").first().innerText()).includes("given up by c1"));
  holds("the pause", /paused for/.test(await tab.locator("tr.moved").first().innerText()));
  equal(await tab.locator(".parts .rail .again").count(), 3);
});
await check("next rebalance jumps, the slider scrubs, play plays, end stops", async open => {
  const tab = await open(page);
  await every(tab);
  await tab.locator("#rebalance").click();
  await tab.locator("#rebalance").click();
  equal(await number(tab), 5);
  await tab.locator("#slider").focus();
  await tab.keyboard.press("ArrowLeft");
  equal(await number(tab), 4);
  await tab.locator("#speed").selectOption("20");
  await tab.locator("#play").click();
  await until(tab, "it plays to the end", () => document.querySelector("#now .number").textContent.endsWith("11.3"));
  await until(tab, "it stops there", () => document.querySelector("#play").getAttribute("aria-pressed") === "false");
  equal(await tab.locator("#slider").getAttribute("aria-valuetext").then(text => text.startsWith("step 11.3")), true);
});
await check("find goes from hit to hit", async open => {
  const tab = await open(page);
  await tab.keyboard.press("/");
  await tab.keyboard.type("syncgroup");
  const found = Number(await tab.locator("#found").innerText());
  holds("found " + found, found >= 2);
  await tab.keyboard.press("Enter");
  const first = await number(tab);
  await tab.keyboard.press("Enter");
  holds("the next one", await number(tab) > first);
  await tab.keyboard.press("Shift+Enter");
  equal(await number(tab), first);
});
await check("the lanes are a list that arrow keys walk, with messages and what is held", async open => {
  const tab = await open(page, {}, "#step-5");
  const list = tab.getByRole("listbox", { name: /Steps/ });
  await list.focus();
  await tab.keyboard.press("ArrowDown");
  equal(await number(tab), 6);
  const active = await list.getAttribute("aria-activedescendant");
  holds("named", (await tab.locator("#" + active).getAttribute("aria-label")).startsWith("Step 6,"));
  holds("the held request is drawn", await tab.locator(".row rect").count() > 0);
  await tab.locator(".row", { hasText: "REBALANCE_IN_PROGRESS" }).first().click();
  holds("a click goes there", (await tab.locator("#now .wire").innerText()).includes("REBALANCE_IN_PROGRESS"));
});
await check("what is no message says on its lane what it is", async open => {
  const tab = await open(slow, {}, "#step-297"), here = () => tab.locator(".row.here svg text").allTextContents();
  holds("a call: " + await here(), (await here()).includes("its program calls"));
  await tab.evaluate(() => { location.hash = "#step-293"; });
  await until(tab, "step 293", () => document.querySelector(".now .number").textContent.endsWith("293"));
  holds("views: " + await here(), (await here()).includes("views g"));
});
await check("the member that a crashed process left behind stands beside what the process has become", async open => {
  const tab = await open(restarted, {}, "#step-50"), members = g => tab.locator(".group").nth(g).locator(".members .chip").allInnerTexts().then(texts => texts.map(text => text.replace(/^\W+/, "")).sort().join(", "));
  equal(await members(0), "A, B, B (before its restart)");
  equal(await members(1), "C, D, D (before its restart)");
  await tab.evaluate(() => { location.hash = "#step-83"; });
  await until(tab, "step 83", () => document.querySelector(".now .number").textContent.endsWith("83"));
  equal(await members(0) + "; " + await members(1), "A, B; C, D");
  holds("on the lane", (await tab.locator(".row.here svg text").allTextContents()).includes("the session of B (before its restart) is over"));
});
await check("ownership and lag stand over time, with units, and a click goes there", async open => {
  const tab = await open(page);
  const plot = tab.locator(".times svg");
  holds("a name for those who do not see it", /Who owned each of 3 partitions .*lag at most \d+ record/.test(await plot.getAttribute("aria-label")));
  const words = await plot.locator("text").allTextContents();
  for (const word of ["orders[0]", "Lag", "records not", "seconds"]) holds("no " + word, words.some(text => text.includes(word)));
  holds("each owner's span is drawn", await plot.locator(".segment").count() >= 6);
  holds("pauses are drawn", await plot.locator("rect[stroke='var(--warn)']").count() === 3);
  const box = await plot.boundingBox();
  await plot.click({ position: { x: box.width - 16.2, y: 30 } });
  equal(Math.floor(await number(tab)), 11);
  equal(await tab.getByRole("button", { name: "time", exact: true }).getAttribute("aria-pressed"), "true");
  await tab.getByRole("button", { name: "steps", exact: true }).click();
  holds("the axis counts steps", (await tab.locator(".times svg text").allTextContents()).includes("step"));
});
await check("the quiz asks for the next assignment before it shows it, and hides what is to come", async open => {
  const tab = await open(page, {}, "#step-5");
  await tab.locator("#quiz").click();
  const rows = await tab.locator(".row").count();
  equal(await tab.locator(".row").last().locator(".n").innerText(), "5");
  await tab.locator("#next").click();
  holds("asks", await tab.locator(".quiz").isVisible());
  equal(await number(tab), 5);
  equal(await tab.locator(".quiz fieldset").count(), 3);
  const pick = (p, name) => tab.locator(".quiz fieldset").nth(p).locator("label", { hasText: name }).click();
  await pick(0, "c1");
  await pick(1, "c2");
  await pick(2, "c1");
  await tab.getByRole("button", { name: "Check" }).click();
  holds(await tab.locator(".quiz [role=status]").innerText(), (await tab.locator(".quiz [role=status]").innerText()).startsWith("2 of 3 right."));
  await tab.getByRole("button", { name: "Go to the result" }).click();
  equal(await number(tab), 10);
  holds("more is shown than before", await tab.locator(".row").count() > rows);
});
await check("the quiz asks of several groups and of KIP-848, and hides the target", async open => {
  for (const [file, atLeast] of [[kip848, 1], [groups, 2]]) {
    const tab = await open(file);
    await tab.locator("#quiz").click();
    const asked = [];
    for (let i = 0; i < 80 && !(await tab.locator("#slider").evaluate(slider => slider.value === slider.max)); i++) {
      await tab.locator("#next").click();
      if (!(await tab.locator(".quiz").isVisible())) continue;
      asked.push(await tab.locator(".quiz .ask").innerText());
      holds("the target is told", !/target of epoch/.test(await tab.locator(".groups").innerText()));
      await tab.getByRole("button", { name: "Check" }).click();
      await tab.getByRole("button", { name: "Step through it" }).click();
    }
    const names = new Set(asked.map(text => /Group (\S+)/.exec(text)[1]));
    holds("asked of " + [...names].join(), names.size >= atLeast && asked.length >= atLeast);
  }
});
await check("two runs stand side by side, move together in time, and what differs is said", async open => {
  const tab = await open(compare);
  equal(await tab.locator(".run").count(), 2);
  await tab.locator("#rebalance").click();
  await tab.locator("#rebalance").click();
  const times = await tab.locator(".now .when").allInnerTexts();
  equal(times[0], times[1]);
  holds("difference", /Partitions paused[\s\S]*join-eager\.ksim/.test(await tab.locator(".difference").innerText()));
  holds("less is marked in words", await tab.locator(".difference td.less").count() > 0);
  const seen = new Set();
  for (let i = 0; i < 30; i++) { await tab.keyboard.press("ArrowRight"); seen.add((await number(tab, 0)) + "/" + (await number(tab, 1))); }
  holds("one side steps while the other stands", [...seen].some(pair => pair.split("/")[0] !== pair.split("/")[1]));
  await tab.goto(pathToFileURL(compare) + "#run2-step-20");
  equal(await number(tab, 1), 20);
});
await check("paper gets the story, with pictures of the steps that move something", async open => {
  const tab = await open(page, { colorScheme: "dark" });
  await tab.emulateMedia({ media: "print" });
  await until(tab, "the printed story", () => document.querySelector("#printed article") !== null);
  holds("the story", await tab.locator("#printed article").count() >= 4);
  holds("the pictures", await tab.locator("#printed .picture").count() >= 2);
  holds("the player is not printed", !(await tab.locator(".dock").isVisible()));
  equal(await tab.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  const pdf = await tab.pdf({ format: "A4" });
  holds("a PDF of " + pdf.length + " bytes", pdf.length > 5000);
});
await check("the page carries its scenario", async open => {
  const tab = await open(kip848);
  const text = await tab.locator("#scenarios pre").innerText();
  holds("its lines", text.includes("protocol=consumer\n"));
  const [download] = await Promise.all([tab.waitForEvent("download"), tab.getByRole("link", { name: "Download" }).click()]);
  equal(download.suggestedFilename(), "join-kip848.ksim");
  equal(require("fs").readFileSync(await download.path(), "utf8"), text);
});
await check("hostile names, keys, values and remarks are text and nothing else", async open => {
  const tab = await open(hostile);
  await every(tab);
  for (let i = 0; i < 12; i++) { await tab.keyboard.press("ArrowRight"); await tab.locator("#next").click(); }
  equal(await tab.evaluate(() => window.harmed ?? 0), 0);
  equal(await tab.evaluate(() => document.querySelectorAll("img, iframe, object, embed, script").length), 2);
  const text = await tab.evaluate(() => document.body.innerText);
  holds("right-to-left marks are shown, not obeyed", !/[\u202a-\u202e\u2066-\u2069]/.test(text));
  holds("control characters are shown, not sent", !/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text));
  holds("the markup can be read", text.includes("<img") || (await tab.locator("main").innerHTML()).includes("&lt;img"));
});
await check("scrubbing 5,000 steps draws what is in sight, and replays a keyframe's worth at most", async open => {
  const tab = await open(long);
  await every(tab);
  const cost = await tab.evaluate(() => {
    const slider = document.getElementById("slider"), max = Number(slider.max), work = window.ksimWork;
    let random = 7, elements = 0, changes = 0;
    for (let k = 0; k < 100; k++) {
      random = (random * 1103515245 + 12345) % 2147483648;
      const before = work();
      slider.value = random % max;
      slider.dispatchEvent(new Event("input"));
      changes = Math.max(changes, work().steps - before.steps);
      elements = Math.max(elements, document.querySelectorAll(".row, .row *").length);
    }
    return { max, elements, changes };
  });
  holds("steps: " + cost.max, cost.max >= 5000);
  holds("steps replayed for one jump: " + cost.changes, cost.changes <= 100);
  holds("elements of the lanes: " + cost.elements, cost.elements < 1000);
});
await check("a hundred partitions and thirty consumers have their place, each with a sign of its own", async open => {
  const tab = await open(wide);
  await press(tab, "End");
  equal(await tab.locator(".dense li").count(), 100);
  const names = await tab.locator(".members .chip").allInnerTexts();
  equal(names.length, 30);
  const looks = await tab.locator(".members .chip").evaluateAll(chips => chips.map(chip => getComputedStyle(chip).backgroundColor + chip.firstChild.textContent));
  equal(new Set(looks).size, 30);
});
await check("a run without steps, and one without groups, are pages too", async open => {
  let tab = await open(`${pages}/empty.html`);
  for (const key of ["ArrowRight", "End", "r", "c", "q", "ArrowLeft"]) await tab.keyboard.press(key);
  equal(await tab.locator("#now").innerText(), "Nothing happened in this run.");
  tab = await open(`${pages}/alone.html`);
  await press(tab, "End");
  holds("records are drawn", await tab.locator(".track .cell, .dense .bars .waits").count() > 0);
  equal(await tab.locator(".times").isVisible(), false);
});
await check("every key of the help works, and the help gives the focus back", async open => {
  const tab = await open(page);
  await tab.locator("#helpbutton").focus();
  await tab.keyboard.press("Enter");
  holds("opens", await tab.getByRole("dialog", { name: "Keys and signs" }).isVisible());
  await tab.keyboard.press("Escape");
  equal(await tab.evaluate(() => document.activeElement.id), "helpbutton");
  await press(tab, "t");
  equal(await tab.evaluate(() => document.documentElement.dataset.theme), "light");
  await press(tab, "q");
  equal(await tab.locator("#quiz").getAttribute("aria-pressed"), "true");
  await press(tab, "q");
  await press(tab, "r");
  await press(tab, "Shift+R");
  equal(await number(tab), 1);
  await press(tab, "?");
  holds("? opens it too", await tab.locator("#help").evaluate(help => help.open));
});
await check("Tab goes from what is read first to what acts on it, and everything has a name", async open => {
  const tab = await open(page);
  const order = [];
  for (let i = 0; i < 30; i++) {
    await tab.keyboard.press("Tab");
    const at = await tab.evaluate(() => { const e = document.activeElement; return e === document.body ? "" : e.id || e.className || e.tagName; });
    if (at === "") break;
    order.push(at);
  }
  const place = name => order.findIndex(at => at.includes(name));
  holds(order.join(" "), place("skip") === 0 && place("level") < place("quiz") && place("quiz") < place("list") && place("list") < place("next"));
  equal(await tab.locator("#now").getAttribute("aria-live"), "polite");
  for (const name of ["Current step", "Groups and partitions", "Messages", "Over time"]) equal(await tab.getByRole("region", { name, exact: true }).count(), 1);
  equal(await tab.getByRole("row", { name: /orders\[0\]/ }).count(), 1);
  equal(await tab.getByRole("slider", { name: "Step" }).count(), 1);
});
for (const name of ["story", "range", "hostile", "wide"]) {
  await check(`the drawing is well-formed, legible, and nothing in it overlaps: ${name}.svg`, async open => {
    const tab = await open(`${pages}/${name}.svg`, { viewport: { width: 1280, height: 900 } });
    const found = await tab.evaluate(() => {
      const texts = [...document.querySelectorAll("text")].filter(text => text.textContent), boxes = texts.map(text => text.getBBox()), problems = [];
      const whole = document.documentElement.viewBox.baseVal;
      boxes.forEach((a, i) => {
        if (a.x < 0 || a.x + a.width > whole.width) problems.push("sticks out: " + texts[i].textContent);
        for (let k = i + 1; k < boxes.length; k++) {
          const b = boxes[k], across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x), down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
          if (across > 2 && down > 6) problems.push(texts[i].textContent + " / " + texts[k].textContent);
        }
      });
      return { root: document.documentElement.nodeName, texts: texts.length, smallest: Math.min(...texts.map(text => parseFloat(getComputedStyle(text).fontSize))), problems, harmed: window.harmed ?? 0, scripts: document.querySelectorAll("script, image, foreignObject").length };
    });
    equal(found.root, "svg"); // else the XML parser refused it
    holds("texts: " + found.texts, found.texts > 10);
    holds("smallest letters: " + found.smallest, found.smallest >= 14);
    equal(found.problems.slice(0, 3).join(" | "), "");
    equal(found.harmed + found.scripts, 0);
    require("fs").writeFileSync(`${pages}/${name}-slide.html`, `<body style="margin:20px;background:#222"><img src="${name}.svg" width="1280" alt="${name}">`);
    await tab.goto(pathToFileURL(`${pages}/${name}-slide.html`).href); // as on a slide; a drawing by itself cannot be photographed
    await tab.setViewportSize({ width: 1320, height: 760 });
    await tab.screenshot({ path: `${shots}/${name}.png`, fullPage: name !== "wide" });
  });
}
// What axe-core calls serious, in whatever is open now.
async function sound(tab) {
  await tab.evaluate(axe);
  const result = await tab.evaluate(() => window.axe.run());
  const serious = result.violations.filter(v => v.impact === "serious" || v.impact === "critical");
  equal(serious.map(v => v.id + ": " + v.nodes.map(n => n.target + " " + (n.failureSummary || "").slice(0, 200)).slice(0, 3).join(" | ")).join("; "), "");
}
const asked = async tab => { // the quiz asks
  await tab.locator("#quiz").click();
  await tab.evaluate(() => { for (let k = 0; k < 600 && document.querySelector(".quiz").hidden; k++) document.getElementById("next").click(); });
  holds("a question", await tab.locator(".quiz fieldset").count() > 0);
};
const answered = async tab => { await asked(tab); await tab.getByRole("button", { name: "Check" }).first().click(); };
for (const theme of ["light", "dark"]) {
  for (const [name, file, hash, act] of [["a question of the quiz", page, "#step-4", asked], ["its answer", page, "#step-4", answered], ["a question about many members", wide, "", asked],
    ["the help", page, "#step-7", tab => tab.locator("#helpbutton").click()], ["thin rows", wide, "", tab => tab.locator("#rebalance").click()],
    ["many steps, filtered", groups, "#step-46", async tab => { await every(tab); await tab.locator("#only").selectOption({ index: 1 }); }],
    ["what was found", page, "#step-7", tab => tab.locator("#find").fill("group")], ["a consumer group", kip848, "#step-13", () => {}], ["a restarted member", restarted, "#step-50", () => {}]]) {
    await check(`no serious barrier in ${name}, ${theme}`, async open => {
      const tab = await open(file, { colorScheme: theme }, hash);
      await act(tab);
      await sound(tab);
      await tab.screenshot({ path: `${shots}/${name.replace(/[ ,]+/g, "-")}-${theme}.png` });
    });
  }
}
for (const [size, viewport] of [["wide", { width: 1600, height: 1000 }], ["narrow", { width: 420, height: 900 }]]) {
  for (const theme of ["light", "dark"]) {
    for (const [name, file, hash] of [["page", page, "#step-7"], ["twins", compare, "#step-22"]]) {
      await check(`no serious barrier, nothing sticks out: ${name}, ${size}, ${theme}`, async open => {
        const tab = await open(file, { viewport, colorScheme: theme }, hash);
        await tab.screenshot({ path: `${shots}/${name}-${size}-${theme}.png` });
        await sound(tab);
        const wider = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        holds("the page scrolls sideways by " + wider + " px", wider <= 0);
      });
    }
  }
}
await browser.close();
process.exit(failed ? 1 : 0);
