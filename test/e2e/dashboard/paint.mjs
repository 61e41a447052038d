// How soon the page is painted, and what that waits for.
import { eventually } from "./browser.mjs";

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/**
 * Loads the page again and again in a browser that is warm, with nothing in its cache.
 * Times are told; what is demanded are bytes and requests.
 */
export async function paint(b) {
  const page = await b.page("paint");
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Performance.enable");
  const first = [], shown = [], scripts = [];
  for (let i = 0; i < 12; i++) {
    await session.send("Network.clearBrowserCache");
    await page.goto("about:blank");
    const before = await cpu(session);
    await page.goto(b.base + "/#/overview?range=15m");
    await b.settle(page);
    const at = await eventually("the paint is told", () => page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime));
    const after = await cpu(session);
    if (i < 3) continue; // until it is warm
    first.push(at);
    shown.push(await eventually("the numbers are shown", () => page.evaluate(() => performance.getEntriesByName("treq-shown")[0]?.startTime)));
    scripts.push((after.ScriptDuration - before.ScriptDuration) * 1000);
  }
  const loaded = await page.evaluate(() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .filter((e) => !e.name.includes("/monitoring/") && !e.name.includes("/prometheus/") && !e.name.includes("/readyz"))
    .map((e) => ({ name: new URL(e.name).pathname, kind: e.entryType, blocking: e.renderBlockingStatus ?? "blocking", bytes: e.encodedBodySize, plain: e.decodedBodySize })));
  const critical = loaded.filter((e) => e.kind === "navigation" || e.blocking === "blocking");
  const sum = (list) => list.reduce((n, e) => n + e.bytes, 0);
  b.expect(critical.length === 2, `the first paint waits for ${JSON.stringify(critical)}`);
  b.expect(sum(critical) < 8 << 10, `the first paint waits for ${sum(critical)} bytes`);
  b.expect(sum(loaded) < 80 << 10, `the page is ${sum(loaded)} bytes in all`);
  b.expect(loaded.some((e) => e.name.includes("draw-")), "what draws charts is not asked for beforehand");

  // A second visit asks for nothing that it has.
  const again = await b.page("paint, again");
  await again.goto(b.base + "/#/overview");
  // What draws comes last, and is told of once all of it has come.
  const whole = () => eventually("all of the page has come", async () => {
    const list = await again.evaluate(() => performance.getEntriesByType("resource").filter((e) => /-[A-Z0-9]{8}\.(js|css)$/.test(e.name)).map((e) => [e.name, e.transferSize]));
    return list.length >= 3 && list;
  });
  await b.settle(again);
  await whole();
  await again.goto("about:blank");
  await again.goto(b.base + "/#/overview");
  await b.settle(again);
  const sizes = await whole();
  b.expect(sizes.every(([, n]) => n === 0), `fetched again: ${JSON.stringify(sizes)}`);
  return {
    first_paint_ms: { median: Math.round(median(first)), all: first.map(Math.round) }, numbers_shown_ms: { median: Math.round(median(shown)) },
    script_ms: { median: Math.round(median(scripts)) }, bytes_before_paint: sum(critical), bytes: sum(loaded), requests: loaded.length,
  };
}

async function cpu(session) {
  const { metrics } = await session.send("Performance.getMetrics");
  return Object.fromEntries(metrics.map((m) => [m.name, m.value]));
}

/** The page is painted in the reader's language and theme before its script has run, and without it says where the numbers are. */
export async function shell(b) {
  for (const [language, theme, words] of [["pt-BR", "dark", ["Visão geral", "Execuções", "Carregando…"]], ["en-US", "light", ["Overview", "Runs", "Loading…"]]]) {
    const page = await b.page(`shell ${language}`, { language, theme, allow: [/ERR_FAILED/] });
    await page.route("**/*.js", (route) => route.abort());
    await page.goto(b.base + "/");
    await eventually("the shell is painted", () => page.evaluate(() => performance.getEntriesByName("first-contentful-paint").length > 0));
    const text = await page.innerText("body");
    for (const word of words) b.expect(text.includes(word), `shell ${language}: no ${word} in ${text}`);
    const dark = await page.evaluate(() => getComputedStyle(document.querySelector("header.top")).backgroundColor === "rgb(26, 32, 38)");
    b.expect(dark === (theme === "dark"), `shell ${language}: not ${theme}`);
    await b.axe(page, `shell ${language}`);
    await b.shot(page, `shell-${language}`);
  }
  // The script finds what stands there already: nothing jumps.
  const page = await b.page("shell, then the page", { language: "pt-BR" });
  await page.addInitScript(() => {
    window.shifts = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((e) => (window.shifts += e.sources.some((s) => s.node?.nodeType === 1 && s.node.closest("nav, .brand")) ? e.value : 0))).observe({ type: "layout-shift", buffered: true });
  });
  await page.goto(b.base + "/#/pipeline");
  await b.settle(page);
  b.expect((await page.evaluate(() => window.shifts)) < 0.01, `the way to the pages jumps by ${await page.evaluate(() => window.shifts)}`);
}
