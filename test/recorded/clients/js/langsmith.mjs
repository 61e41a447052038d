// Functions under the LangSmith SDK's traceable; the environment says how runs
// leave. What is traced of LangChain inside such a function goes with it.
import OpenAI from "openai";
import { Client } from "langsmith";
import { initializeOTEL } from "langsmith/experimental/otel/setup";
import { traceable } from "langsmith/traceable";
import { wrapOpenAI } from "langsmith/wrappers";
import { FAKE, QUESTION, chat, note, script, searched, versions } from "./ledger.mjs";

if (process.env.LANGSMITH_TRACING_MODE === "otel") initializeOTEL();
const client = new Client();
const packages = ["langsmith"];

const retrieve = (scores) => traceable(async (_question) => {
  await searched(scores);
  return scores.map((score, i) => ({ page_content: `Documento ${i + 1}`, type: "Document", metadata: { source: "manual.pdf", score } }));
}, { name: "manuais", run_type: "retriever", client })(QUESTION);

const metadata = { ls_provider: "groq", ls_model_name: "llama-3.1-8b-instant", ls_model_type: "chat" };
const usage_metadata = { input_tokens: 42, output_tokens: 12, total_tokens: 54 };
const groq = { provider: "groq", model: "llama-3.1-8b-instant", operation: "chat" };

const generate = (fails = false) => traceable(async (_messages) => {
  await note("call", { ...groq, outcome: fails ? "failure" : "success", ...(fails ? {} : { input: 42, output: 12 }) });
  if (fails) throw new Error("the model is not available");
  return { role: "assistant", content: "A 6 bar.", usage_metadata };
}, { name: "ChatGroq", run_type: "llm", metadata, client })([{ role: "user", content: QUESTION }]);

const generateStream = traceable(async function* (_messages) {
  yield* "A válvula abre a 6 bar.".split(" ");
  await note("call", { ...groq, outcome: "success", input: 42, output: 12, streamed: true, stream: "completed" });
}, {
  name: "ChatGroq", run_type: "llm", metadata, client,
  aggregator: (words) => ({ role: "assistant", content: words.join(" "), usage_metadata }),
});

const responder = (how) => traceable(how, { name: "responder", run_type: "chain", client })(QUESTION);

const conversations = {
  rag: () => chat(() => responder(async () => {
    await retrieve([0.75, 0.25]);
    return (await generate()).content;
  })),
  retried: () => chat(() => responder(async () => {
    await generate(true).catch(() => {});
    return (await generate()).content;
  })),
  error: () => chat(() => responder(async () => {
    await retrieve([]);
    await generate(true);
  }), true),
  stream: () => chat(() => responder(async () => {
    const words = [];
    for await (const word of generateStream([{ role: "user", content: QUESTION }])) words.push(word);
    return words.join(" ");
  })),
  wrapped: async () => {
    packages.push("openai");
    const openai = wrapOpenAI(new OpenAI({ apiKey: "none", baseURL: `${FAKE}/openai/v1`, maxRetries: 0 }), { client });
    await script({ text: "A 6 bar.", prompt: 2048, completion: 300, cached: 1920, reasoning: 256 });
    await chat(() => responder(async () => {
      const answer = await openai.chat.completions.create({ model: "gpt-5-mini", messages: [{ role: "user", content: QUESTION }] });
      return answer.choices[0].message.content;
    }));
  },
};

await conversations[process.argv[2]]();
await client.awaitPendingTraceBatches();
await versions(...packages);
