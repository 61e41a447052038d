import assert from "node:assert/strict";
import { test } from "node:test";
import { documentsOf, messagesOf } from "../src/messages";

test("messages of every dialect", () => {
  const want = [{ role: "user", text: "Oi" }];
  for (const [name, value] of Object.entries({
    openai: { messages: [{ role: "user", content: "Oi" }] },
    parts: [{ role: "user", parts: [{ type: "text", content: "Oi" }] }],
    langchain: [{ lc: 1, type: "constructor", id: ["langchain", "schema", "messages", "HumanMessage"], kwargs: { content: "Oi" } }],
    nested: { input: { messages: [[{ type: "human", content: "Oi" }]] } },
    choices: { choices: [{ message: { role: "user", content: "Oi" } }] },
  })) assert.deepEqual(messagesOf(JSON.stringify(value)), want, name);
});

test("calls of tools and reasoning stand as what they are", () => {
  assert.deepEqual(messagesOf(JSON.stringify({
    role: "assistant", content: [{ type: "reasoning", content: "hm" }, { type: "text", text: "Já vejo" }],
    tool_calls: [{ function: { name: "search", arguments: "{\"q\":1}" } }],
  })), [
    { role: "thinking", text: "hm" }, { role: "assistant", text: "Já vejo" }, { role: "assistant", text: "{\"q\":1}", call: "search" },
  ]);
});

test("what is no message stays text", () => {
  for (const text of ["", "plain", "{", "[1,2]", "{\"a\":1}", "null", "<b>", "[".repeat(5000)]) assert.equal(messagesOf(text), null, text.slice(0, 20));
});

test("a content without end is bounded", () => {
  const many = messagesOf(JSON.stringify(Array.from({ length: 5000 }, () => ({ role: "user", content: "x" }))));
  assert.ok(many !== null && many.length <= 501);
});

test("documents with and without scores", () => {
  assert.deepEqual(documentsOf(JSON.stringify([{ id: "a", score: 0.5, content: "x" }, { page_content: "y", metadata: { source: "b", score: 0.25 } }, { id: 1, content: "z" }])), [
    { id: "a", text: "x", score: 0.5 }, { id: "b", text: "y", score: 0.25 }, { id: "1", text: "z", score: null },
  ]);
  for (const text of ["", "[]", "[1]", "{}", "null", "[{}]", "{\"documents\":3}"]) assert.equal(documentsOf(text), null, text);
});
