"""Drives deploy/python/treq_monitoring.py: monitoring.py URL."""
import asyncio
import json
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "..", "deploy", "python"))
import treq_monitoring as monitoring

url = sys.argv[1]
monitoring.TIMEOUT = 60  # A machine that does much else at once may answer late.


async def answered():
    monitoring.URL = url
    for i in range(5):
        await monitoring.record_chat_metrics(success=i > 0, response_time_ms=850.5, rag_used=True, rag_found=i > 1, llm_tokens=100)
    for hit in (True, False):
        await monitoring.record_rag_metrics(search_time_ms=120.3, similarity_score=0.75, cache_hit=hit, num_results=3)
    await monitoring.record_llm_metrics(model="llama-3.1-8b-instant", tokens=300, latency_ms=650.2)
    # What its caller does not know: how many documents there were, how many tokens.
    await monitoring.record_rag_metrics(search_time_ms=120.3, similarity_score=0.25)
    await monitoring.record_chat_metrics(success=True, response_time_ms=850.5, llm_tokens=None)
    await monitoring.flush(30)
    return monitoring.dropped


async def nobody():
    """Nothing listens: what is recorded is given up without a word to the chat."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monitoring.URL, monitoring.dropped = f"http://127.0.0.1:{port}", 0
    for _ in range(3):
        await monitoring.record_llm_metrics(model="m", tokens=1, latency_ms=1)
    await monitoring.flush(30)
    return monitoring.dropped


async def silent():
    """Somebody takes connections and never answers: recording waits for no room, and the end for nobody."""
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        monitoring.URL, monitoring.dropped = f"http://127.0.0.1:{mute.getsockname()[1]}", 0
        for _ in range(1500):
            await monitoring.record_chat_metrics(success=True, response_time_ms=1)
        full = monitoring.dropped
        await monitoring.flush(3)  # How long the last measurement may take to be given up.
        return full, monitoring.dropped


def traced():
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "traced"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url + "/v1/traces")))
    trace.set_tracer_provider(provider)
    with monitoring.traced("invoke_agent"):
        with monitoring.traced("retrieval") as search:
            search.set_attribute("gen_ai.retrieval.documents", json.dumps([{"id": "a", "score": 0.75}]))
        with monitoring.traced("chat", {"gen_ai.provider.name": "groq", "gen_ai.request.model": "llama-3.3-70b-versatile"}) as call:
            call.set_attribute("gen_ai.usage.input_tokens", 120)
            call.set_attribute("gen_ai.usage.output_tokens", 30)
    try:
        with monitoring.traced("invoke_agent"):
            with monitoring.traced("chat", {"gen_ai.request.model": "llama-3.3-70b-versatile"}):
                raise ValueError("the question is empty")
    except ValueError:
        pass
    provider.shutdown()


traced()
print(json.dumps({"answered": asyncio.run(answered()), "nobody": asyncio.run(nobody()), "silent": asyncio.run(silent())}))
