import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { format, parse } from "../src/view";
import { path } from "../src/trend";

test("an address holds the whole view", () => {
  for (const address of [
    "#/overview", "#/runs?service=a+b&q=%3Cb%3E%26x%3D1&outcome=failure&feedback=negative", "#/runs/00000000-0000-0000-1?span=abc",
    "#/models?range=7d&model=llama-3.1%2F8b", "#/runs/a%2Fb%3Fc",
  ]) assert.equal(format(parse(address)), address);
});

test("what an address should not hold is left out", () => {
  for (const address of ["", "#", "#/", "#/none", "#/overview?range=99y", "#/overview?page=runs&run=x", "#/__proto__", "#/overview?__proto__=1"]) {
    assert.equal(format(parse(address)), "#/overview", address);
  }
  assert.equal(parse("#/runs/%E0%A4%A").run, "%E0%A4%A");
});

test("a trend fits its box, whatever its values", () => {
  assert.deepEqual(path([0, 1], 0.5, 90, 22), { line: "0.0,21.0 90.0,1.0", target: 11 });
  assert.deepEqual(path([3, 3], 3, 90, 22), { line: "0.0,11.0 90.0,11.0", target: 11 });
});
