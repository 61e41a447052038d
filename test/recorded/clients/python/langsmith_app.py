"""Functions under the LangSmith SDK's decorator; the environment says whether runs
leave as OTLP, as native runs, or both."""

import os
import sys

from ledger import FAKE, chat, note, script, searched, versions
from langsmith import traceable
from langsmith.run_trees import get_cached_client

conversation = sys.argv[1]
distributions = ["langsmith"]
QUESTION = "A que pressão a válvula abre?"
USAGE = {"input_tokens": 42, "output_tokens": 12, "total_tokens": 54}


@traceable(run_type="retriever", name="manuais")
def retrieve(question, scores=(0.75, 0.25), scored=True):
    searched(list(scores), scored)
    return [
        {"page_content": f"Documento {i}", "type": "Document", "metadata": {"source": "manual.pdf", **({"score": s} if scored else {})}}
        for i, s in enumerate(scores, 1)
    ]


def model(vendor, name, outcome="success", **tokens):
    note("call", provider=vendor, model=name, operation="chat", outcome=outcome, **tokens)
    if outcome == "failure":
        raise ConnectionError("the model is not available")


@traceable(run_type="llm", name="ChatGroq", metadata={"ls_provider": "groq", "ls_model_name": "llama-3.1-8b-instant", "ls_model_type": "chat"})
def generate(messages, fails=False):
    model("groq", "llama-3.1-8b-instant", **({"outcome": "failure"} if fails else {"input": 42, "output": 12}))
    return {"role": "assistant", "content": "A 6 bar.", "usage_metadata": USAGE}


@traceable(run_type="llm", name="ChatAnthropic", metadata={"ls_provider": "anthropic", "ls_model_name": "claude-sonnet-4-5", "ls_model_type": "chat"})
def generate_cached(messages):
    model("anthropic", "claude-sonnet-4-5", input=3000, output=1200, cache_read=2048, cache_write=512, reasoning=1024)
    return {"role": "assistant", "content": "A 6 bar.", "usage_metadata": {
        "input_tokens": 3000, "output_tokens": 1200, "total_tokens": 4200,
        "input_token_details": {"cache_read": 2048, "cache_creation": 512}, "output_token_details": {"reasoning": 1024}}}


@traceable(run_type="llm", name="ChatGroq", metadata={"ls_provider": "groq", "ls_model_name": "llama-3.1-8b-instant", "ls_model_type": "chat"},
           reduce_fn=lambda words: {"role": "assistant", "content": "".join(words), "usage_metadata": USAGE})
def generate_stream(messages):
    yield from "A válvula abre a 6 bar.".split(" ")
    note("call", provider="groq", model="llama-3.1-8b-instant", operation="chat", outcome="success", streamed=True, stream="completed",
         input=42, output=12)


@traceable(run_type="tool", name="pressao")
def pressure(valve):
    note("tool")
    return "6 bar"


MESSAGES = [{"role": "user", "content": QUESTION}]


@traceable(name="responder")
def answer(question, how):
    return how()


def rag():
    with chat():
        answer(QUESTION, lambda: (retrieve(QUESTION), generate(MESSAGES))[1]["content"])


def empty():
    with chat():
        answer(QUESTION, lambda: (retrieve(QUESTION, ()), generate(MESSAGES))[1]["content"])


def error():
    with chat(fails=True):
        answer(QUESTION, lambda: (retrieve(QUESTION), generate(MESSAGES, fails=True)))


def retried():
    def how():
        try:
            return generate(MESSAGES, fails=True)
        except ConnectionError:
            return generate(MESSAGES)["content"]

    with chat():
        answer(QUESTION, how)


def cached():
    with chat():
        answer(QUESTION, lambda: generate_cached(MESSAGES)["content"])


def tools():
    with chat():
        answer(QUESTION, lambda: (generate(MESSAGES), pressure("V-101"), generate(MESSAGES))[2]["content"])


def stream():
    @traceable(name="responder", reduce_fn="".join)
    def answer_stream(question):
        yield from generate_stream(MESSAGES)

    with chat():
        for _ in answer_stream(QUESTION):
            pass


def wrapped():
    """The wrapper around the OpenAI client, and what it says of usage."""
    from langsmith.wrappers import wrap_openai
    from openai import OpenAI

    distributions.append("openai")
    client = wrap_openai(OpenAI(api_key="none", base_url=FAKE + "/openai/v1", max_retries=0))
    script({"text": "A 6 bar.", "prompt": 2048, "completion": 300, "cached": 1920, "reasoning": 256})
    with chat():
        answer(QUESTION, lambda: client.chat.completions.create(model="gpt-5-mini", messages=MESSAGES).choices[0].message.content)


def wrapped_stream():
    from langsmith.wrappers import wrap_openai
    from openai import OpenAI

    distributions.append("openai")
    client = wrap_openai(OpenAI(api_key="none", base_url=FAKE + "/openai/v1", max_retries=0))

    def how():
        stream = client.chat.completions.create(
            model="gpt-4o-mini", messages=MESSAGES, stream=True, stream_options={"include_usage": True})
        return "".join(c.choices[0].delta.content or "" for c in stream if c.choices)

    with chat():
        answer(QUESTION, how)


def feedback():
    """A judgement of a run, as users give it with a button; the SDK sends it by itself."""
    from langsmith.run_helpers import get_current_run_tree

    runs = []

    def how():
        runs.append(get_current_run_tree().id)
        return generate(MESSAGES)["content"]

    with chat():
        answer(QUESTION, how)
    client = get_cached_client()
    client.flush()
    note("feedback", key="user-score", score=1.0)
    client.create_feedback(run_id=runs[0], key="user-score", score=1.0, comment="Resposta certa.")


def nested_retrievers():
    """Retrievers inside retrievers, for one search; a model run inside another, for one call."""

    @traceable(run_type="retriever", name="vector_search")
    def vector_search(question):
        searched([0.82, 0.41])
        return [{"content": f"Documento {i}", "similarity": s} for i, s in enumerate((0.82, 0.41), 1)]

    hybrid = traceable(run_type="retriever", name="hybrid_search")(lambda question: vector_search(question))
    outer = traceable(run_type="retriever", name="hybrid_search_with_fallback")(lambda question: (hybrid(question), False))

    @traceable(run_type="llm", name="call_groq")
    def call_groq(messages, model="llama-3.1-8b-instant"):
        note("call", model=model, operation="chat", outcome="success")
        return "A 6 bar."

    wrapper = traceable(run_type="llm", name="llm_generate_non_stream")(
        lambda messages, model="llama-3.1-8b-instant": call_groq(messages, model=model))

    @traceable(run_type="chain", name="chat_endpoint")
    def chat_endpoint(message):
        outer(message)
        return {"answer": wrapper(MESSAGES)}

    with chat():
        chat_endpoint(QUESTION)


def split_traces():
    """A streamed answer of generators that leave the decorators at once: one question, four root traces."""

    @traceable(run_type="llm", name="stream_groq")
    def stream_groq(messages, model="llama-3.3-70b-versatile"):
        def words():
            yield "A 6 bar."
            note("call", model=model, operation="chat", outcome="success", streamed=True, stream="usage_missing")

        return Lazy(words())

    @traceable(run_type="llm", name="llm_generate_stream")
    def generate_lazily(messages, model="llama-3.3-70b-versatile"):
        return stream_groq(messages, model=model)

    @traceable(run_type="llm", name="call_groq")
    def call_groq(messages, model="llama-3.1-8b-instant"):
        note("call", model=model, operation="chat", outcome="success")
        return "sim"

    @traceable(run_type="chain", name="validate_grounding")
    def validate(text):
        return call_groq(MESSAGES)

    @traceable(run_type="chain", name="chat_endpoint")
    def chat_endpoint(message):
        retrieve(message, (0.82, 0.41))
        return "StreamingResponse"

    with chat():
        chat_endpoint(QUESTION)
        text = "".join(generate_lazily(MESSAGES))
        validate(text)


class Lazy:
    """An iterable that the decorator does not take for a generator."""

    def __init__(self, words):
        self.words = words

    def __iter__(self):
        return self.words

    def __repr__(self):
        return "<generator object words>"


globals()[conversation]()
get_cached_client().flush()
if os.environ.get("LANGSMITH_OTEL_ENABLED"):
    from opentelemetry import trace

    distributions.append("opentelemetry-sdk")
    trace.get_tracer_provider().shutdown()
versions(*distributions)
