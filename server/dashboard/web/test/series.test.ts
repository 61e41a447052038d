import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { align, lines, type History } from "../src/series";

const history = (start: string, values: (number | null)[]): History => ({ metric: "m", unit: "", about: "", start, end: "", step_seconds: 4, series: [{ values }] });

test("documents that were answered in different seconds stand on the same steps", () => {
  const [a] = lines(history("2026-11-23T14:08:56Z", [1, 2, 3]));
  const [b] = lines(history("2026-11-23T14:08:57Z", [4, 5, 6]));
  const [times, first, second] = align([a!, b!]);
  assert.equal(times.length, 3);
  assert.deepEqual([first, second], [[1, 2, 3], [4, 5, 6]]);
});

test("a value keeps its time to within half a step", () => {
  for (const second of ["56", "57", "58", "59"]) {
    const start = `2026-11-23T14:08:${second}Z`;
    const [line] = lines(history(start, [1]));
    assert.ok(Math.abs(line!.points[0]![0] - Date.parse(start) / 1000) <= 2);
  }
});
