"""A fake chat model and an in-memory store for LangChain that note what they do."""

import json
import math

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.vectorstores import InMemoryVectorStore

from ledger import note, searched


class FakeChat(BaseChatModel):
    """Answers from its script; the last entry repeats."""

    name_of_model: str = "llama-3.1-8b-instant"
    vendor: str = "groq"
    script: list = []
    calls: int = 0

    @property
    def _llm_type(self):
        return "fake-chat"

    @property
    def _identifying_params(self):
        return {"model": self.name_of_model}

    def _get_ls_params(self, stop=None, **kwargs):
        return {"ls_provider": self.vendor, "ls_model_name": self.name_of_model, "ls_model_type": "chat"}

    def bind_tools(self, tools, **kwargs):
        return self.bind(tools=[{"type": "function", "function": {"name": t.name, "parameters": {}}} for t in tools])

    def next(self):
        step = self.script[min(self.calls, len(self.script) - 1)] if self.script else {}
        self.calls += 1
        return {"text": "A válvula abre a 6 bar.", "input": 42, "output": 12, **step}

    def note(self, step, outcome="success", stream=""):
        told = outcome == "success" and stream != "aborted" and step.get("told", True)
        note("call", provider=self.vendor, model=self.name_of_model, operation="chat", outcome=outcome,
             streamed=bool(stream), stream=stream if told or not stream or stream == "aborted" else "usage_missing",
             **({k: step[k] for k in ("input", "output", "cache_read", "cache_write", "reasoning") if k in step} if told else {}))

    def usage(self, step):
        if not step.get("told", True):
            return None
        usage = {"input_tokens": step["input"], "output_tokens": step["output"], "total_tokens": step["input"] + step["output"]}
        details = {k: step[n] for k, n in (("cache_read", "cache_read"), ("cache_creation", "cache_write")) if n in step}
        if details:
            usage["input_token_details"] = details
        if "reasoning" in step:
            usage["output_token_details"] = {"reasoning": step["reasoning"]}
        return usage

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        step = self.next()
        if step.get("fails"):
            self.note(step, "failure")
            raise ConnectionError("the model is not available")
        self.note(step)
        message = AIMessage(step["text"], tool_calls=step.get("tool_calls", []), usage_metadata=self.usage(step),
                            response_metadata={"model_name": self.name_of_model, "finish_reason": "stop"})
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        step = self.next()
        ended = "aborted"
        try:
            for i, word in enumerate(step["text"].split(" ")):
                if step.get("breaks") == i:
                    self.note(step, "failure", "aborted")
                    ended = ""
                    raise ConnectionError("the stream broke")
                chunk = ChatGenerationChunk(message=AIMessageChunk(word + " "))
                if run_manager:
                    run_manager.on_llm_new_token(word + " ", chunk=chunk)
                yield chunk
            for i, call in enumerate(step.get("tool_calls", [])):
                yield ChatGenerationChunk(message=AIMessageChunk("", tool_call_chunks=[
                    {"index": i, "id": call["id"], "name": call["name"], "args": json.dumps(call["args"]), "type": "tool_call_chunk"}]))
            ended = "completed"
            yield ChatGenerationChunk(message=AIMessageChunk(
                "", usage_metadata=self.usage(step), response_metadata={"model_name": self.name_of_model, "finish_reason": "stop"}))
        finally:
            if ended:
                self.note(step, "success", ended)


def near(similarity):
    return [similarity, math.sqrt(1 - similarity**2)]


class Vectors(Embeddings):
    def embed_query(self, text):
        return [1.0, 0.0]

    def embed_documents(self, texts):
        return [near(float(t.split("|")[1])) for t in texts]


class Store(InMemoryVectorStore):
    """Notes each search, with scores if whoever searches is given them."""

    def search_with_scores(self, k, scored):
        found = InMemoryVectorStore._similarity_search_with_score_by_vector(self, [1.0, 0.0], k)
        searched([round(score, 6) for _, score, *_ in found], scored)
        return [(document, round(score, 6)) for document, score, *_ in found]

    def similarity_search(self, query, k=4, **kwargs):
        return [document for document, _ in self.search_with_scores(k, False)]


def store(*similarities):
    s = Store(Vectors())
    if similarities:
        s.add_documents([Document(f"Documento {i}|{s}", metadata={"source": "manual.pdf"}) for i, s in enumerate(similarities, 1)])
    return s


class Scored(BaseRetriever):
    """Gives the score in the metadata of each document."""

    store: Store
    key: str = "score"

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun):
        return [
            Document(d.page_content, metadata={**d.metadata, self.key: score})
            for d, score in self.store.search_with_scores(4, True)
        ]


class Broken(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun):
        note("search", outcome="failure", result="unknown")
        raise TimeoutError("the store does not answer")
