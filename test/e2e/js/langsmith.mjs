// Answers one question by retrieval, traced by the LangSmith SDK in its
// OpenTelemetry mode (LANGSMITH_TRACING_MODE=otel): a chain with a retriever and
// a model call that reports its usage. The environment says where traces go.
import { Client } from "langsmith";
import { initializeOTEL } from "langsmith/experimental/otel/setup";
import { traceable } from "langsmith/traceable";

initializeOTEL();
const client = new Client();

const retrieve = traceable(async (_question) => [
  { page_content: "A válvula abre a 6 bar.", type: "Document", metadata: { source: "manual.pdf", score: 0.75 } },
  { page_content: "O alívio fecha a 5 bar.", type: "Document", metadata: { source: "manual.pdf", score: 0.25 } },
], { name: "manuais", run_type: "retriever", client });

const generate = traceable(async (_messages) => ({
  role: "assistant",
  content: "A 6 bar.",
  usage_metadata: { input_tokens: 200, output_tokens: 100, total_tokens: 300 },
}), {
  name: "ChatGroq",
  run_type: "llm",
  metadata: { ls_provider: "groq", ls_model_name: "llama-3.1-8b-instant", ls_model_type: "chat" },
  client,
});

const respond = traceable(async (question) => {
  const documents = await retrieve(question);
  const context = documents.map((document) => document.page_content).join("\n");
  const answer = await generate([
    { role: "system", content: context },
    { role: "user", content: question },
  ]);
  return answer.content;
}, { name: "responder", run_type: "chain", client });

const answer = await respond("A que pressão a válvula abre?");
await client.awaitPendingTraceBatches();
console.log(JSON.stringify({ answer }));
