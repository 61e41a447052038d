// How to send the first data, with the address under which this page was opened.

export interface Snippet { title: string; code: string }

export function snippets(origin: string): Snippet[] {
  return [
    {
      title: "Python: FastAPI + OpenTelemetry",
      code: `# pip install opentelemetry-distro opentelemetry-exporter-otlp-proto-http \\
#   opentelemetry-instrumentation-fastapi
export OTEL_SERVICE_NAME=treq-backend
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_ENDPOINT=${origin}
opentelemetry-instrument uvicorn main:app`,
    },
    {
      title: "Python / JavaScript: LangSmith SDK, LangChain, LangGraph",
      code: `export LANGSMITH_TRACING=true
export LANGSMITH_ENDPOINT=${origin}
export LANGSMITH_API_KEY=any   # an ingest token, where one is set
export LANGSMITH_PROJECT=treq`,
    },
    {
      title: "LangChain + OpenTelemetry",
      code: `export LANGSMITH_TRACING=true
export LANGSMITH_OTEL_ENABLED=true
export LANGSMITH_OTEL_ONLY=true
export OTEL_EXPORTER_OTLP_ENDPOINT=${origin}`,
    },
    {
      title: "JavaScript: OpenTelemetry",
      code: `// npm install @opentelemetry/sdk-node @opentelemetry/exporter-trace-otlp-proto
import { NodeSDK } from "@opentelemetry/sdk-node";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";

new NodeSDK({
  serviceName: "treq-frontend",
  traceExporter: new OTLPTraceExporter({ url: "${origin}/v1/traces" }),
}).start();`,
    },
    {
      title: "Go: OpenTelemetry",
      code: `exporter, err := otlptracehttp.New(ctx,
	otlptracehttp.WithEndpointURL("${origin}/v1/traces"))
if err != nil {
	return err
}
otel.SetTracerProvider(trace.NewTracerProvider(trace.WithBatcher(exporter)))`,
    },
    {
      title: "curl",
      code: `curl -X POST '${origin}/monitoring/chat/metrics?success=true&response_time_ms=850&rag_used=true&rag_found=true&llm_tokens=420'
curl -X POST '${origin}/monitoring/rag/metrics?search_time_ms=45&similarity_score=0.82'
curl -X POST '${origin}/monitoring/llm/metrics?model=llama-3.1-8b-instant&tokens=420&latency_ms=640'`,
    },
  ];
}
