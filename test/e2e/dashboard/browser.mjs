// A Chromium that notes whatever a page must not do.
import { chromium } from "playwright-core";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

// For how long something is waited for, in milliseconds: far above what is needed, since
// a machine that does much else at once may stand still for many seconds.
const patience = 60_000;

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export class Browser {
  faults = [];

  static async open(base, out) {
    const b = new Browser();
    b.base = base;
    b.out = out;
    b.chromium = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
    return b;
  }

  /** A page of its own, with its faults noted under a name. */
  async page(name, { language = "en-US", theme = "light", width = 1300, height = 900, headers, allow = [] } = {}) {
    const context = await this.chromium.newContext({ locale: language, colorScheme: theme, viewport: { width, height }, ...(headers ? { extraHTTPHeaders: headers } : {}) });
    context.setDefaultTimeout(patience);
    await context.addInitScript(() => {
      addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
    });
    const page = await context.newPage();
    const fault = (what) => {
      if (!allow.some((a) => a.test(what))) this.faults.push(`${name}: ${what}`);
    };
    page.on("console", (m) => {
      if (["error", "warning"].includes(m.type())) fault(`${m.type()}: ${m.text()} ${m.location().url}`);
    });
    page.on("pageerror", (e) => fault(`exception: ${e.stack}`));
    page.on("dialog", (d) => {
      fault(`dialog: ${d.message()}`);
      void d.dismiss();
    });
    page.on("request", (r) => {
      const home = process.env.PANEL ? new URL(process.env.PANEL).origin : this.base;
      if (![this.base, home].some((h) => r.url().startsWith(h + "/")) && !r.url().startsWith("data:")) fault(`request to ${r.url()}`);
    });
    page.on("popup", (p) => fault(`popup ${p.url()}`));
    return page;
  }

  /** Goes to an address of the page and waits until its documents have come. */
  async visit(page, hash) {
    await page.goto(this.base + "/" + hash);
    await this.settle(page);
  }

  async settle(page) {
    await page.waitForSelector("main h1, main .trouble, main .notice");
    await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
  }

  /** What axe says against a page; its script comes past the page's policy. */
  async axe(page, name) {
    const session = await page.context().newCDPSession(page);
    const answer = await session.send("Runtime.evaluate", {
      expression: `${axe};axe.run().then((r) => JSON.stringify(r.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.html.slice(0, 160) + " " + n.failureSummary).join(" | "))))`,
      awaitPromise: true,
    });
    if (answer.exceptionDetails) throw new Error(`${name}: axe: ${answer.exceptionDetails.exception?.description ?? answer.exceptionDetails.text}`);
    for (const v of JSON.parse(answer.result.value)) this.faults.push(`${name}: axe: ${v}`);
  }

  async shot(page, name) {
    await page.screenshot({ path: `${this.out}/${name}.png`, fullPage: true });
  }

  expect(holds, what) {
    if (!holds) this.faults.push(what);
  }

  async close() {
    await this.chromium.close();
  }
}

/** Asks until an answer is one that is waited for. */
export async function eventually(what, ask, within = patience) {
  const end = Date.now() + within;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

export async function json(base, path, init) {
  const response = await fetch(base + path, init);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}
