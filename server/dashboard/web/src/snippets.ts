// How to send the first data, with the address under which this page was opened.

/** The doors that telemetry comes through, as far as a reader tells them apart. */
export type Door = "otlp" | "langsmith" | "api";

export interface Snippet {
  title: string;
  code: string;
  /** Where what it sends comes in. */
  doors: Door[];
}

export function snippets(origin: string): Snippet[] {
  return [
    {
      title: "Python: FastAPI + OpenTelemetry",
      doors: ["otlp"],
      code: `# pip install opentelemetry-distro opentelemetry-exporter-otlp-proto-http \\
#   opentelemetry-instrumentation-fastapi
# and that of your model's client, without which no chat is seen:
#   opentelemetry-instrumentation-groq, -openai-v2, -langchain, …
export OTEL_SERVICE_NAME=treq-backend
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_ENDPOINT=${origin}
opentelemetry-instrument uvicorn main:app`,
    },
    {
      title: "LangChain, LangGraph",
      doors: ["langsmith", "otlp"],
      code: `# pip install langchain: no line of code changes
export LANGSMITH_TRACING=true
export LANGSMITH_ENDPOINT=${origin}
export LANGSMITH_API_KEY=any   # an ingest token, where one is set
export LANGSMITH_PROJECT=treq
python main.py`,
    },
    {
      title: "LangSmith SDK",
      doors: ["langsmith"],
      code: `# pip install langsmith
import os
os.environ["LANGSMITH_TRACING"] = "true"
os.environ["LANGSMITH_ENDPOINT"] = "${origin}"
os.environ["LANGSMITH_API_KEY"] = "any"  # an ingest token, where one is set

from langsmith import traceable

@traceable(run_type="llm")
def answer(question: str) -> str:
    return "..."

answer("Qual é a previsão?")`,
    },
    {
      title: "JavaScript: OpenTelemetry",
      doors: ["otlp"],
      code: `// npm install @opentelemetry/sdk-trace-base @opentelemetry/exporter-trace-otlp-proto
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";

const exporter = new OTLPTraceExporter({ url: "${origin}/v1/traces" });
const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
provider.getTracer("treq").startSpan("chat", { attributes: { "gen_ai.operation.name": "chat" } }).end();
await provider.shutdown();`,
    },
    {
      title: "Go: OpenTelemetry",
      doors: ["otlp"],
      code: `exporter, err := otlptracehttp.New(ctx,
	otlptracehttp.WithEndpointURL("${origin}/v1/traces"))
if err != nil {
	return err
}
provider := trace.NewTracerProvider(trace.WithBatcher(exporter))
defer provider.Shutdown(ctx)
otel.SetTracerProvider(provider)`,
    },
    {
      title: "curl",
      doors: ["api"],
      code: `curl -X POST '${origin}/monitoring/chat/metrics?success=true&response_time_ms=850&rag_used=true&rag_found=true&llm_tokens=420'
curl -X POST '${origin}/monitoring/rag/metrics?search_time_ms=45&similarity_score=0.82'
curl -X POST '${origin}/monitoring/llm/metrics?model=llama-3.1-8b-instant&tokens=420&latency_ms=640'`,
    },
  ];
}
