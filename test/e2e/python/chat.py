"""A FastAPI chat that tells its numbers with deploy/python/treq_monitoring.py:
chat.py URL direct|traced. Prints its port, and at its end what was given up."""
import contextlib
import json
import os
import socket
import sys

import uvicorn
from fastapi import FastAPI

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "..", "deploy", "python"))
import treq_monitoring as monitoring

monitoring.URL, kind = sys.argv[1:3]
monitoring.TIMEOUT = float(os.getenv("ANSWER_WITHIN", monitoring.TIMEOUT))
monitoring.ROOM = int(os.getenv("ROOM", monitoring.ROOM))
provider = None
if kind == "traced":
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=monitoring.URL + "/v1/traces")))
    trace.set_tracer_provider(provider)


@contextlib.asynccontextmanager
async def lifespan(_):
    yield
    await monitoring.flush()
    if provider:
        provider.shutdown()
    print(json.dumps({"dropped": monitoring.dropped}), flush=True)


app = FastAPI(lifespan=lifespan)


async def direct():
    await monitoring.record_rag_metrics(search_time_ms=120.3, similarity_score=0.75, num_results=3)
    await monitoring.record_llm_metrics(model="llama-3.1-8b-instant", tokens=300, latency_ms=650.2)
    await monitoring.record_chat_metrics(success=True, response_time_ms=850.5, rag_used=True, rag_found=True, llm_tokens=300)


async def traced():
    with monitoring.traced("invoke_agent"):
        with monitoring.traced("retrieval"):
            pass
        with monitoring.traced("chat", {"gen_ai.request.model": "llama-3.1-8b-instant"}):
            pass


@app.post("/chat")
async def chat():
    await (traced() if provider else direct())
    return {"answer": "A 6 bar."}


@app.get("/dropped")
async def dropped():
    return {"dropped": monitoring.dropped}


with socket.socket() as listener:
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
