// Judges a run, changes the judgement, reads, lists and withdraws it by the LangSmith
// SDK. Prints what the SDK read.
import { Client } from "langsmith";

const client = new Client({ autoBatchTracing: false });
const run = crypto.randomUUID();
const now = Date.now();
await client.createRun({ id: run, name: "judged", run_type: "chain", inputs: { question: "a" }, project_name: "judged", start_time: now });
await client.updateRun(run, { end_time: now + 1, outputs: { answer: "b" } });

const shown = (f) => ({
  id: f.id, run: f.run_id, key: f.key, score: f.score, value: f.value, comment: f.comment, correction: f.correction,
  source: f.feedback_source.type, changed: f.modified_at > f.created_at,
});
const all = async (list) => {
  const found = [];
  for await (const f of list) found.push(shown(f));
  return found;
};

const made = await client.createFeedback(run, "user-score", { score: 1, comment: "bom" });
const read = shown(await client.readFeedback(made.id));
await client.updateFeedback(made.id, { score: 0, comment: "ruim" });
await client.updateFeedback(made.id, { score: 0, comment: "ruim" });
const changed = shown(await client.readFeedback(made.id));
await client.updateFeedback(made.id, { correction: { answer: "c" } });
await client.createFeedback(run, "tone", { score: 0.5, value: "seco" });
const gone = await client.createFeedback(run, "accuracy", { score: 1 });
await client.deleteFeedback(gone.id);
const listed = await all(client.listFeedback({ runIds: [run] }));
const keyed = await all(client.listFeedback({ runIds: [run], feedbackKeys: ["tone"] }));
const nobody = (await all(client.listFeedback({ runIds: [crypto.randomUUID()] }))).length;
let left = "still there";
try {
  await client.readFeedback(gone.id);
} catch (error) {
  left = error.name;
}
console.log(JSON.stringify({ run, read, changed, listed, keyed, nobody, left, gone: gone.id }));
