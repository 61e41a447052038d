// The OpenAI client under Traceloop's SDK.
import * as traceloop from "@traceloop/node-server-sdk";
import OpenAI from "openai";
import { FAKE, QUESTION, chat, note, script, versions } from "./ledger.mjs";

traceloop.initialize({
  appName: process.env.OTEL_SERVICE_NAME, baseUrl: FAKE, apiKey: "none", silenceInitializationMessage: true,
  instrumentModules: { openAI: OpenAI }, traceloopSyncEnabled: false,
});
const client = new OpenAI({ apiKey: "none", baseURL: `${FAKE}/openai/v1`, maxRetries: 0 });
const messages = [{ role: "user", content: QUESTION }];
const ask = (options) => client.chat.completions.create({ model: "gpt-4o-mini", messages, ...options });
const drain = async (stream) => { for await (const _ of stream); };

const conversations = {
  plain: () => chat(() => ask()),
  stream: async () => chat(async () => drain(await ask({ stream: true }))),
  stream_usage: async () => chat(async () => drain(await ask({ stream: true, stream_options: { include_usage: true } }))),
  // A failed call by itself leaves nothing at all: the SDK never ends its span.
  error: async () => {
    await script({ status: 500 }, { text: "A 6 bar.", prompt: 42, completion: 12 });
    await chat(() => traceloop.withWorkflow({ name: "responder" }, () => ask().catch(() => ask({ model: "gpt-4o" }))));
  },
  cached: async () => {
    await script({ text: "A 6 bar.", prompt: 2048, completion: 300, cached: 1920, reasoning: 256 });
    await chat(() => ask({ model: "gpt-5-mini" }));
  },
  tools: async () => {
    await script(
      { tools: [{ name: "pressao", arguments: { valvula: "V-101" } }], prompt: 61, completion: 17 },
      { text: "A 6 bar.", prompt: 90, completion: 8 },
    );
    const tool = { type: "function", function: { name: "pressao", parameters: { type: "object", properties: {} } } };
    await chat(() => traceloop.withWorkflow({ name: "responder" }, async () => {
      const first = await ask({ tools: [tool] });
      const result = await traceloop.withTool({ name: "pressao" }, async () => {
        await note("tool");
        return "6 bar";
      });
      const [asked] = first.choices[0].message.tool_calls;
      await ask({ messages: [...messages, first.choices[0].message, { role: "tool", tool_call_id: asked.id, content: result }] });
    }));
  },
};

await conversations[process.argv[2]]();
await traceloop.forceFlush();
await versions("@traceloop/node-server-sdk", "openai");
