"""The OpenAI or Groq client against the fake model, instrumented by OpenInference
(oi), OpenLLMetry (tl), or both at once (oi+tl, tl+oi: the first is the outer)."""

import sys

import tracing
from ledger import FAKE, chat, note, script, versions

families, vendor, conversation = sys.argv[1:4]
provider = tracing.start()
distributions = [vendor, "opentelemetry-sdk"]


def instrument(family):
    module = {"oi": "openinference.instrumentation.", "tl": "opentelemetry.instrumentation."}[family] + vendor
    distribution = module.replace(".", "-")
    distributions.append(distribution)
    name = {"openai": "OpenAIInstrumentor", "groq": "GroqInstrumentor"}[vendor]
    getattr(__import__(module, fromlist=[name]), name)().instrument(tracer_provider=provider)


# What wraps a function last is called first.
for family in reversed(families.split("+")):
    instrument(family)

if vendor == "groq":
    from groq import Groq as Client

    client = Client(api_key="none", base_url=FAKE + "/groq", max_retries=0)
    model = "llama-3.3-70b-versatile"
else:
    from openai import OpenAI as Client

    client = Client(api_key="none", base_url=FAKE + "/openai/v1", max_retries=0)
    model = "gpt-4o-mini"

QUESTION = [{"role": "user", "content": "A que pressão a válvula abre?"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "pressao",
        "description": "Pressão de abertura",
        "parameters": {"type": "object", "properties": {"valvula": {"type": "string"}}},
    },
}


def ask(**options):
    return client.chat.completions.create(**{"model": model, "messages": QUESTION, **options})


def plain():
    with chat():
        ask()


def twice():
    for _ in range(2):
        with chat():
            ask()


def snapshot():
    script({"text": "A 6 bar.", "model": "gpt-4o-mini-2024-07-18", "prompt": 42, "completion": 12})
    with chat():
        ask()


def stream():
    with chat():
        for _ in ask(stream=True):
            pass


def stream_usage():
    with chat():
        for _ in ask(stream=True, stream_options={"include_usage": True}):
            pass


def stream_left():
    script({"text": "A válvula abre a 6 bar e fecha a 5.", "leave": 3, "prompt": 42, "completion": 12})
    with chat():
        chunks = ask(stream=True)
        for _, _ in zip(range(3), chunks):
            pass
        chunks.close()


def stream_broken():
    script({"text": "A válvula abre a 6 bar e fecha a 5.", "break": 3, "prompt": 42, "completion": 12})
    with chat(fails=True):
        for _ in ask(stream=True):
            pass


def error():
    script({"status": 500})
    with chat(fails=True):
        ask()


def limited():
    script({"status": 429})
    with chat(fails=True):
        ask()


def hidden_retry():
    client.max_retries = 1
    script({"status": 500}, {"text": "A 6 bar.", "prompt": 42, "completion": 12})
    with chat():
        ask()


def tools():
    script({"tools": [{"name": "pressao", "arguments": {"valvula": "V-101"}}], "prompt": 61, "completion": 17})
    with chat():
        ask(tools=[TOOL])


def cached():
    script({"text": "A 6 bar.", "prompt": 2048, "completion": 12, "cached": 1920})
    with chat():
        ask()


def reasoning():
    script({"text": "A 6 bar.", "model": "o4-mini", "prompt": 75, "completion": 1186, "reasoning": 1024})
    with chat():
        ask(model="o4-mini")


def responses():
    script({"text": "A 6 bar.", "prompt": 1536, "completion": 320, "cached": 1408, "reasoning": 256})
    with chat():
        client.responses.create(model="gpt-5-mini", input="A que pressão a válvula abre?")


def responses_stream():
    script({"text": "A 6 bar.", "prompt": 36, "completion": 12})
    with chat():
        for _ in client.responses.create(model="gpt-5-mini", input="A que pressão?", stream=True):
            pass


def embeddings():
    client.embeddings.create(model="text-embedding-3-small", input=["válvula", "pressão"])
    with chat():
        ask()


globals()[conversation]()
provider.shutdown()
versions(*distributions)
