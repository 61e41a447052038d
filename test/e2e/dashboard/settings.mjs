// What the page takes from the service it stands before: its targets, its currency,
// whether it keeps a history, whether it asks for a token.
import { eventually, json } from "./browser.mjs";

const post = (base, path, parameters) => json(base, `${path}?${new URLSearchParams(parameters)}`, { method: "POST" });

/** Targets are those of the service's objectives, and costs are in its currency. */
export async function settings(b) {
  for (let i = 0; i < 5; i++) {
    await post(b.base, "/monitoring/rag/metrics", { search_time_ms: 45, similarity_score: 0.3, data_source: "web" });
    await post(b.base, "/monitoring/rag/metrics", { search_time_ms: 45, similarity_score: 0, num_results: 0, data_source: "manuais" });
    await post(b.base, "/monitoring/llm/metrics", { model: "modelo-x", tokens: 100, latency_ms: 900 });
  }
  await eventually("the targets have values", async () => (await json(b.base, "/monitoring/kpis")).kpis.some((k) => k.value !== null), 60_000);
  const page = await b.page("settings", { language: "pt-BR", width: 1280, allow: [/net::ERR_FAILED/] });
  await b.visit(page, "#/overview?range=15m");
  const card = (title) => page.locator("main .card", { has: page.getByRole("heading", { name: title, exact: true }) });
  const says = (locator, text) => eventually(`${text} in ${title(locator)}`, async () => (await locator.innerText()).replace(/\s+/g, " ").includes(text));
  const title = (locator) => String(locator);
  await says(card("Tempo do chat"), "meta 321 ms");
  await says(card("Distribuição dos modelos"), "meta 77%");
  await says(page.locator(".figures"), "R$");
  await says(card("Custo por hora"), "R$");
  b.expect(!(await page.innerText("main")).includes("US$"), "dollars beside the service's currency");
  // The model of another page's filter can be seen here, and taken away.
  const tokens = () => page.locator(".figure", { hasText: "Tokens" }).first().locator("dd").evaluate((e) => e.firstChild.textContent);
  const all = await tokens();
  await page.selectOption(".bar label:has-text('Modelo') select", "modelo-x");
  await eventually("the tokens are of one model", async () => (await tokens()) === "500" && all !== "500");
  b.expect(page.url().includes("model=modelo-x"), "the model is not in the address");
  await b.axe(page, "overview of a model");
  // By data source: each on its own line, or one alone.
  await b.visit(page, "#/rag?range=15m");
  await says(card("Similaridade dos documentos encontrados"), "meta 0,88");
  await says(card("Buscas sem resultado"), "manuais 100%");
  await says(card("Buscas abaixo do limiar"), "web 100%");
  await page.selectOption("label:has-text('Fonte de dados') select", "web");
  await eventually("one data source is left", async () => {
    const legend = await card("Buscas por minuto").locator(".legend").innerText();
    return legend.includes("web") && !legend.includes("manuais");
  });
  b.expect(page.url().includes("source=web"), "the data source is not in the address");
  await b.axe(page, "rag of a data source");
  await b.shot(page, "settings-rag");
  // Tokens of which only the sum was told are in the table.
  await b.visit(page, "#/models?range=15m");
  await says(page.locator("tr", { hasText: "modelo-x" }), "500");
  // A service that goes away is not called healthy.
  await page.route("**/monitoring/**", (route) => route.abort());
  await page.route("**/prometheus/**", (route) => route.abort());
  await eventually("the page tells that nobody answers", async () => (await page.innerText("header")).includes("sem resposta"));
}

/** Without a history there are numbers all the same, and who gives a wrong token is told so. */
export async function bare(b) {
  const page = await b.page("bare", { language: "pt-BR", allow: [/status of 4(01|04|22)/] });
  const headers = { Authorization: "Bearer sender-token" };
  await json(b.base, "/monitoring/chat/metrics?success=true&response_time_ms=500", { method: "POST", headers });
  for (const p of ["start", "overview"]) {
    await b.visit(page, `#/${p}`);
    await page.waitForSelector(".trouble input[type=password]");
  }
  await page.fill("input[type=password]", "nobody's");
  await page.click(".trouble button");
  await page.waitForSelector(".trouble [role=alert]:has-text('não é aceito')");
  await b.axe(page, "wrong token");
  await page.fill("input[type=password]", "reader-token");
  await page.click(".trouble button");
  await page.waitForSelector(".figures .figure");
  b.expect((await page.locator(".trouble").count()) === 0, `bare: ${await page.innerText("main")}`);
  await eventually("chats are shown", async () => Number.parseInt(await page.locator(".figure dd").first().innerText()) > 0);
  for (const p of ["rag", "models"]) {
    await b.visit(page, `#/${p}`);
    await page.waitForSelector(".figures .figure");
    b.expect((await page.locator(".trouble").count()) === 0, `bare ${p}: ${await page.innerText("main")}`);
  }
  // What is copied for the shell asks with the reader's token, without holding it.
  const { runs } = await json(b.base, "/monitoring/runs?limit=1", { headers: { Authorization: "Bearer reader-token" } });
  if (runs.length > 0) {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await b.visit(page, `#/runs/${runs[0].run_id}`);
    await page.getByRole("button", { name: "Copiar como curl" }).click();
    const copied = await eventually("something was copied", () => page.evaluate(() => navigator.clipboard.readText()));
    b.expect(copied.includes('-H "Authorization: Bearer $TREQ_API_TOKEN"') && !copied.includes("reader-token"), `copied: ${copied}`);
  } else b.expect(false, "bare: no run");
}
