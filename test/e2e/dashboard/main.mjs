// Runs one of the walks: node main.mjs WALK BASE OUT. What went wrong is told line by
// line; what was measured goes to stdout as JSON.
import { Browser } from "./browser.mjs";
import * as hostile from "./hostile.mjs";
import * as list from "./list.mjs";
import * as paint from "./paint.mjs";
import * as settings from "./settings.mjs";
import * as words from "./words.mjs";
import * as snippets from "./snippets.mjs";
import * as walks from "./walks.mjs";
import * as ways from "./ways.mjs";

const [name, base, out] = process.argv.slice(2);
const walk = { ...walks, ...hostile, ...list, ...paint, ...words, ...snippets, ...settings, ...ways }[name];
const browser = await Browser.open(base, out);
try {
  const told = await walk(browser);
  if (told) console.log(JSON.stringify(told));
} catch (e) {
  browser.faults.push(e.stack);
} finally {
  await browser.close();
}
for (const f of browser.faults) console.error(f);
process.exitCode = browser.faults.length > 0 ? 1 : 0;
