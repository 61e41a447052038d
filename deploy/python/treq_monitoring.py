"""Numbers of a chat for treq-telemetry, which it never waits for.

record_* put a measurement into a bounded queue and return; one task sends them. What is
None is not known, and not sent: no num_results is no word on them, 0 an empty search. What
finds no room, or nobody there, is counted in `dropped` and logged once. Await flush()
at shutdown. traced() is for services of the OpenTelemetry SDK, whose batches do the
same with spans.
"""
import asyncio
import contextlib
import logging
import os

import httpx

URL = os.getenv("TREQ_MONITORING_URL", "http://localhost:8002")
TOKEN = os.getenv("TREQ_INGEST_TOKEN", "")
TIMEOUT = 2  # seconds an answer may take
ROOM = 1000  # measurements that may wait
dropped = 0
_queue, _task = None, None

def _drop(count, why):
    global dropped
    if count and not dropped:
        logging.getLogger(__name__).warning("Numbers are lost, which `dropped` counts from here on: %s", why)
    dropped += count

async def _send(queue):
    headers = {"Authorization": f"Bearer {TOKEN}"} if TOKEN else {}
    try:
        # In a thread, because the client reads the system's certificates.
        client = await asyncio.to_thread(httpx.AsyncClient, base_url=URL, headers=headers, timeout=TIMEOUT)
        async with client:
            while True:
                kind, values = await queue.get()
                try:
                    (await client.post(f"/monitoring/{kind}/metrics", params=values)).raise_for_status()
                except asyncio.CancelledError:
                    _drop(1, "the service stops")
                    raise
                except Exception as error:
                    _drop(1, repr(error))
                finally:
                    queue.task_done()
    finally:
        _drop(queue.qsize(), "the service stops")

def _record(kind, **values):
    global _queue, _task
    if _task is None or _task.done() or _task.get_loop() is not asyncio.get_running_loop():
        _queue = asyncio.Queue(maxsize=ROOM)
        _task = asyncio.create_task(_send(_queue))
    try:
        _queue.put_nowait((kind, {name: value for name, value in values.items() if value is not None}))
    except asyncio.QueueFull:
        _drop(1, f"{ROOM} wait to be sent to {URL}")

async def record_chat_metrics(success, response_time_ms, rag_used=False, rag_found=False, llm_tokens=0):
    _record("chat", success=success, response_time_ms=response_time_ms, rag_used=rag_used, rag_found=rag_found, llm_tokens=llm_tokens)

async def record_rag_metrics(search_time_ms, similarity_score, cache_hit=False, num_results=None):
    _record("rag", search_time_ms=search_time_ms, similarity_score=similarity_score, cache_hit=cache_hit, num_results=num_results)

async def record_llm_metrics(model, tokens, latency_ms):
    _record("llm", model=model, tokens=tokens, latency_ms=latency_ms)

async def flush(timeout=2):
    """Sends what waits, at most so many seconds; what is left then is dropped."""
    if _task is None or _task.done():
        return
    try:
        await asyncio.wait_for(_queue.join(), timeout)
    except asyncio.TimeoutError:
        _task.cancel()
        await asyncio.wait([_task], timeout=timeout)

@contextlib.contextmanager
def traced(operation, attributes=None):
    """A span: "invoke_agent" is a chat, "retrieval" a search, "chat" a model's call.

    Its attributes are those of https://opentelemetry.io/docs/specs/semconv/gen-ai/;
    what is known at the end only is set on the span.
    """
    from opentelemetry import trace
    attributes = {"gen_ai.operation.name": operation} | (attributes or {})
    with trace.get_tracer("treq_monitoring").start_as_current_span(operation, attributes=attributes) as span:
        yield span
