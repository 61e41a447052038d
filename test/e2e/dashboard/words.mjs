// Every page in Portuguese, with data of every kind: no English of ours is left.
import { readdir, readFile } from "node:fs/promises";
import { eventually, json } from "./browser.mjs";

const root = new URL("../../../", import.meta.url);
const web = new URL("server/dashboard/web/", root);

const post = (base, path, body, type = "application/json") => fetch(base + path, { method: "POST", headers: { "Content-Type": type }, body });

// What real clients sent, and what only a broken one would.
async function fill(base) {
  const cases = new URL("test/recorded/cases/", root);
  for (const name of await readdir(cases)) {
    for (const file of await readdir(new URL(`${name}/`, cases)).catch(() => [])) {
      if (!/^request-.*\.json$/.test(file)) continue;
      const body = await readFile(new URL(`${name}/${file}`, cases), "utf8");
      const path = body.includes('"resourceSpans"') ? "/v1/traces" : body.includes('"resourceLogs"') ? "/v1/logs" : "/v1/metrics";
      const response = await post(base, path, body);
      if (!response.ok) throw new Error(`${name}: ${response.status}`);
      // The same, told in other bytes: its spans came before.
      if (name.startsWith("openai-oi")) await post(base, path, body.trimEnd() + " ");
    }
  }
  const now = BigInt(Date.now()) * 1_000_000n;
  const span = (n, parent, name, from, to, attributes, more = {}) => ({
    traceId: "f".repeat(31) + "1", spanId: `00000000000000${n}`, ...(parent ? { parentSpanId: `00000000000000${parent}` } : {}), name, kind: 3,
    startTimeUnixNano: String(from), endTimeUnixNano: String(to), attributes: Object.entries(attributes).map(([key, value]) => ({ key, value })), ...more,
  });
  const text = (stringValue) => ({ stringValue });
  const call = { "gen_ai.operation.name": text("chat"), "gen_ai.request.model": text("modelo-sem-preço"), "gen_ai.usage.input_tokens": { intValue: "-5" }, "gen_ai.response.finish_reasons": text("stop") };
  await post(base, "/v1/traces", JSON.stringify({ resourceSpans: [{ resource: { attributes: [{ key: "service.name", value: text("quebrado") }] }, scopeSpans: [{ spans: [
    span("a1", "", "pergunta", now - 3_000_000_000n, now, { "http.route": text("/chat") }, { kind: 2 }),
    span("a2", "a1", "ao contrário", now, now - 1_000_000n, call),
    span("a3", "a1", "sem hora", 0n, 0n, call),
    span("a4", "a1", "falha", now - 2_000_000_000n, now - 1_000_000n, { ...call, "error.type": text("TempoEsgotado") }, {
      status: { code: 2, message: "sem resposta" }, events: [{ name: "exception", timeUnixNano: String(now), attributes: [{ key: "exception.stacktrace", value: text("linha 1\nlinha 2") }] }],
    }),
  ] }] }] }));
  for (const [path, body, type] of [["/v1/traces", "{", undefined], ["/v1/traces", "x", "text/plain"], ["/v1/traces", "\xff\xff", "application/x-protobuf"]]) await post(base, path, body, type);
  for (let i = 0; i < 6; i++) {
    await fetch(`${base}/monitoring/chat/metrics?success=false&response_time_ms=9000`, { method: "POST" });
    await fetch(`${base}/monitoring/rag/metrics?search_time_ms=10&num_results=2&similarity_score=0.1`, { method: "POST" });
  }
}

// The page's own English, and the service's; what both languages spell alike is no sign.
async function english() {
  const read = (name) => readFile(new URL(name, web), "utf8");
  const pairs = (text) => new Map([...text.matchAll(/^ {2}("[^"]+"): ("(?:[^"\\]|\\.)*"),$/gm)].map((m) => [JSON.parse(m[1]), JSON.parse(m[2])]));
  const [en, pt] = [pairs(await read("src/english.ts")), pairs(await read("src/portuguese.ts"))];
  const both = [...(await read("src/says.ts")).matchAll(/^ {2}"[^"]+": \["(.*?)", "(.*?)"\],$/gm)].map((m) => [m[1], m[2]]);
  const portuguese = new Set([...pt.values(), ...both.map((b) => b[1])]);
  const words = [...[...en.values()], ...both.map((b) => b[0])].filter((w) => !portuguese.has(w) && !w.includes("{"));
  // Of a text with places, the longest piece between them.
  const pieces = (w) => w.split(/\{\w+\}|%\w/).map((s) => s.trim()).sort((a, b) => b.length - a.length)[0];
  const { sentences, faults } = JSON.parse(await read("test/sentences.json"));
  const objectives = [...(await readFile(new URL("telemetry/objective/builtin.yaml", root), "utf8")).matchAll(/ en: ([^},\n]{6,})/g)].map((m) => m[1].trim());
  const inside = [...sentences, ...faults, ...[...en.values()].filter((w) => w.includes("{")), ...both.map((b) => b[0]).filter((w) => w.includes("{")), ...objectives].map(pieces)
    .filter((s) => s.length >= 6 && s.includes(" ") && ![...portuguese].some((p) => p.includes(s)));
  return { words, inside };
}

const content = ".mono, pre, .text, .raw, [lang=en], select, nav.top";

export async function portuguese(b) {
  const { words, inside } = await english();
  b.expect(words.length > 250 && inside.length > 30, `${words.length} words and ${inside.length} sentences`);
  await fill(b.base);
  await eventually("an alert fires", async () => {
    await fetch(`${b.base}/monitoring/chat/metrics?success=false&response_time_ms=9000`, { method: "POST" });
    return ((await json(b.base, "/monitoring/alerts")).firing?.total ?? Object.values((await json(b.base, "/monitoring/alerts")).firing).reduce((a, n) => a + n, 0)) > 0;
  }, 60_000);
  await eventually("a receiver has failed", async () => (await json(b.base, "/monitoring/alerts")).receivers.some((r) => r.last_error), 60_000);
  await eventually("both sinks have failed", async () => (await json(b.base, "/monitoring/sinks")).sinks.every((s) => s.last_error), 60_000);

  const page = await b.page("portuguese", { language: "pt-BR", width: 1280 });
  const found = new Set();
  const look = async (where) => {
    const hits = await page.evaluate(({ words, inside, content }) => {
      const known = new Set(words);
      const out = [];
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (texts.nextNode()) {
        const text = texts.currentNode.data.trim().replace(/[\u00a0\u202f]/g, " ");
        if (text === "" || texts.currentNode.parentElement.closest(content)) continue;
        if (known.has(text)) out.push(text);
        for (const s of inside) if (text.includes(s)) out.push(`${s} (in ${text})`);
      }
      for (const e of document.querySelectorAll("[aria-label], [title], [placeholder]")) {
        for (const name of ["aria-label", "title", "placeholder"]) if (known.has(e.getAttribute(name))) out.push(`${name}: ${e.getAttribute(name)}`);
      }
      return out;
    }, { words, inside, content });
    for (const h of hits) if (!found.has(h)) b.expect(false, `${where}: ${h}`), found.add(h);
  };
  for (const p of ["overview", "rag", "models", "runs", "pipeline", "start"]) {
    await b.visit(page, `#/${p}?range=15m`);
    await page.evaluate(() => document.querySelectorAll("main details").forEach((d) => (d.open = true)));
    await look(p);
    await b.axe(page, `portuguese ${p}`);
    await b.shot(page, `words-${p}`);
  }
  // Every run, and in each the spans that are counted or not for a reason that was not seen yet.
  const reasons = new Set();
  for (let next = ""; ;) {
    const list = await json(b.base, `/monitoring/runs?limit=200${next && `&cursor=${encodeURIComponent(next)}`}`);
    for (const r of list.runs) {
      const run = await json(b.base, `/monitoring/runs/${encodeURIComponent(r.run_id)}?explain=1`);
      const spans = [];
      const visit = (tree) => tree.forEach((s) => (spans.push(s), visit(s.children)));
      visit(run.tree);
      for (const s of spans) {
        const is = `${s.explanation?.disposition} ${s.explanation?.reason} ${s.kind} ${s.outcome}`;
        if (reasons.has(is)) continue;
        reasons.add(is);
        await page.evaluate((to) => (location.hash = to), `#/runs/${encodeURIComponent(r.run_id)}?span=${s.span_id}`);
        await page.waitForFunction((id) => document.querySelector(".detail .facts")?.textContent.includes(id), s.span_id);
        await look(`run with ${is}`);
        if (reasons.size % 12 === 0) await b.shot(page, `words-run-${reasons.size}`);
      }
    }
    if (!(next = list.next)) break;
  }
  const seen = [...reasons].map((r) => r.split(" ")[1]);
  for (const r of ["chat", "llm_call", "embedding", "retrieval", "rerank", "tool", "inside", "inner_search", "wrapper", "time"]) b.expect(seen.includes(r), `no span with the reason ${r} was looked at: ${[...new Set(seen)]}`);
  // What goes wrong is said in Portuguese, too.
  const strict = await b.page("portuguese, refused", { language: "pt-BR", allow: [/status of 4/] });
  await strict.goto(`${b.base}/#/runs?q=${"x".repeat(3000)}`);
  await strict.waitForSelector(".trouble");
  b.expect((await strict.innerText(".trouble .says")).startsWith("Um dos valores não é possível."), `a refusal says ${await strict.innerText(".trouble")}`);
  await b.shot(strict, "words-refused");
  return { reasons: reasons.size };
}
