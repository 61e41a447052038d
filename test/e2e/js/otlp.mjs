// Sends one question answered by retrieval over OTLP with the OpenTelemetry
// JavaScript SDK: a SERVER span, a search with two scored documents and a model
// call. Prints the ids of the spans that the service acknowledged.
//
//   node otlp.mjs --encoding json|proto|grpc --url URL [--gzip] [--service NAME]
import { parseArgs } from "node:util";
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { CompressionAlgorithm } from "@opentelemetry/otlp-exporter-base";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";

const { values } = parseArgs({
  options: {
    encoding: { type: "string" },
    url: { type: "string" },
    gzip: { type: "boolean", default: false },
    service: { type: "string", default: "js-otel" },
  },
});

const modules = {
  json: "@opentelemetry/exporter-trace-otlp-http",
  proto: "@opentelemetry/exporter-trace-otlp-proto",
  grpc: "@opentelemetry/exporter-trace-otlp-grpc",
};
const { OTLPTraceExporter } = await import(modules[values.encoding]);
const exporter = new OTLPTraceExporter({
  url: values.url,
  compression: values.gzip ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE,
});

// The SDK retries and then drops; a failed export must fail this program.
let failure;
const send = exporter.export.bind(exporter);
exporter.export = (spans, done) =>
  send(spans, (result) => {
    failure ??= result.error ?? (result.code === 0 ? undefined : new Error("export failed"));
    done(result);
  });

const ledger = new InMemorySpanExporter();
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ "service.name": values.service }),
  spanProcessors: [new BatchSpanProcessor(exporter), new SimpleSpanProcessor(ledger)],
});
const tracer = provider.getTracer("treq-e2e", "1.0.0");

const start = Date.now() - 1000;
const server = tracer.startSpan("POST /chat", {
  kind: SpanKind.SERVER,
  startTime: start,
  attributes: { "http.request.method": "POST", "http.route": "/chat", "http.response.status_code": 200 },
});
const inside = trace.setSpan(context.active(), server);

const search = tracer.startSpan("retrieval manuais", {
  kind: SpanKind.CLIENT,
  startTime: start + 10,
  attributes: {
    "gen_ai.operation.name": "retrieval",
    "gen_ai.data_source.id": "manuais",
    "gen_ai.retrieval.documents": JSON.stringify([{ id: "doc-1", score: 0.75 }, { id: "doc-2", score: 0.25 }]),
  },
}, inside);
search.setStatus({ code: SpanStatusCode.OK });
search.end(start + 110);

const call = tracer.startSpan("chat llama-3.1-8b-instant", {
  kind: SpanKind.CLIENT,
  startTime: start + 150,
  attributes: {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "groq",
    "gen_ai.request.model": "llama-3.1-8b-instant",
    "gen_ai.response.model": "llama-3.1-8b-instant",
    "gen_ai.usage.input_tokens": 200,
    "gen_ai.usage.output_tokens": 100,
    "gen_ai.response.finish_reasons": ["stop"],
  },
}, inside);
call.end(start + 750);
server.end(start + 800);

await provider.forceFlush();
const ids = ledger.getFinishedSpans().map((span) => span.spanContext().spanId);
await provider.shutdown();
if (failure) throw failure;
console.log(JSON.stringify({ trace_id: server.spanContext().traceId, span_ids: ids }));
