// What people do with the dashboard. Each walk is given a browser at a service and
// notes what is wrong in its faults.
import { eventually, json } from "./browser.mjs";

const pages = ["overview", "rag", "models", "runs", "pipeline", "start"];

async function aRun(b) {
  const list = await eventually("a run with a model", async () => {
    const { runs } = await json(b.base, "/monitoring/runs?limit=50");
    return runs.find((r) => r.spans >= 4);
  });
  return list.run_id;
}

/** Every page in both languages and themes: axe, the policy, no error, no other host. */
export async function every(b) {
  const run = await aRun(b);
  for (const [language, title] of [["pt-BR", "Visão geral"], ["en-US", "Overview"]]) {
    for (const theme of ["light", "dark"]) {
      const name = (p) => `${p}-${language}-${theme}`;
      const page = await b.page(name("pages"), { language, theme });
      for (const p of [...pages, `runs/${run}`]) {
        const called = name(p.split("/").length > 1 ? "run" : p);
        await b.visit(page, `#/${p}?range=15m`);
        await page.waitForFunction(() => document.title !== "Treq Telemetry");
        b.expect(await page.evaluate(() => document.documentElement.dataset.theme) === theme, `${called}: not ${theme}`);
        if (p === "overview") b.expect((await page.title()).startsWith(title), `${called}: the title is ${await page.title()}`);
        b.expect((await page.getAttribute("html", "lang")) === (language === "pt-BR" ? "pt-BR" : "en"), `${called}: lang`);
        await b.axe(page, called);
        await b.shot(page, called);
      }
      await page.context().close();
    }
  }
}

/** The language and the theme can be switched, and stay. */
export async function switches(b) {
  const page = await b.page("switches", { language: "de-DE" });
  await b.visit(page, "#/overview?range=15m");
  b.expect((await page.textContent("h1")) === "Overview", "English is not what others get");
  await page.click("details.menu > summary");
  await page.selectOption("details.menu select >> nth=0", "pt-BR");
  await page.selectOption("details.menu select >> nth=1", "dark");
  await page.reload();
  await b.settle(page);
  b.expect((await page.textContent("h1")) === "Visão geral", "the language was forgotten");
  b.expect((await page.evaluate(() => document.documentElement.dataset.theme)) === "dark", "the theme was forgotten");
}

/** A posted chat is shown without anybody doing anything. */
export async function live(b) {
  const page = await b.page("live");
  await b.visit(page, "#/overview?range=15m");
  const figure = page.locator(".figures .figure dd").first();
  await page.waitForSelector(".figures .figure dd");
  const number = async () => Number((await figure.evaluate((e) => e.firstChild.textContent)).replace(/\D/g, ""));
  const before = await number();
  const began = Date.now();
  await json(b.base, "/monitoring/chat/metrics?success=true&response_time_ms=500", { method: "POST" });
  await eventually("the posted chat is shown", async () => (await number()) > before);
  const shown = Date.now() - began;
  // Paused, it stands still.
  await page.click("button.live");
  const paused = await number();
  await json(b.base, "/monitoring/chat/metrics?success=true&response_time_ms=500", { method: "POST" });
  await eventually("the service counted", async () => (await json(b.base, "/monitoring/stats/summary")).total_requests > paused);
  b.expect((await number()) === paused, "a paused page moved");
  await page.click("button.live");
  await eventually("the page goes on", async () => (await number()) > paused);
  return { chat_shown_after_ms: shown };
}

/** An address holds the whole view: pasted elsewhere it shows the same. */
export async function links(b) {
  const page = await b.page("links");
  await b.visit(page, "#/runs");
  await page.waitForSelector("tbody tr");
  await page.fill("input[type=search]", "chat");
  await page.selectOption(".bar label:has-text('Outcome') select", "success");
  await page.waitForFunction(() => location.hash.includes("q=chat") && location.hash.includes("outcome=success"));
  const other = await b.page("links, pasted");
  await other.goto(page.url());
  await b.settle(other);
  b.expect((await other.inputValue("input[type=search]")) === "chat", "the filter is not in the address");
  b.expect((await other.inputValue(".bar label:has-text('Outcome') select")) === "success", "the outcome is not in the address");
  await other.waitForSelector("tbody tr");
  await b.visit(page, "#/overview");
  await page.selectOption(".bar label:has-text('Time range') select", "6h");
  await page.click("nav a[href*='models']");
  await b.settle(page);
  b.expect(page.url().includes("range=6h"), "the range does not follow to the next page");
  await page.goBack();
  b.expect((await page.inputValue(".bar label:has-text('Time range') select")) === "6h", "going back lost the range");
}

/** The first steps are greeted with, and turn green with the first data. */
export async function firstSteps(b) {
  const page = await b.page("first steps");
  await b.visit(page, "");
  await page.waitForSelector(".signal:not(.on)");
  b.expect(page.url().includes("#/start"), "who is new is not shown the first steps");
  const code = await page.locator("pre.code").allTextContents();
  b.expect(code.length === 6 && code.every((c) => c.includes(new URL(b.base).host)), "a snippet lacks the address");
  await b.shot(page, "start-waiting");
  // The snippet for curl, as it stands on the page.
  const url = /'([^']*chat\/metrics[^']*)'/.exec(code.find((c) => c.startsWith("curl")))[1];
  await fetch(url, { method: "POST" });
  await page.waitForSelector(".signal.on");
  await b.shot(page, "start-arrived");
}

/** A run can be walked with the keyboard alone, and judged. */
export async function keyboard(b) {
  const run = await aRun(b);
  const page = await b.page("keyboard");
  await b.visit(page, `#/runs/${run}`);
  await page.keyboard.press("Tab");
  b.expect(await page.evaluate(() => document.activeElement.className === "skip"), "the first stop is not the way to the content");
  await page.keyboard.press("Enter");
  b.expect(await page.evaluate(() => document.activeElement.id === "content"), "the content was not reached");
  for (let i = 0; i < 20 && (await page.evaluate(() => document.activeElement.getAttribute("role"))) !== "treeitem"; i++) await page.keyboard.press("Tab");
  const at = () => page.evaluate(() => [document.activeElement.getAttribute("aria-selected"), document.activeElement.querySelector(".name")?.textContent]);
  const first = await at();
  b.expect(first[0] === "true", "the tree is not reached by Tab");
  await page.keyboard.press("Home");
  const seen = [];
  for (let i = 0; i < 3; i++) {
    await page.keyboard.press("ArrowDown");
    seen.push((await at()).join());
  }
  b.expect(new Set(seen).size === 3 && seen.every((s) => s.startsWith("true")), `the arrows do not walk the tree: ${seen}`);
  b.expect((await page.url()).includes("span="), "the open span is not in the address");
  // Folded away and back, from its root.
  await page.keyboard.press("Home");
  const all = await page.locator("[role=treeitem]").count();
  await page.keyboard.press("ArrowLeft");
  b.expect((await page.locator("[role=treeitem]").count()) === 1 && (await page.getAttribute("[role=treeitem]", "aria-expanded")) === "false", "the tree does not fold");
  await page.keyboard.press("ArrowRight");
  b.expect((await page.locator("[role=treeitem]").count()) === all, "the tree does not unfold");
  await page.fill("textarea", "boa resposta");
  await page.locator("button:has-text('Good answer')").focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector("[role=status]:has-text('Recorded')");
  await eventually("the judgement stands in the run", async () => JSON.stringify(await json(b.base, `/monitoring/runs/${run}`)).includes("boa resposta"));
  await page.waitForSelector(".judgements li:has-text('boa resposta') .badge.good");
  b.expect((await page.inputValue("textarea")) === "", "a comment that was recorded stands there as if it was not");
}

/** From a phone to a wide screen nothing has to be scrolled sideways. */
export async function widths(b) {
  const run = await aRun(b);
  for (const [width, height, language, theme] of [[375, 812, "pt-BR", "light"], [375, 812, "en-US", "dark"], [820, 1180, "pt-BR", "dark"], [1280, 800, "pt-BR", "light"], [1920, 1080, "en-US", "dark"]]) {
    const page = await b.page(`${width} pixels`, { language, theme, width, height });
    for (const p of [...pages, `runs/${run}`]) {
      const name = `${width}-${language}-${theme}-${p.split("/").length > 1 ? "run" : p}`;
      await b.visit(page, `#/${p}?range=15m`);
      const [content, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      b.expect(content <= seen, `${name}: ${content} pixels wide in ${seen}`);
      // What is cut off is not there for who reads.
      const cut = await page.evaluate(() => [...document.querySelectorAll("main h1, main h2, main dd, main .badge, main button, header button, header a")]
        .filter((e) => { const r = e.getBoundingClientRect(); return r.width > 0 && r.left > -1000 && !e.closest(".scroll, nav ul") && (r.left < -1 || r.right > innerWidth + 1); }).map((e) => e.textContent.slice(0, 40)));
      b.expect(cut.length === 0, `${name}: cut off: ${cut}`);
      await b.axe(page, name);
      await b.shot(page, name);
    }
    await page.context().close();
  }
}

/** Content is not shown to who has no token, and a note says why, in place of an error. */
export async function hidden(b) {
  const page = await b.page("hidden", { allow: [/status of 40[13]/] });
  await b.visit(page, "#/runs");
  await page.waitForSelector(".trouble");
  b.expect((await page.textContent(".trouble h2")) === "Content is hidden for readers without the scope.", "no note in place of the runs");
  await b.axe(page, "hidden");
  await b.shot(page, "runs-hidden");
  await page.fill("input[type=password]", "reader-token");
  await page.click(".trouble button");
  await page.waitForSelector("tbody tr");
}

/** The page of the API shows every address, in both languages. */
export async function docs(b) {
  const { paths } = await json(b.base, "/openapi.json");
  const count = Object.values(paths).reduce((sum, methods) => sum + Object.keys(methods).length, 0);
  for (const [language, theme] of [["pt-BR", "light"], ["en-US", "dark"]]) {
    const page = await b.page(`docs ${language}`, { language, theme });
    await page.goto(b.base + "/docs");
    await page.waitForSelector("main .card");
    b.expect((await page.locator("main .card").count()) === count, `docs: not ${count} addresses`);
    for (const summary of await page.locator("main details > summary").all()) await summary.click();
    b.expect((await page.textContent("main")).includes("success_rate_percent: number"), "docs: the summary is not described");
    await b.axe(page, "docs");
    await b.shot(page, `docs-${language}`);
  }
}

/** The panel for Next.js: loading, numbers beside targets, an error and its end. */
export async function panel(b) {
  const address = process.env.PANEL;
  const page = await b.page("panel", { language: "pt-BR", allow: [/Failed to load resource/, /net::ERR/] });
  let held = [];
  let mode = "hold";
  await page.route("**/monitoring/stats/summary*", async (route) => {
    if (mode === "hold") held.push(route);
    else if (mode === "fail") await route.fulfill({ status: 503, contentType: "application/problem+json", headers: { "Access-Control-Allow-Origin": "*" }, body: JSON.stringify({ detail: "lendo o journal" }) });
    else await route.continue();
  });
  await page.goto(address);
  await page.waitForSelector(".monitoring-panel [role=status]:has-text('Carregando')");
  mode = "pass";
  for (const route of held) await route.continue();
  await page.waitForSelector(".metric-card.met, .metric-card.missed");
  const summary = await json(b.base, "/monitoring/stats/summary");
  const cards = await page.locator(".metric-card").allInnerTexts();
  b.expect(cards.length === 4 && cards[0].includes(summary.total_requests.toLocaleString("pt-BR")), `panel: ${cards}`);
  b.expect(cards[1].includes("meta > 95%") && cards[2].includes("meta < 1.000 ms") && cards[3].includes("meta > 0,6"), `panel: targets in ${cards}`);
  b.expect(cards[3].includes(summary.rag_avg_similarity.toLocaleString("pt-BR", { minimumFractionDigits: 2, maximumFractionDigits: 2 })), `panel: similarity in ${cards}`);
  await b.axe(page, "panel");
  await b.shot(page, "panel");
  await json(b.base, "/monitoring/chat/metrics?success=true&response_time_ms=10", { method: "POST" });
  await page.waitForSelector(`.metric-card strong:has-text("${(summary.total_requests + 1).toLocaleString("pt-BR")}")`);
  mode = "fail";
  await page.waitForSelector("[role=alert]:has-text('lendo o journal')");
  b.expect((await page.locator(".metric-card").count()) === 4, "panel: an error took the numbers away");
  const fresh = await b.page("panel, failing", { allow: [/Failed to load resource/, /net::ERR/] });
  await fresh.route("**/monitoring/**", (route) => route.abort());
  await fresh.goto(address + "&locale=en");
  await fresh.waitForSelector("[role=alert]:has-text('could not be loaded')");
  await b.axe(fresh, "panel, failing");
  await b.shot(fresh, "panel-failing");
  await fresh.unroute("**/monitoring/**");
  await fresh.click("[role=alert] button");
  await fresh.waitForSelector(".metric-card");
}
