// The ways between pages, and what stays where it was.
import { eventually, json } from "./browser.mjs";

/** Who opens a run and comes back finds the list as it was; nothing blinks on the way. */
export async function ways(b) {
  await eventually("runs enough to scroll", async () => (await json(b.base, "/monitoring/runs?limit=1&q=chat")).total >= 30);
  const page = await b.page("ways", { width: 1280, height: 500 });
  await b.visit(page, "#/runs?q=chat");
  await page.waitForFunction(() => document.querySelectorAll("tbody tr").length >= 30);
  for (const back of [() => page.goBack(), () => page.click("main a:has-text('All runs')")]) {
    await page.evaluate(() => scrollTo(0, 600));
    const link = page.locator("tbody tr a").nth(20);
    const run = await link.getAttribute("data-run");
    await link.focus();
    const top = await page.evaluate(() => scrollY);
    b.expect(top > 300, `the list is not scrolled: ${top}`);
    await page.keyboard.press("Enter");
    await page.waitForSelector("[role=tree]");
    await eventually("the focus is where the run begins", () => page.evaluate(() => document.activeElement.id === "content"));
    const name = await page.textContent("h1");
    await eventually("the title names the run", async () => (await page.title()).startsWith(`${name} ·`));
    await back();
    await page.waitForSelector("tbody tr");
    await eventually("the run that was open has the focus", () => page.evaluate((id) => document.activeElement.dataset.run === id, run));
    b.expect(Math.abs((await page.evaluate(() => scrollY)) - top) < 2, `the list stood at ${top}, now at ${await page.evaluate(() => scrollY)}`);
    b.expect(page.url().includes("q=chat"), "the filter is lost on the way back");
  }
  // The menu is left with Escape, to where it was opened.
  await page.click("details.menu > summary");
  await page.focus("details.menu select");
  await page.keyboard.press("Escape");
  b.expect(await page.evaluate(() => !document.querySelector("details.menu").open && document.activeElement.tagName === "SUMMARY"), "Escape does not leave the menu");
  // Another range: the numbers before stay until the others have come.
  await b.visit(page, "#/overview?range=15m");
  await page.evaluate(() => {
    window.blinks = 0;
    new MutationObserver(() => (window.blinks += document.querySelector(".figures .figure") ? 0 : 1)).observe(document.body, { childList: true, subtree: true });
  });
  for (const range of ["1h", "6h", "15m"]) {
    await page.selectOption(".bar label:has-text('Time range') select", range);
    await b.settle(page);
  }
  b.expect((await page.evaluate(() => window.blinks)) === 0, "the numbers blink when the range changes");
}

const hex = (n, digits) => n.toString(16).padStart(digits, "0");

/** Of a run of thousands of spans it is said that it is not all; its tree stays in sight, and a key is quick. */
export async function long(b) {
  const now = BigInt(Date.now()) * 1_000_000n - 60_000_000_000n;
  const spans = Array.from({ length: 5000 }, (_, i) => ({
    traceId: "ab".repeat(16), spanId: hex(i + 1, 16), ...(i > 0 ? { parentSpanId: hex(1, 16) } : {}), name: `step ${i}`, kind: 1,
    startTimeUnixNano: String(now + BigInt(i) * 1_000_000n), endTimeUnixNano: String(now + BigInt(i) * 1_000_000n + 5_000_000n),
  }));
  await json(b.base, "/v1/traces", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }) });
  for (const [width, height] of [[1280, 800], [375, 812]]) {
    const page = await b.page(`long ${width}`, { width, height });
    await page.goto(`${b.base}/#/runs/${"ab".repeat(16)}`);
    await page.waitForSelector("[role=treeitem]");
    b.expect((await page.innerText("main")).includes("Only the first 2,000 spans are shown"), "it is not said that spans are left out");
    await page.locator("[role=treeitem]").first().click();
    await page.keyboard.press("End");
    await eventually("the last span is open", () => page.evaluate(() => document.activeElement.getAttribute("aria-selected") === "true" && document.activeElement.textContent.includes("step 1999")));
    const seen = await page.evaluate(() => [".detail .card", "[role=treeitem][aria-selected=true]"].map((s) => document.querySelector(s).getBoundingClientRect()).map((r) => r.top < innerHeight && r.bottom > 0));
    b.expect(seen.every(Boolean), `${width}: the span and what it says are not both in sight: ${seen}`);
    // A key renders the rows that it changes, and no others; a document that comes again
    // as it was renders none.
    await page.evaluate(() => {
      window.changed = new Set();
      const note = (m) => window.changed.add((m.target.closest ? m.target : m.target.parentElement)?.closest("[role=treeitem]")?.textContent);
      new MutationObserver((all) => all.forEach(note)).observe(document.querySelector("[role=tree]"), { attributes: true, childList: true, characterData: true, subtree: true });
    });
    const changed = async (least) => {
      await eventually(`${least} rows have changed`, () => page.evaluate((n) => window.changed.size >= n, least));
      // Whatever else is rendered is rendered by then: a page that is late is late with this, too.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 300)))));
      return page.evaluate(() => {
        const rows = [...window.changed];
        window.changed.clear();
        return rows;
      });
    };
    await page.keyboard.press("ArrowUp");
    const pressed = await changed(2);
    b.expect(pressed.length === 2, `a key changes ${pressed.length} rows: ${pressed.slice(0, 5)}`);
    const again = page.waitForResponse((r) => r.url().includes("/monitoring/runs/"));
    await json(b.base, "/monitoring/chat/metrics?success=true&response_time_ms=1", { method: "POST" });
    await (await again).finished();
    const asked = await changed(0);
    b.expect(asked.length === 0, `what is as it was changes ${asked.length} rows: ${asked.slice(0, 5)}`);
    await b.shot(page, `long-${width}`);
  }
}

/** On paper a dark page is dark on light, whole, and without what is pressed. */
export async function paper(b) {
  const run = await eventually("a run with a model", async () => (await json(b.base, "/monitoring/runs?limit=50")).runs.find((r) => r.spans >= 4));
  const page = await b.page("paper", { theme: "dark", width: 794, height: 1123 });
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  for (const p of ["overview?range=15m", `runs/${run.run_id}`]) {
    await b.visit(page, `#/${p}`);
    const found = await page.evaluate(() => ({
      ground: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.documentElement).color,
      pressed: [...document.querySelectorAll("main button, .top")].filter((e) => e.getBoundingClientRect().height > 0).length,
      cut: [...document.querySelectorAll(".scroll, pre.code, .run > .card")].filter((e) => e.scrollHeight > e.clientHeight + 1 && getComputedStyle(e).overflowY !== "visible").length,
    }));
    b.expect(found.ground === "rgb(255, 255, 255)" && found.ink === "rgb(0, 0, 0)" && found.pressed === 0 && found.cut === 0, `paper ${p}: ${JSON.stringify(found)}`);
    await b.shot(page, `paper-${p.split(/[?/]/)[0]}`);
  }
}
