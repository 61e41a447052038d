// LangChain with a fake model and a store in memory, traced by OpenInference (oi)
// or by the LangSmith SDK (langsmith; the environment says how runs leave).
import * as callbackManagers from "@langchain/core/callbacks/manager";
import { Document } from "@langchain/core/documents";
import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { AIMessage, AIMessageChunk } from "@langchain/core/messages";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatGenerationChunk } from "@langchain/core/outputs";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { BaseRetriever } from "@langchain/core/retrievers";
import { RunnablePassthrough } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { z } from "zod";
import { ANSWER, QUESTION, chat, note, searched, versions } from "./ledger.mjs";

const [family, conversation] = process.argv.slice(2);
const packages = ["@langchain/core"];
const config = {};
let finish;
let inside = (work) => work();
if (family === "oi") {
  const { LangChainInstrumentation } = await import("@arizeai/openinference-instrumentation-langchain");
  const { start } = await import("./tracing.mjs");
  const provider = start();
  const instrumentation = new LangChainInstrumentation({ tracerProvider: provider });
  instrumentation.manuallyInstrument(callbackManagers);
  packages.push("@arizeai/openinference-instrumentation-langchain");
  finish = () => provider.shutdown();
} else {
  const { Client } = await import("langsmith");
  const { LangChainTracer } = await import("@langchain/core/tracers/tracer_langchain");
  const { awaitAllCallbacks } = await import("@langchain/core/callbacks/promises");
  const client = new Client();
  if (process.env.LANGSMITH_TRACING_MODE === "otel") {
    // In this mode the SDK traces LangChain only inside a function of its own.
    const { initializeOTEL } = await import("langsmith/experimental/otel/setup");
    const { traceable } = await import("langsmith/traceable");
    initializeOTEL();
    inside = (work) => traceable(work, { name: "chat_endpoint", run_type: "chain", client })();
  }
  config.callbacks = [new LangChainTracer({ client })];
  finish = async () => {
    await awaitAllCallbacks();
    await client.awaitPendingTraceBatches();
  };
  packages.push("langsmith");
}

class FakeChat extends BaseChatModel {
  constructor(steps = [{}]) {
    super({ maxRetries: 0 });
    this.steps = steps;
  }

  _llmType() {
    return "fake-chat";
  }

  getLsParams() {
    return { ls_provider: "groq", ls_model_name: "llama-3.1-8b-instant", ls_model_type: "chat" };
  }

  bindTools(tools) {
    return this.withConfig({ tools });
  }

  next() {
    return { text: ANSWER, input: 42, output: 12, ...(this.steps.length > 1 ? this.steps.shift() : this.steps[0]) };
  }

  async told(step, more = {}) {
    const usage = step.fails ? {} : { input: step.input, output: step.output };
    await note("call", {
      provider: "groq", model: "llama-3.1-8b-instant", operation: "chat", outcome: step.fails ? "failure" : "success", ...usage, ...more,
    });
    return { input_tokens: step.input, output_tokens: step.output, total_tokens: step.input + step.output };
  }

  async _generate() {
    const step = this.next();
    const usage_metadata = await this.told(step);
    if (step.fails) throw new Error("the model is not available");
    const message = new AIMessage({ content: step.text, tool_calls: step.tool_calls ?? [], usage_metadata });
    return { generations: [{ text: step.text, message }], llmOutput: {} };
  }

  async *_streamResponseChunks(_messages, _options, manager) {
    const step = this.next();
    for (const word of step.text.split(" ")) {
      await manager?.handleLLMNewToken(`${word} `);
      yield new ChatGenerationChunk({ text: `${word} `, message: new AIMessageChunk(`${word} `) });
    }
    const usage_metadata = await this.told(step, { streamed: true, stream: "completed" });
    yield new ChatGenerationChunk({ text: "", message: new AIMessageChunk({ content: "", usage_metadata }) });
  }
}

class Store extends BaseRetriever {
  lc_namespace = ["store"];

  constructor(scores) {
    super();
    this.scores = scores;
  }

  async _getRelevantDocuments() {
    await searched(this.scores);
    return this.scores.map((score, i) => new Document({ pageContent: `Documento ${i + 1}`, metadata: { source: "manual.pdf", score } }));
  }
}

const prompt = ChatPromptTemplate.fromMessages([["system", "Responda com: {context}"], ["human", "{question}"]]);
const respond = (scores, model = new FakeChat()) =>
  RunnablePassthrough.assign({ context: (input, options) => new Store(scores).invoke(input.question, options).then((d) => d.map((x) => x.pageContent).join("\n")) })
    .pipe(prompt).pipe(model).pipe(new StringOutputParser()).withConfig({ runName: "responder" });

const pressure = tool(async () => {
  await note("tool");
  return "6 bar";
}, { name: "pressao", description: "Pressão de abertura", schema: z.object({ valvula: z.string() }) });

const conversations = {
  rag: () => chat(() => inside(() => respond([0.91, 0.62]).invoke({ question: QUESTION }, config))),
  empty: () => chat(() => respond([]).invoke({ question: QUESTION }, config)),
  error: () => chat(() => respond([0.8], new FakeChat([{ fails: true }])).invoke({ question: QUESTION }, config), true),
  stream: () => chat(async () => {
    for await (const _ of await respond([0.8, 0.4]).stream({ question: QUESTION }, config));
  }),
  tools: () => chat(async () => {
    const model = new FakeChat([
      { text: "", input: 100, output: 20, tool_calls: [{ name: "pressao", args: { valvula: "V-101" }, id: "call_1" }] },
      { input: 150, output: 30 },
    ]);
    const { RunnableLambda } = await import("@langchain/core/runnables");
    await new RunnableLambda({ func: async (question, options) => {
      const first = await model.invoke(question, options);
      await pressure.invoke({ ...first.tool_calls[0], type: "tool_call" }, options);
      return model.invoke(question, options);
    } }).withConfig({ runName: "responder" }).invoke(QUESTION, config);
  }),
};

await conversations[conversation]();
await finish();
await versions(...packages);
