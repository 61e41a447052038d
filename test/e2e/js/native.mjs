// Answers one question by retrieval, traced by the LangSmith SDK in its own
// protocol: a chain with a retriever and a streamed model call that reports its
// usage, and a file beside it. The environment says where runs go.
import { Client } from "langsmith";
import { traceable } from "langsmith/traceable";

const client = new Client();

const retrieve = traceable(async (_question) => [
  { page_content: "A válvula abre a 6 bar.", type: "Document", metadata: { source: "manual.pdf", score: 0.75 } },
  { page_content: "O alívio fecha a 5 bar.", type: "Document", metadata: { source: "manual.pdf", score: 0.25 } },
], { name: "manuais", run_type: "retriever", client });

const generate = traceable(async function* (_messages) {
  for (const word of ["A ", "6 ", "bar."]) yield word;
}, {
  name: "ChatGroq",
  run_type: "llm",
  metadata: { ls_provider: "groq", ls_model_name: "llama-3.1-8b-instant", ls_model_type: "chat" },
  aggregator: (words) => ({
    role: "assistant",
    content: words.join(""),
    usage_metadata: { input_tokens: 200, output_tokens: 100, total_tokens: 300 },
  }),
  client,
});

const respond = traceable(async (question) => {
  const documents = await retrieve(question);
  const context = documents.map((document) => document.page_content).join("\n");
  let answer = "";
  for await (const word of generate([{ role: "system", content: context }, { role: "user", content: question }])) {
    answer += word;
  }
  return answer;
}, {
  name: "responder",
  run_type: "chain",
  client,
  extractAttachments: (question) => [{ manual: ["text/plain", new TextEncoder().encode("6 bar")] }, question],
});

const answer = await respond("A que pressão a válvula abre?");
await client.awaitPendingTraceBatches();
console.log(JSON.stringify({ answer }));
