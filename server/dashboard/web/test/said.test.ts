import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../src/fetching";
import { setLanguage } from "../src/locale";
import { became, code, fault, problem, say, sentence, why } from "../src/said";
import { says } from "../src/says";
import sentences from "./sentences.json";

// A sentence as the service would say it, its places filled.
const filled = (s: string) => s.replace(/%d/g, "401").replace(/%v/g, "[alpha beta]").replace(/%s|%q/g, "xyz");

test("every sentence of the service has a translation", () => {
  for (const language of ["pt-BR", "en"] as const) {
    setLanguage(language);
    for (const s of sentences.sentences) assert.ok(sentence(filled(s)) !== say("said.other"), s);
    for (const s of sentences.faults) assert.ok(fault(filled(s)) !== say("fault.other"), s);
  }
  setLanguage("pt-BR");
  assert.equal(sentence("sinks do not get on: [um dois]"), "Estes destinos não avançam: um, dois.");
  assert.equal(sentence("replay: the journal is being replayed: 2048 bytes to go").replace(/\s/g, " "), "O diário está sendo relido: faltam 2 KiB.");
});

test("what sinks and receivers answer is said by its status", () => {
  setLanguage("pt-BR");
  for (const [text, key] of [
    ["HTTP 401 Unauthorized: invalid key", "fault.key"], ["HTTP 404 Not Found", "fault.address"], ["HTTP 503 Service Unavailable: 401", "fault.down"],
    ["429 Too Many Requests", "fault.busy"], ["HTTP 422 Unprocessable Entity: x", "fault.content"], ["HTTP 413 Request Entity Too Large", "fault.large"],
    ["308: redirects are not followed; write the final URL into the settings", "fault.address"], ["the mail server answered 535", "fault.key"], ["the mail server answered 451", "fault.busy"],
    ["Post \"http://x\": dial tcp 127.0.0.1:1: connect: connection refused", "fault.unreachable"], ["dial tcp: lookup nowhere: no such host", "fault.name"],
    ["context deadline exceeded (Client.Timeout exceeded while awaiting headers)", "fault.slow"], ["tls: failed to verify certificate: x509: unknown authority", "fault.certificate"],
    ["rpc error: code = Unauthenticated desc = no", "fault.key"], ["the sink rejected 3 spans: too old", "fault.partial"], ["anything", "fault.other"],
  ] as const) assert.equal(fault(text), say(key), text);
});

test("problems are said by their status, whatever their words", () => {
  setLanguage("pt-BR");
  assert.equal(problem(new Problem(422, "q is longer than 1000 bytes")), "Um dos valores não é possível.");
  assert.equal(problem(new Problem(418, "teapot")), say("problem.400"));
  assert.equal(problem(new Problem(599, "x")), say("problem.500"));
  assert.equal(problem(new Problem(0, "O serviço não responde.")), "O serviço não responde.");
});

test("why a span counted is said by its reason", () => {
  setLanguage("pt-BR");
  assert.equal(why({ disposition: "recorded", reason: "chat", why: "x" }), "É a pergunta de um usuário: um chat.");
  assert.equal(why({ disposition: "folded", reason: "inside", why: "x", chat_span_id: "1" }), say("why.inside.chat"));
  assert.equal(why({ disposition: "folded", reason: "of a newer service", why: "It says so." }), "It says so.");
  assert.equal(became("recorded", "tool"), "chamada de ferramenta");
  assert.equal(became("rejected", "tokens"), "tokens impossíveis");
  assert.equal(became("folded", "double"), say("why.double"));
  assert.equal(code("state", "unheard of"), "unheard of");
  assert.equal(code("state", "toString"), "toString");
});

test("both languages have the same places, and other words", () => {
  const places = (s: string) => [...s.matchAll(/\{\w+\}/g)].map((m) => m[0]).sort();
  for (const [key, [english, portuguese]] of Object.entries(says)) {
    assert.deepEqual(places(portuguese), places(english), key);
    assert.ok(!english.includes(" ") || english !== portuguese || /OTLP/.test(english), key);
  }
});
