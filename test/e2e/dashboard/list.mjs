// A list of a hundred thousand runs, looked at.
import { eventually, json } from "./browser.mjs";

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Opened, filtered while typing, turned by mouse and keyboard, sorted; what each took is told. */
export async function hundredThousand(b) {
  const { total } = await json(b.base, "/monitoring/runs?limit=1");
  b.expect(total === 100_000, `${total} runs in the list`);
  const page = await b.page("hundred thousand", { language: "pt-BR" });
  const took = {};
  const answers = [];
  page.on("response", async (r) => {
    if (!r.url().includes("/monitoring/runs?")) return;
    await r.finished();
    const t = r.request().timing();
    answers.push(t.responseEnd - t.requestStart);
  });
  const measure = async (name, act, done) => {
    const from = answers.length, began = Date.now();
    await act();
    await eventually(name, done);
    took[name] = { shown_ms: Date.now() - began, answered_ms: answers.slice(from).map((n) => Math.round(n * 10) / 10) };
  };
  const title = () => page.locator("main .card h2").first().textContent();
  const firstName = () => page.locator("tbody tr td").first().textContent();
  const plain = (s) => s.replace(/[\u00a0\u202f]/g, " ");
  const says = (text) => async () => plain((await title()) ?? "").includes(text);

  await measure("open", () => page.goto(b.base + "/#/runs"), async () => (await page.locator("tbody tr").count()) === 100);
  await b.settle(page);
  b.expect(await says("1 a 100 de 100.000")(), `the list says ${await title()}`);
  b.expect((await page.evaluate(() => document.querySelectorAll("*").length)) < 2_500, "the page holds more than it shows");
  await b.axe(page, "hundred thousand");
  await b.shot(page, "list-100000");

  // Filter as one types: each letter at once in the field, the list when the typing rests.
  const search = page.locator("input[type=search]");
  await measure("filter", async () => {
    await search.focus();
    await page.keyboard.type("pergunta 04217", { delay: 30 });
  }, says("1 a 1 de 1"));
  b.expect((await search.inputValue()) === "pergunta 04217", "a letter was lost");
  await b.shot(page, "list-100000-filtered");
  await measure("unfilter", () => search.fill(""), says("de 100.000"));
  await measure("filter by outcome", () => page.selectOption("label:has-text('Resultado') select", "failure"), says("de 1.000"));
  await measure("all outcomes", () => page.selectOption("label:has-text('Resultado') select", ""), says("de 100.000"));

  // Turned with the keyboard alone, and told to who cannot see it.
  const pages = page.getByRole("navigation", { name: "Páginas da lista", exact: true });
  const next = pages.getByRole("button", { name: "Próxima" });
  const back = pages.getByRole("button", { name: "Anterior" });
  b.expect((await back.getAttribute("aria-disabled")) === "true", "one can go back from the first page");
  const seen = new Set(await page.locator("tbody tr a").evaluateAll((links) => links.map((a) => a.href)));
  await next.focus();
  await measure("page 2", () => page.keyboard.press("Enter"), says("101 a 200 de 100.000"));
  b.expect(await page.evaluate(() => document.activeElement.matches(".runs .scroll")), "the list has not the focus after it was turned");
  await eventually("the page is told", async () => (await page.locator("main > [role=status]").allTextContents()).some((s) => plain(s).includes("101 a 200 de 100.000")));
  for (const href of await page.locator("tbody tr a").evaluateAll((links) => links.map((a) => a.href))) b.expect(!seen.has(href), `page 2 repeats ${href}`);
  for (let i = 3; i <= 12; i++) {
    await next.focus();
    await measure(`page ${i}`, () => page.keyboard.press("Enter"), says(`${(i - 1) * 100 + 1} a`.replace(/^(\d)(\d{3})/, "$1.$2")));
    for (const href of await page.locator("tbody tr a").evaluateAll((links) => links.map((a) => a.href))) {
      b.expect(!seen.has(href), `page ${i} repeats ${href}`);
      seen.add(href);
    }
  }
  // An address holds the page; going back leads through them.
  const there = await firstName();
  const other = await b.page("hundred thousand, pasted", { language: "pt-BR" });
  await other.goto(page.url());
  await b.settle(other);
  await eventually("the pasted page", async () => (await other.locator("tbody tr td").first().textContent()) === there);
  await back.focus();
  await measure("page back", () => page.keyboard.press("Enter"), says("1.001 a 1.100"));
  await measure("browser back", () => page.goBack(), says("1.101 a 1.200"));

  // Sorted by the heading's button.
  const heading = page.getByRole("columnheader", { name: /^Custo/ });
  await heading.getByRole("button").focus();
  await measure("sort by cost", () => page.keyboard.press("Enter"), says("1 a 100 de 100.000"));
  await eventually("the heading says so", async () => (await heading.getAttribute("aria-sort")) === "descending");
  const costs = await eventually("the order has come", async () => {
    const { runs } = await json(b.base, "/monitoring/runs?limit=1&sort=cost");
    return (await page.locator("tbody tr a").first().getAttribute("href")).includes(encodeURIComponent(runs[0].run_id));
  });
  b.expect(costs, "the dearest run does not stand first");
  await b.axe(page, "hundred thousand, sorted");
  await b.shot(page, "list-100000-sorted");
  await page.locator("tbody tr a").first().click();
  await page.waitForSelector("[role=treeitem]");

  // On a phone, too.
  const phone = await b.page("hundred thousand, phone", { language: "pt-BR", width: 375, height: 780 });
  await phone.goto(b.base + "/#/runs");
  await b.settle(phone);
  await phone.waitForSelector("tbody tr");
  b.expect(await phone.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), "the list has to be scrolled sideways on a phone");
  await b.axe(phone, "hundred thousand, phone");
  await phone.screenshot({ path: `${b.out}/list-100000-phone.png` });
  return { took, answered_ms: { median: median(answers), most: Math.max(...answers) } };
}
