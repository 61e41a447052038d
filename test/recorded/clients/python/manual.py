"""A FastAPI service with spans made by hand in the words of one generation of the
GenAI semantic conventions, asked over HTTP as users do."""

import json
import sys
import threading
import time
import urllib.error
import urllib.request

import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.trace import SpanKind, StatusCode

import tracing
from ledger import chat, note, searched, versions

generation, conversation = sys.argv[1:3]
provider = tracing.start(batch=conversation != "piecemeal")
tracer = trace.get_tracer("assistente")
app = FastAPI()
at_least = {"1.26": 26, "1.28": 28, "1.30": 30, "1.37": 37, "1.40": 40, "1.41": 41, "main": 42}[generation]


def model(name="llama-3.1-8b-instant", input=42, output=12, cache_read=0, cache_write=0, reasoning=0, fails=False, stream="",
          vendor="groq", told=True):
    """The fake model: notes its call and tells its usage."""
    note("call", provider=vendor, model=name, operation="chat", outcome="failure" if fails else "success",
         streamed=bool(stream), stream=stream, ttft_known=bool(stream) and at_least >= 41,
         **({} if fails or not told else {"input": input, "output": output}),
         **({"cache_read": cache_read} if cache_read else {}), **({"cache_write": cache_write} if cache_write else {}),
         **({"reasoning": reasoning} if reasoning else {}))
    if fails:
        raise ConnectionError("the model is not available")
    return "A válvula abre a 6 bar."


def call(name="llama-3.1-8b-instant", vendor="groq", **options):
    """A span around one call of the model."""
    usage = {"input": 42, "output": 12, "cache_read": 0, "cache_write": 0, "reasoning": 0, **options}
    with tracer.start_as_current_span(f"chat {name}", kind=SpanKind.CLIENT, record_exception=True) as span:
        span.set_attribute("gen_ai.provider.name" if at_least >= 37 else "gen_ai.system", vendor)
        span.set_attribute("gen_ai.request.model", name)
        if at_least >= 27:
            span.set_attribute("gen_ai.operation.name", "chat")
        if at_least == 26:
            span.add_event("gen_ai.content.prompt", {"gen_ai.prompt": json.dumps([{"role": "user", "content": "A que pressão?"}])})
        elif at_least < 37:
            span.add_event("gen_ai.user.message", {"content": "A que pressão?"})
        try:
            text = model(name, vendor=vendor, **options)
        except ConnectionError as e:
            span.set_attribute("error.type", type(e).__name__)
            raise
        old = at_least == 26
        span.set_attribute("gen_ai.response.model", name)
        span.set_attribute("gen_ai.response.finish_reasons", ["stop"])
        if options.get("told", True):
            span.set_attribute("gen_ai.usage.prompt_tokens" if old else "gen_ai.usage.input_tokens", usage["input"])
            span.set_attribute("gen_ai.usage.completion_tokens" if old else "gen_ai.usage.output_tokens", usage["output"])
        if at_least >= 40 and usage["cache_read"]:
            span.set_attribute("gen_ai.usage.cache_read.input_tokens", usage["cache_read"])
        if at_least >= 40 and usage["cache_write"]:
            name = "cache_write" if at_least >= 42 else "cache_creation"
            span.set_attribute(f"gen_ai.usage.{name}.input_tokens", usage["cache_write"])
        if at_least >= 41 and usage["reasoning"]:
            span.set_attribute("gen_ai.usage.reasoning.output_tokens", usage["reasoning"])
        if at_least >= 41 and options.get("stream"):
            span.set_attribute("gen_ai.request.stream", True)
            span.set_attribute("gen_ai.response.time_to_first_chunk", 0.125)
        if old:
            span.add_event("gen_ai.content.completion", {"gen_ai.completion": json.dumps([{"role": "assistant", "content": text}])})
        elif at_least < 37:
            span.add_event("gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": json.dumps({"content": text})})
        else:
            span.set_attribute("gen_ai.output.messages", json.dumps(
                [{"role": "assistant", "parts": [{"type": "text", "content": text}], "finish_reason": "stop"}]))
        return text


def search(scores, source="manuais"):
    """A span around one search; before 1.40 the conventions have none, and the store's own is all."""
    documents = [{"id": f"doc-{i}", "score": score} for i, score in enumerate(scores, 1)]
    if at_least >= 40:
        with tracer.start_as_current_span(f"retrieval {source}", kind=SpanKind.CLIENT) as span:
            span.set_attribute("gen_ai.operation.name", "retrieval")
            span.set_attribute("gen_ai.data_source.id", source)
            span.set_attribute("gen_ai.retrieval.query.text", "A que pressão?")
            span.set_attribute("gen_ai.retrieval.top_k" if at_least >= 42 else "gen_ai.request.top_k", 4 if at_least >= 42 else 4.0)
            searched(scores, data_source=source)
            span.set_attribute("gen_ai.retrieval.documents", json.dumps(documents))
        return
    with tracer.start_as_current_span("pgvector.query", kind=SpanKind.CLIENT) as span:
        span.set_attribute("db.system", "pinecone")
        span.set_attribute("db.operation", "query")
        searched(scores)
        for d in documents:
            span.add_event("db.query.result", {"db.query.result.id": d["id"], "db.query.result.score": d["score"]})
        span.set_attribute("db.vector.query.top_k", 4)


def rag():
    search([0.91, 0.62, 0.45])
    return call()


def rag_empty():
    search([])
    return call()


def two_searches():
    search([0.91, 0.62], "manuais")
    search([0.3], "normas")
    return call()


def failed():
    search([0.91])
    try:
        return call(fails=True)
    except ConnectionError:
        raise HTTPException(502) from None


def retried():
    search([0.91])
    try:
        return call(fails=True)
    except ConnectionError:
        return call()


def fallback():
    try:
        return call("glm-4.7", "zhipu", fails=True)
    except ConnectionError:
        return call("llama-3.3-70b-versatile")


def refused():
    raise HTTPException(422)


def cached():
    return call("claude-sonnet-4-5", "anthropic", input=3000, output=200, cache_read=2048, cache_write=512)


def reasoning():
    return call("o4-mini", "openai", input=75, output=1186, reasoning=1024)


def streamed():
    search([0.8, 0.4])

    def words():
        yield call(stream="completed")

    return StreamingResponse(words(), media_type="text/plain")


def agent():
    with tracer.start_as_current_span("invoke_agent inspetor", kind=SpanKind.INTERNAL) as span:
        span.set_attribute("gen_ai.operation.name", "invoke_agent")
        span.set_attribute("gen_ai.provider.name", "groq")
        span.set_attribute("gen_ai.agent.name", "inspetor")
        call(input=100, output=20)
        with tracer.start_as_current_span("execute_tool pressao") as tool:
            tool.set_attribute("gen_ai.operation.name", "execute_tool")
            tool.set_attribute("gen_ai.tool.name", "pressao")
            note("tool")
        answer = call(input=150, output=30)
        span.set_attribute("gen_ai.usage.input_tokens", 250)
        span.set_attribute("gen_ai.usage.output_tokens", 50)
        return answer


def embedded():
    with tracer.start_as_current_span("embeddings text-embedding-3-small", kind=SpanKind.CLIENT) as span:
        span.set_attribute("gen_ai.operation.name", "embeddings")
        span.set_attribute("gen_ai.provider.name" if at_least >= 37 else "gen_ai.system", "openai")
        span.set_attribute("gen_ai.request.model", "text-embedding-3-small")
        note("embedding", provider="openai", model="text-embedding-3-small", outcome="success", tokens=9)
        span.set_attribute("gen_ai.usage.input_tokens", 9)
    return rag()


piecemeal = rag
FAILS = {"failed": 502}


@app.post("/chat")
def answer():
    return globals()[conversation]()


@app.get("/health")
def health():
    return "ok"


FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=18319, log_level="warning"))
thread = threading.Thread(target=server.run)
thread.start()
while not server.started:
    time.sleep(0.01)


def ask(path, body):
    with urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:18319" + path, body)) as answered:
        answered.read()


ask("/health", None)
if conversation == "refused":
    try:
        ask("/chat", b"{}")
    except urllib.error.HTTPError as e:
        assert e.code == 422
else:
    with chat(fails=conversation in FAILS):
        ask("/chat", b"{}")
server.should_exit = True
thread.join()
provider.shutdown()
versions("opentelemetry-sdk", "opentelemetry-instrumentation-fastapi", "fastapi")
