// SPDX-License-Identifier: Apache-2.0
// The page as a person would use it: steps through, checks what is shown, takes screenshots at two sizes and both themes.
// Arguments: the folder with node_modules, page.html, compare.html, the folder for screenshots.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
const [modules, page, compare, shots] = process.argv.slice(2);
const require = createRequire(modules + "/");
const { chromium } = require("playwright-core");
const axe = require("fs").readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

let failed = 0;
async function check(name, body) {
  try { await body(); console.log("[       OK ] " + name); }
  catch (error) { failed++; console.log("    " + String(error.message).split("\n").join("\n    ")); console.log("[  FAILED  ] " + name); }
}
function equal(actual, expected) { if (actual !== expected) throw new Error(`it is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`); }
function holds(what, condition) { if (!condition) throw new Error(what); }

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });

async function open(file, options = {}, hash = "") {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  const tab = await context.newPage();
  tab.problems = [];
  tab.on("console", m => { if (m.type() === "error" || m.type() === "warning") tab.problems.push(m.text()); });
  tab.on("pageerror", e => tab.problems.push(String(e)));
  tab.on("request", r => { if (!r.url().startsWith("file:") && !r.url().startsWith("data:")) tab.problems.push("asks the network: " + r.url()); });
  await tab.goto(pathToFileURL(file) + hash);
  return tab;
}
const when = tab => tab.locator("#now .when").innerText();

await check("the page shows the first step and steps forward and back with the keyboard", async () => {
  const tab = await open(page);
  holds("first step", (await when(tab)).startsWith("Step 1 "));
  for (let i = 0; i < 4; i++) await tab.keyboard.press("ArrowRight");
  holds("fifth step: " + await when(tab), (await when(tab)).startsWith("Step 5 "));
  const there = await tab.locator("main").innerHTML();
  await tab.keyboard.press("End");
  await tab.keyboard.press("Home");
  for (let i = 0; i < 4; i++) await tab.keyboard.press("ArrowRight");
  const strip = html => html.replace(/scroll[^"]*/g, "");
  equal(strip(await tab.locator("main").innerHTML()), strip(there));
  equal(tab.problems.join("; "), "");
});
await check("a deep link opens its step, and the cause of a step is a link", async () => {
  const tab = await open(page, {}, "#step-8");
  holds(await when(tab), (await when(tab)).startsWith("Step 8 "));
  await tab.locator("#now .why a").click();
  holds("not followed: " + await when(tab), !(await when(tab)).startsWith("Step 8 "));
  equal(tab.problems.join("; "), "");
});
await check("owners, records, committed offsets and group state are those of the step", async () => {
  const tab = await open(page, {}, "#step-3");
  holds("c1 owns all", (await tab.locator(".owner").allInnerTexts()).every(t => t === "c1"));
  await tab.keyboard.press("End");
  equal((await tab.locator(".owner").allInnerTexts()).join(" "), "c1 c2 c2");
  holds("state", (await tab.locator(".state").innerText()).includes("Stable, generation 2"));
  holds("markup in a value is text", (await tab.locator(".cell").first().innerText()).includes("<b>"));
});
await check("next rebalance jumps, the slider scrubs, play plays", async () => {
  const tab = await open(page);
  await tab.locator("#rebalance").click();
  await tab.locator("#rebalance").click();
  holds(await when(tab), (await when(tab)).startsWith("Step 5 "));
  await tab.locator("#slider").focus();
  await tab.keyboard.press("ArrowLeft");
  holds(await when(tab), (await when(tab)).startsWith("Step 4 "));
  await tab.locator("#speed").selectOption("10");
  await tab.locator("#play").click();
  await tab.waitForFunction(() => document.querySelector("#now .when").textContent.startsWith("Step 11 "), null, { timeout: 5000 });
});
await check("the quiz asks for the next assignment before it shows it", async () => {
  const tab = await open(page, {}, "#step-5");
  await tab.locator("#quizbutton").click();
  await tab.locator("#next").click();
  holds("asks", await tab.locator(".quiz").isVisible());
  const picks = tab.locator(".quiz select");
  equal(await picks.count(), 3);
  await picks.nth(0).selectOption("c1");
  await picks.nth(1).selectOption("c2");
  await picks.nth(2).selectOption("c1");
  await tab.getByRole("button", { name: "Check" }).click();
  equal(await tab.locator(".quiz [role=status]").innerText(), "2 of 3 right.");
  await tab.getByRole("button", { name: "Show it happen" }).click();
  holds(await when(tab), (await when(tab)).startsWith("Step 10 "));
});
await check("two runs stand side by side and move together", async () => {
  const tab = await open(compare, {}, "#step-7");
  equal(await tab.locator(".run").count(), 2);
  const times = await tab.locator(".now .when").allInnerTexts();
  const at = text => /· ([0-9.]+ s)/.exec(text)[1];
  equal(at(times[0]), at(times[1]));
  equal(tab.problems.join("; "), "");
});
for (const [size, viewport] of [["wide", { width: 1600, height: 1000 }], ["narrow", { width: 420, height: 900 }]]) {
  for (const theme of ["light", "dark"]) {
    await check(`no serious barrier, no console error: ${size}, ${theme}`, async () => {
      const tab = await open(page, { viewport, colorScheme: theme }, "#step-7");
      await tab.screenshot({ path: `${shots}/page-${size}-${theme}.png`, fullPage: true });
      await tab.evaluate(axe);
      const result = await tab.evaluate(() => window.axe.run());
      const serious = result.violations.filter(v => v.impact === "serious" || v.impact === "critical");
      equal(serious.map(v => v.id + ": " + v.nodes.map(n => n.target + " " + (n.failureSummary || "").slice(0, 200)).slice(0, 3).join(" | ")).join("; "), "");
      const wider = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      holds("the page scrolls sideways by " + wider + " px", wider <= 0);
      equal(tab.problems.join("; "), "");
    });
  }
}
await browser.close();
process.exit(failed ? 1 : 0);
