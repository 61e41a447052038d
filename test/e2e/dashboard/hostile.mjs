// Hostile values in every field that a caller controls: nothing of them runs.
import { readFile } from "node:fs/promises";
import { eventually, json } from "./browser.mjs";

const values = JSON.parse(await readFile(new URL("hostile.json", import.meta.url), "utf8"));

const post = (base, path, body) => fetch(base + path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

const hex = (n, digits) => n.toString(16).padStart(digits, "0");
const text = (v) => ({ stringValue: v });

// A chat with a search and a model call, the value in every field of each.
function trace(value, i, now) {
  const spanOf = (n, parent, name, attributes, more = {}) => ({
    traceId: hex(0xabc0000 + i, 32), spanId: hex((i + 1) * 16 + n, 16), ...(parent ? { parentSpanId: hex((i + 1) * 16 + parent, 16) } : {}),
    name, kind: n === 1 ? 2 : 3, startTimeUnixNano: String(now + BigInt(n) * 1_000_000n), endTimeUnixNano: String(now + 100_000_000n),
    attributes: [...Object.entries(attributes).map(([key, v]) => ({ key, value: v })), { key: value, value: text(value) }],
    status: { code: 2, message: value },
    events: [{ name: "exception", timeUnixNano: String(now), attributes: [{ key: "exception.type", value: text(value) }, { key: "exception.message", value: text(value) }, { key: "exception.stacktrace", value: text(value) }] }],
    ...more,
  });
  const message = JSON.stringify([{ role: value, parts: [{ type: "text", content: value }, { type: "tool_call", name: value, arguments: value }] }]);
  return {
    resource: { attributes: [{ key: "service.name", value: text(value) }] },
    scopeSpans: [{
      scope: { name: value },
      spans: [
        spanOf(1, 0, value, { "http.route": text("/chat"), "http.request.method": text("POST"), "user.id": text(value), "session.id": text(value), "error.type": text(value) }),
        spanOf(2, 1, value, { "gen_ai.operation.name": text("retrieval"), "gen_ai.data_source.id": text(value), "gen_ai.retrieval.query.text": text(value), "db.query.text": text(value), "gen_ai.retrieval.documents": text(JSON.stringify([{ id: value, score: 0.2, content: value }])) }),
        spanOf(3, 1, value, {
          "gen_ai.operation.name": text("chat"), "gen_ai.provider.name": text(value), "gen_ai.request.model": text(value), "gen_ai.response.model": text(value),
          "gen_ai.input.messages": text(message), "gen_ai.output.messages": text(message), "gen_ai.tool.name": text(value), "error.type": text(value),
          "gen_ai.usage.input_tokens": { intValue: "10" }, "gen_ai.usage.output_tokens": { intValue: "5" },
        }),
      ],
    }],
  };
}

export async function hostile(b) {
  b.expect(values.length >= 200, `${values.length} hostile values`);
  const now = BigInt(Date.now()) * 1_000_000n - 1_000_000_000n;
  for (let i = 0; i < values.length; i += 25) {
    const response = await post(b.base, "/v1/traces", { resourceSpans: values.slice(i, i + 25).map((v, j) => trace(v, i + j, now)) });
    if (!response.ok) throw new Error(`traces: ${response.status} ${await response.text()}`);
  }
  for (const [i, v] of values.entries()) {
    const model = new URLSearchParams({ model: v, provider: v, service: v, tokens: "10", latency_ms: "9000" });
    await fetch(`${b.base}/monitoring/llm/metrics?${model}`, { method: "POST" });
    await post(b.base, "/monitoring/feedback", { run_id: hex(0xabc0000 + i, 32), key: i % 2 ? "user-score" : v.slice(0, 40), score: 0, comment: v });
  }
  // An alert that has a value for a label.
  await eventually("an alert with a hostile label fires", async () => {
    const { alerts } = await json(b.base, "/monitoring/alerts");
    return alerts.some((a) => a.instances.some((x) => x.state === "firing" && values.includes(x.labels.gen_ai_response_model)));
  }, 60_000);
  await eventually("the runs are listed", async () => (await json(b.base, "/monitoring/runs?limit=200")).runs.length >= 200, 60_000);

  // A filter of an address that is longer than the service takes is refused, and the page says so.
  const page = await b.page("hostile", { allow: [/status of 422 .*monitoring\/runs\?/] });
  for (const p of ["overview", "rag", "models", "runs", "pipeline", "start"]) {
    await b.visit(page, `#/${p}?range=15m`);
    await clean(b, page, p);
    if (p === "overview") await page.locator("main details > summary").last().click();
    await b.shot(page, `hostile-${p}`);
  }
  for (const [i, v] of values.entries()) {
    const id = hex(0xabc0000 + i, 32);
    await page.evaluate((to) => (location.hash = to), `#/runs/${id}?span=${hex((i + 1) * 16 + 1 + (i % 3), 16)}`);
    await page.waitForFunction((want) => document.querySelector("[role=tree]") && location.hash.includes(want) && document.querySelectorAll("[role=treeitem]").length >= 3, id);
    if (i % 20 === 0) await page.waitForSelector(".detail .card");
    await clean(b, page, `run of ${JSON.stringify(v.slice(0, 60))}`);
  }
  await b.shot(page, "hostile-run");
  // Through the address, too.
  for (const v of values) {
    await page.evaluate((to) => (location.hash = to), `#/runs?q=${encodeURIComponent(v)}&service=${encodeURIComponent(v)}&model=${encodeURIComponent(v)}`);
  }
  for (const v of values.slice(0, 40)) await page.evaluate((to) => (location.hash = to), v);
  await b.settle(page);
  await clean(b, page, "addresses");
}

// The page holds its own script and picture, and nothing that content made.
async function clean(b, page, where) {
  const found = await page.evaluate(() => ({
    hit: "hit" in window,
    made: [...document.querySelectorAll("script, img, image, iframe, object, embed, link, style, base, meta, video, audio, form, marquee, template")]
      .map((e) => e.outerHTML).filter((h) => !/^<(script type="module" src="assets|img src="assets|link rel="(icon|stylesheet|modulepreload)" href="assets|meta (charset|name="(viewport|color-scheme)"))/.test(h)),
    handlers: [...document.querySelectorAll("*")].flatMap((e) => [...e.attributes].filter((a) => a.name.startsWith("on") || /^\s*javascript:/i.test(a.value) && a.name === "href").map((a) => e.tagName + " " + a.name)),
  }));
  b.expect(!found.hit && found.made.length === 0 && found.handlers.length === 0, `hostile, ${where}: ${JSON.stringify(found)}`);
}
