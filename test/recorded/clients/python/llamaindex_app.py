"""A LlamaIndex application under OpenInference, with a fake model and vectors held
in memory."""

import asyncio
import sys

import tracing
from ledger import chat, note, searched, versions

conversation = sys.argv[1]
provider = tracing.start()

from openinference.instrumentation.llama_index import LlamaIndexInstrumentor

LlamaIndexInstrumentor().instrument(tracer_provider=provider)

import math

from llama_index.core import Document, Settings, VectorStoreIndex
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse, LLMMetadata, MessageRole
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.llms import CustomLLM
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.vector_stores import SimpleVectorStore

ANSWER = "A válvula abre a 6 bar."


class FakeModel(CustomLLM):
    model: str = "llama-3.3-70b-versatile"
    fails: bool = False
    answers: list = []

    @property
    def metadata(self):
        return LLMMetadata(model_name=self.model, is_chat_model=True)

    def told(self, stream="", outcome="success"):
        usage = {} if outcome == "failure" else {"input": 42, "output": 12}
        note("call", model=self.model, operation="chat", outcome=outcome, streamed=bool(stream), stream=stream,
             ttft_known=bool(stream), **usage)
        if outcome == "failure":
            raise ConnectionError("the model is not available")
        return {"usage": {"prompt_tokens": 42, "completion_tokens": 12, "total_tokens": 54}, "model": self.model}

    def text(self):
        return self.answers.pop(0) if self.answers else ANSWER

    @llm_completion_callback()
    def complete(self, prompt, formatted=False, **kwargs):
        return CompletionResponse(text=self.text(), raw=self.told())

    @llm_chat_callback()
    def chat(self, messages, **kwargs):
        raw = self.told(outcome="failure" if self.fails else "success")
        return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=self.text()), raw=raw)

    @llm_completion_callback()
    def stream_complete(self, prompt, formatted=False, **kwargs):
        raise NotImplementedError

    @llm_chat_callback()
    def stream_chat(self, messages, **kwargs):
        def words():
            text = ""
            for word in self.text().split(" "):
                text += word + " "
                yield ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text), delta=word + " ")
            raw = self.told(stream="completed")
            yield ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text), delta="", raw=raw)

        return words()


def near(text):
    similarity = float(text.split("|")[1])
    return [similarity, math.sqrt(1 - similarity**2)]


class Vectors(BaseEmbedding):
    model_name: str = "vetores"

    def _get_query_embedding(self, query):
        note("embedding", model=self.model_name, outcome="success")
        return [1.0, 0.0]

    async def _aget_query_embedding(self, query):
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text):
        note("embedding", model=self.model_name, outcome="success")
        return near(text)

    def _get_text_embeddings(self, texts):
        note("embedding", model=self.model_name, outcome="success")
        return [near(t) for t in texts]


class Store(SimpleVectorStore):
    def query(self, query, **kwargs):
        found = super().query(query, **kwargs)
        searched([round(s, 6) for s in found.similarities])
        return found


dispatcher = get_dispatcher(__name__)


class Reranker(BaseNodePostprocessor):
    """Turns the order around and keeps two."""

    model: str = "bge-reranker-v2-m3"

    def _postprocess_nodes(self, nodes, query_bundle=None):
        dispatcher.event(ReRankStartEvent(query=query_bundle, nodes=nodes, top_n=2, model_name=self.model))
        kept = [n.model_copy(update={"score": 0.99 - i / 10}) for i, n in enumerate(reversed(nodes))][:2]
        dispatcher.event(ReRankEndEvent(nodes=kept))
        note("rerank", model=self.model, outcome="success", documents=len(kept))
        return kept


def index(*similarities):
    from llama_index.core import StorageContext

    store = Store()
    documents = [Document(text=f"Documento {i}|{s}", id_=f"doc-{i}") for i, s in enumerate(similarities, 1)]
    return VectorStoreIndex.from_documents(
        documents, embed_model=Settings.embed_model, storage_context=StorageContext.from_defaults(vector_store=store))


Settings.llm = FakeModel()
Settings.embed_model = Vectors()
QUESTION = "A que pressão a válvula abre?"


def query():
    engine = index(0.91, 0.62, 0.45).as_query_engine(similarity_top_k=3)
    with chat():
        engine.query(QUESTION)


def retrieve():
    """A search by itself is no chat."""
    index(0.91, 0.62).as_retriever(similarity_top_k=2).retrieve(QUESTION)


def stream():
    engine = index(0.8, 0.4).as_query_engine(streaming=True)
    with chat():
        for _ in engine.query(QUESTION).response_gen:
            pass


def rerank():
    engine = index(0.91, 0.62, 0.45).as_query_engine(similarity_top_k=3, node_postprocessors=[Reranker()])
    with chat():
        engine.query(QUESTION)


def empty():
    engine = index().as_query_engine()
    with chat():
        engine.query(QUESTION)


def error():
    engine = index(0.8).as_query_engine(llm=FakeModel(fails=True))
    with chat(fails=True):
        engine.query(QUESTION)


def refine():
    """More text than one prompt holds: an answer, then a refinement of it."""
    engine = index(0.91, 0.62).as_query_engine(similarity_top_k=2, response_mode="refine")
    with chat():
        engine.query(QUESTION)


def chat_engine():
    """Two turns; the second condenses the question first."""
    engine = index(0.91, 0.62).as_chat_engine(chat_mode="condense_plus_context", similarity_top_k=2)
    for _ in range(2):
        with chat():
            engine.chat(QUESTION)


def agent():
    from llama_index.core.agent.workflow import ReActAgent
    from llama_index.core.tools import FunctionTool

    def pressao(valvula: str) -> str:
        """Pressão de abertura de uma válvula."""
        note("tool")
        return "6 bar"

    model = FakeModel(answers=[
        'Thought: I need a tool.\nAction: pressao\nAction Input: {"valvula": "V-101"}',
        "Thought: I can answer without using any more tools.\nAnswer: A 6 bar.",
    ])

    async def run():
        await ReActAgent(tools=[FunctionTool.from_defaults(pressao)], llm=model, streaming=False).run(QUESTION)

    with chat():
        asyncio.run(run())


globals()[conversation]()
provider.shutdown()
versions("llama-index-core", "openinference-instrumentation-llama-index")
