import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { english } from "../src/english";
import { bytes, count, decimal, instant, language, milliseconds, money, percent, preferred, region, seconds, setLanguage, short, t, whole, word } from "../src/locale";
import { portuguese } from "../src/portuguese";

const plain = (s: string) => s.replace(/[\u00a0\u202f]/g, " ");

test("the first of the browser's languages that is spoken here", () => {
  assert.equal(preferred(["de-DE", "pt", "en"]), "pt-BR");
  assert.equal(preferred(["de", "en-GB"]), "en");
  assert.equal(preferred(["de"]), "en");
  assert.equal(preferred([]), "en");
});

test("numbers as the reader writes them", () => {
  setLanguage("pt-BR");
  assert.deepEqual([whole(1234567), decimal(0.5), percent(0.125), short(37_700), money(1234.5), milliseconds(850), milliseconds(1500), bytes(1536)].map(plain),
    ["1.234.567", "0,50", "12,5%", "37,7 mil", "US$ 1.234,50", "850 ms", "1,5 s", "1,5 KiB"]);
  setLanguage("en");
  assert.equal(region.value, "en-GB");
  assert.deepEqual([whole(1234567), decimal(0.5), percent(0.125), money(0.0042), money(0.000059), money(0.67256), money(0), seconds(90), seconds(7200)].map(plain),
    ["1,234,567", "0.50", "12.5%", "US$0.0042", "US$0.000059", "US$0.673", "US$0.00", "2 min", "2 h"]);
});

test("what is not there is a dash, and no number", () => {
  for (const f of [whole, decimal, short, percent, money, milliseconds, seconds, bytes]) for (const v of [null, undefined, NaN]) assert.equal(f(v), "–");
});

test("times without a zone are UTC", () => {
  assert.equal(instant("2026-01-05T12:00:00")?.toISOString(), "2026-01-05T12:00:00.000Z");
  assert.equal(instant("2026-01-05T12:00:00-03:00")?.toISOString(), "2026-01-05T15:00:00.000Z");
  assert.equal(instant("never"), null);
});

test("texts of both languages have the same places", () => {
  const places = (s: string) => [...s.matchAll(/\{\w+\}/g)].map((m) => m[0]).sort();
  for (const [key, text] of Object.entries(english)) assert.deepEqual(places(portuguese[key as keyof typeof english]), places(text), key);
  language.value = "en";
  assert.equal(t("sample.other", { n: "$& {n}" }), "$& {n} samples");
  assert.deepEqual([0, 1, 2].map((n) => count("chat", n)), ["0 chats", "1 chat", "2 chats"]);
  assert.equal(word("state.", "unheard of"), "unheard of");
});
