// Spans made by hand with the OpenTelemetry SDK, in the words of semantic
// conventions 1.41, under a SERVER span.
import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { ANSWER, chat, note, searched, versions } from "./ledger.mjs";
import { start } from "./tracing.mjs";

const provider = start();
const tracer = trace.getTracer("assistente");

function within(name, kind, attributes, work) {
  return tracer.startActiveSpan(name, { kind, attributes }, async (span) => {
    try {
      return await work(span);
    } catch (e) {
      span.recordException(e);
      span.setStatus({ code: SpanStatusCode.ERROR, message: e.message });
      throw e;
    } finally {
      span.end();
    }
  });
}

const serve = (work) => within("POST /chat", SpanKind.SERVER, { "http.request.method": "POST", "http.route": "/chat" }, work);

const search = (scores, source = "manuais") =>
  within(`retrieval ${source}`, SpanKind.CLIENT, { "gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": source }, async (span) => {
    await searched(scores, { data_source: source });
    span.setAttribute("gen_ai.retrieval.documents", JSON.stringify(scores.map((score, i) => ({ id: `doc-${i + 1}`, score }))));
  });

const call = (model, fails = false) =>
  within(`chat ${model}`, SpanKind.CLIENT,
    { "gen_ai.operation.name": "chat", "gen_ai.provider.name": "groq", "gen_ai.request.model": model }, async (span) => {
      const usage = fails ? {} : { input: 42, output: 12 };
      await note("call", { provider: "groq", model, operation: "chat", outcome: fails ? "failure" : "success", ...usage });
      if (fails) {
        span.setAttribute("error.type", "Error");
        throw new Error("the model is not available");
      }
      span.setAttributes({ "gen_ai.usage.input_tokens": 42, "gen_ai.usage.output_tokens": 12, "gen_ai.response.model": model });
      return ANSWER;
    });

const conversations = {
  rag: () => chat(() => serve(async () => {
    await search([0.91, 0.62]);
    await call("llama-3.1-8b-instant");
  })),
  failed: () => chat(() => serve(async () => {
    await search([]);
    await call("llama-3.1-8b-instant", true);
  }), true),
};

await conversations[process.argv[2]]();
await provider.shutdown();
await versions("@opentelemetry/sdk-trace-base", "@opentelemetry/exporter-trace-otlp-proto");
