"""What an app may use of the LangSmith SDK beside decorated functions: runs as
contexts, the wrapped client of OpenAI (plain, streamed, asynchronous, failing), a
streaming generator whose chunks are reduced, and a file beside a run. The arguments
say which; the model is a server of its own that tells its usage. Prints the versions."""

import asyncio
import importlib.metadata
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai
from langsmith import Client, trace, traceable
from langsmith.wrappers import wrap_openai

QUESTION = "A que pressão a válvula abre?"
MODEL = "llama-3.1-8b-instant"
USAGE = {"prompt_tokens": 200, "completion_tokens": 100, "total_tokens": 300}
TOLD = {"input_tokens": 200, "output_tokens": 100, "total_tokens": 300}
MESSAGES = [{"role": "user", "content": QUESTION}]
client = Client()


class Provider(BaseHTTPRequestHandler):
    """OpenAI's completions, plain and streamed; with a message of «falha», an error."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "falha" in asked["messages"][0]["content"]:
            self.answer(500, "application/json", json.dumps({"error": {"message": "the model is not available"}}))
            return
        common = {"id": "c1", "created": 1, "model": asked["model"]}
        if not asked.get("stream"):
            choice = {"index": 0, "message": {"role": "assistant", "content": "A 6 bar."}, "finish_reason": "stop"}
            self.answer(200, "application/json", json.dumps({**common, "object": "chat.completion", "choices": [choice], "usage": USAGE}))
            return
        chunks = [{"choices": [{"index": 0, "delta": {"content": word}}]} for word in ("A ", "6 ", "bar.")]
        chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, {"choices": [], "usage": USAGE}]
        lines = [json.dumps({**common, "object": "chat.completion.chunk", **chunk}) for chunk in chunks] + ["[DONE]"]
        self.answer(200, "text/event-stream", "".join(f"data: {line}\n\n" for line in lines))

    def answer(self, status, kind, body):
        raw = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_):
        pass


provider = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
threading.Thread(target=provider.serve_forever, daemon=True).start()
ACCESS = {"api_key": "of-the-app", "base_url": f"http://127.0.0.1:{provider.server_port}/v1", "max_retries": 0}
WRAP = {"tracing_extra": {"client": client}}
model = wrap_openai(openai.OpenAI(**ACCESS), **WRAP)


def question(name):
    return traceable(run_type="chain", name=name, client=client)


def context():
    with trace("responder", "chain", inputs={"question": QUESTION}, client=client) as run:
        with trace("manuais", "retriever", inputs={"query": QUESTION}, client=client) as search:
            search.end(outputs={"documents": [{"page_content": "A 6 bar.", "type": "Document", "metadata": {"score": 0.5}}]})
        with trace("ChatGroq", "llm", inputs={"messages": MESSAGES}, metadata={"ls_provider": "groq", "ls_model_name": MODEL}, client=client) as call:
            call.end(outputs={"role": "assistant", "content": "A 6 bar.", "usage_metadata": TOLD})
        run.end(outputs={"answer": "A 6 bar."})


@question("plain")
def plain(asked=QUESTION):
    return model.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": asked}]).choices[0].message.content


@question("streamed")
def streamed():
    chunks = model.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True, stream_options={"include_usage": True})
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def asynchronous():
    @question("asynchronous")
    async def ask():
        async with openai.AsyncOpenAI(**ACCESS) as provider:
            answer = await wrap_openai(provider, **WRAP).chat.completions.create(model=MODEL, messages=MESSAGES)
            return answer.choices[0].message.content

    asyncio.run(ask())


def failed():
    try:
        plain("A válvula em falha?")
    except openai.APIStatusError:
        pass


def generator():
    def whole(words):
        return {"role": "assistant", "content": "".join(words), "usage_metadata": TOLD}

    @traceable(run_type="llm", name="ChatGroq", reduce_fn=whole, metadata={"ls_provider": "groq", "ls_model_name": MODEL}, client=client)
    def words(messages):
        yield from ("A ", "6 ", "bar.")

    @traceable(run_type="chain", name="generator", reduce_fn="".join, client=client)
    def respond(asked):
        yield from words([{"role": "user", "content": asked}])

    for _ in respond(QUESTION):
        pass


def attached():
    from langsmith.schemas import Attachment

    @traceable(run_type="chain", name="attached", client=client)
    def respond(asked, manual: Attachment):
        return plain(asked)

    respond(QUESTION, Attachment(mime_type="text/plain", data="6 bar".encode()))


def beyond():
    # An integer of more than 64 bits makes the SDK leave its usual writer of JSON for
    # one that writes NaN.
    @traceable(run_type="chain", name="beyond", client=client)
    def respond(asked, large, none):
        return plain(asked)

    respond(QUESTION, 2**70, float("nan"))


for how in sys.argv[1:]:
    globals()[how]()
if hasattr(client, "flush"):
    client.flush()
elif client.tracing_queue is not None:
    client.tracing_queue.join()
print(json.dumps({name: importlib.metadata.version(name) for name in ("langsmith", "openai")}))
