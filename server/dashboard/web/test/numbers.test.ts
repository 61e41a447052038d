import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Model, Models } from "../src/documents";
import { cost, currency, rate } from "../src/locale";
import { spentOn } from "../src/numbers";

const model = (name: string, kind: string, calls: number, tokens: number, cost_usd: number, unpriced: number) =>
  ({ model: name, kind, calls, tokens: { total: tokens }, cost_usd, unpriced_tokens: unpriced }) as Model;
const models = {
  total: { llm_calls: 7, tokens: 70, cost_usd: 0.5, unpriced_tokens: 5, price_coverage_ratio: 0.9 },
  models: [model("a", "llm", 3, 40, 0.25, 0), model("a", "embedding", 2, 10, 0.05, 5), model("b", "llm", 4, 20, 0.2, 0)],
} as Models;

test("what is spent on a model is of all kinds of its calls", () => {
  assert.deepEqual(spentOn(models, ""), { calls: 7, tokens: 70, cost_usd: 0.5, unpriced: 5, coverage: 0.9 });
  assert.deepEqual(spentOn(models, "a"), { calls: 5, tokens: 50, cost_usd: 0.3, unpriced: 5, coverage: 0.9 });
  assert.deepEqual(spentOn(models, "nobody"), { calls: 0, tokens: 0, cost_usd: 0, unpriced: 0, coverage: null });
});

test("costs are shown in the currency of the service", () => {
  currency.value = { code: "BRL", rate: 5.5 };
  assert.equal(cost(2).replace(/\s/g, ""), "R$11.00");
  currency.value = { code: "USD", rate: 1 };
  assert.equal(cost(2), "US$2.00");
  assert.equal(cost(null), "–");
});

test("a rate has no digits that say nothing", () => {
  assert.deepEqual([0, 0.25, 10.94, 427.9, 1000].map(rate), ["0", "0.3", "10.9", "428", "1,000"]);
});
