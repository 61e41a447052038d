// The Vercel AI SDK's own telemetry, with its mock models.
import { embed, embedMany, generateObject, generateText, stepCountIs, streamText, tool } from "ai";
import { MockEmbeddingModelV3, MockLanguageModelV3, simulateReadableStream } from "ai/test";
import { z } from "zod";
import { ANSWER, QUESTION, chat, note, versions } from "./ledger.mjs";
import { start } from "./tracing.mjs";

const provider = start();
const experimental_telemetry = { isEnabled: true, functionId: "responder", metadata: { sessionId: "conversa-1" } };
const modelId = "gpt-4o-mini";
const usage = ({ input = 42, output = 12, cached, reasoning } = {}) => ({
  inputTokens: { total: input, noCache: cached === undefined ? input : input - cached, cacheRead: cached, cacheWrite: undefined },
  outputTokens: { total: output, text: reasoning === undefined ? output : output - reasoning, reasoning },
});
const finishReason = (unified) => ({ unified, raw: unified });

function told(step, more = {}) {
  const { input = 42, output = 12, cached, reasoning, fails } = step;
  return note("call", {
    provider: "openai", model: modelId, operation: "chat", outcome: fails ? "failure" : "success",
    ...(fails || more.stream === "aborted" ? {} : { input, output, cache_read: cached, reasoning }), ...more,
  });
}

function model(...steps) {
  const next = () => (steps.length > 1 ? steps.shift() : steps[0]) ?? {};
  return new MockLanguageModelV3({
    modelId, provider: "openai.chat",
    doGenerate: async () => {
      const step = next();
      await told(step);
      if (step.fails) throw new Error("the model is not available");
      return {
        content: step.tool ? [{ type: "tool-call", toolCallId: "call_1", toolName: step.tool, input: '{"valvula":"V-101"}' }]
          : [{ type: "text", text: step.text ?? ANSWER }],
        finishReason: finishReason(step.tool ? "tool-calls" : "stop"), usage: usage(step), warnings: [],
        response: { id: "resp_1", modelId, timestamp: new Date(1767614400000) },
      };
    },
    doStream: async () => {
      const step = next();
      await told(step, { streamed: true, stream: step.breaks ? "aborted" : "completed", ...(step.breaks ? { outcome: "failure" } : {}) });
      const words = ANSWER.split(" ").map((word) => ({ type: "text-delta", id: "t", delta: `${word} ` }));
      const chunks = [
        { type: "stream-start", warnings: [] }, { type: "response-metadata", id: "resp_1", modelId, timestamp: new Date(1767614400000) },
        { type: "text-start", id: "t" }, ...words,
      ];
      chunks.push(...(step.breaks ? [{ type: "error", error: new Error("the stream broke") }]
        : [{ type: "text-end", id: "t" }, { type: "finish", finishReason: finishReason("stop"), usage: usage(step) }]));
      return { stream: simulateReadableStream({ chunks, initialDelayInMs: null, chunkDelayInMs: null }) };
    },
  });
}

const pressao = tool({
  description: "Pressão de abertura", inputSchema: z.object({ valvula: z.string() }),
  execute: async () => {
    await note("tool");
    return "6 bar";
  },
});

const embedder = new MockEmbeddingModelV3({
  modelId: "text-embedding-3-small", provider: "openai.embedding",
  doEmbed: async ({ values }) => {
    await note("embedding", { provider: "openai", model: "text-embedding-3-small", outcome: "success", tokens: 8 * values.length });
    return { embeddings: values.map(() => [0.6, 0.8]), usage: { tokens: 8 * values.length }, warnings: [] };
  },
});

const ask = (m, options) => generateText({ model: m, prompt: QUESTION, experimental_telemetry, maxRetries: 0, ...options });

const conversations = {
  text: () => chat(() => ask(model())),
  cached: () => chat(() => ask(model({ input: 2048, output: 300, cached: 1920, reasoning: 256 }))),
  error: () => chat(() => ask(model({ fails: true })), true),
  tools: () => chat(() => ask(model({ tool: "pressao", input: 100, output: 20 }, { input: 150, output: 30 }),
    { tools: { pressao }, stopWhen: stepCountIs(3) })),
  object: () => chat(() => generateObject({
    model: model({ text: '{"bar":6}' }), schema: z.object({ bar: z.number() }), prompt: QUESTION, experimental_telemetry,
  })),
  stream: () => chat(async () => {
    for await (const _ of streamText({ model: model(), prompt: QUESTION, experimental_telemetry }).textStream);
  }),
  stream_broken: () => chat(async () => {
    let failure;
    const onError = ({ error }) => { failure = error; };
    for await (const _ of streamText({ model: model({ breaks: true }), prompt: QUESTION, experimental_telemetry, onError }).textStream);
    if (failure) throw failure;
  }, true),
  embed: async () => {
    await embed({ model: embedder, value: QUESTION, experimental_telemetry });
    await embedMany({ model: embedder, values: ["válvula", "pressão"], experimental_telemetry });
    await chat(() => ask(model()));
  },
};

await conversations[process.argv[2]]();
await provider.shutdown();
await versions("ai");
