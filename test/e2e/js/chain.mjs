// LangChain and LangGraph with the LangSmith callbacks that the environment turns on: a
// retrieval chain, the same streamed, and a graph with a tool, as the arguments say. The
// model is a fake that tells its usage.
import { Client, getDefaultProjectName } from "langsmith";
import { awaitAllCallbacks } from "@langchain/core/callbacks/promises";
import { Document } from "@langchain/core/documents";
import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { AIMessage, AIMessageChunk, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatGenerationChunk } from "@langchain/core/outputs";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { BaseRetriever } from "@langchain/core/retrievers";
import { RunnablePassthrough } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { LangChainTracer } from "@langchain/core/tracers/tracer_langchain";
import { END, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { z } from "zod";

const question = "A que pressão a válvula abre?";
const usage_metadata = { input_tokens: 200, output_tokens: 100, total_tokens: 300 };
const client = new Client();
const tracer = new LangChainTracer({ client });

class Model extends BaseChatModel {
  constructor(callsTool = false) {
    super({ maxRetries: 0 });
    this.callsTool = callsTool;
  }

  _llmType() {
    return "fake-chat";
  }

  getLsParams() {
    return { ls_provider: "groq", ls_model_name: "llama-3.1-8b-instant", ls_model_type: "chat" };
  }

  async _generate(messages) {
    const calls = this.callsTool && !ToolMessage.isInstance(messages.at(-1));
    const tool_calls = calls ? [{ name: "pressao", args: { valvula: "V-101" }, id: "1" }] : [];
    const text = calls ? "" : "A 6 bar.";
    return { generations: [{ text, message: new AIMessage({ content: text, tool_calls, usage_metadata }) }], llmOutput: {} };
  }

  async *_streamResponseChunks(_messages, _options, manager) {
    for (const word of ["A ", "6 ", "bar."]) {
      await manager?.handleLLMNewToken(word);
      yield new ChatGenerationChunk({ text: word, message: new AIMessageChunk(word) });
    }
    yield new ChatGenerationChunk({ text: "", message: new AIMessageChunk({ content: "", usage_metadata }) });
  }
}

class Manuals extends BaseRetriever {
  lc_namespace = ["manuals"];

  async _getRelevantDocuments() {
    return [0.75, 0.25].map((score, i) => new Document({ pageContent: `Documento ${i + 1}`, metadata: { source: "manual.pdf", score } }));
  }
}

const manuals = new Manuals();
const rag = RunnablePassthrough.assign({ context: async (input, config) => (await manuals.invoke(input.question, config)).map((d) => d.pageContent).join("\n") })
  .pipe(ChatPromptTemplate.fromMessages([["system", "Responda com: {context}"], ["human", "{question}"]]))
  .pipe(new Model()).pipe(new StringOutputParser()).withConfig({ runName: "responder" });

const pressao = tool(async () => "6 bar", { name: "pressao", description: "A pressão de abertura de uma válvula.", schema: z.object({ valvula: z.string() }) });

const model = new Model(true);
const graph = new StateGraph(MessagesAnnotation)
  .addNode("think", async (state, config) => ({ messages: [await model.invoke(state.messages, config)] }))
  .addNode("act", async (state, config) => {
    const call = state.messages.at(-1).tool_calls[0];
    return { messages: [new ToolMessage({ content: await pressao.invoke(call.args, config), tool_call_id: call.id })] };
  })
  .addEdge(START, "think")
  .addConditionalEdges("think", (state) => (state.messages.at(-1).tool_calls?.length ? "act" : END))
  .addEdge("act", "think")
  .compile();

const config = { callbacks: [tracer] };
const modes = {
  plain: () => rag.invoke({ question }, config),
  streamed: async () => {
    for await (const _ of await rag.stream({ question }, config));
  },
  graph: () => graph.invoke({ messages: [new HumanMessage(question)] }, config),
};
for (const how of process.argv.slice(2)) await modes[how]();
await awaitAllCallbacks();
await client.awaitPendingTraceBatches();

// The link of a run, as LangSmith's page would have it.
const run = crypto.randomUUID();
await client.createRun({ id: run, name: "linked", run_type: "chain", inputs: { question }, start_time: Date.now(), end_time: Date.now(), outputs: { answer: "A 6 bar." }, project_name: "direct" });
await client.awaitPendingTraceBatches();
const project = await client.readProject({ projectName: "direct" });
console.log(JSON.stringify({
  project: getDefaultProjectName(), linked: run, tenant: project.tenant_id,
  url: await client.getRunUrl({ run: { id: run, session_id: project.id } }),
}));
