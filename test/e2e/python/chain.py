"""LangChain with the LangSmith callbacks that the environment turns on: a retrieval
chain, the same streamed, a model with a tool, and, where LangGraph and LangChain's
agents are installed, a graph and an agent, each also streamed. The model is a fake that tells its usage. Prints the versions."""

import importlib.metadata
import json
import sys

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.documents import Document
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from langchain_core.tools import tool
from langchain_core.tracers.langchain import wait_for_all_tracers

QUESTION = "A que pressão a válvula abre?"
USAGE = {"input_tokens": 200, "output_tokens": 100, "total_tokens": 300}


class Model(BaseChatModel):
    """Answers with words, or with the call of a tool where it is told to."""

    calls_tool: bool = False

    @property
    def _llm_type(self):
        return "fake-chat"

    def _get_ls_params(self, stop=None, **kwargs):
        return {"ls_provider": "groq", "ls_model_name": "llama-3.1-8b-instant", "ls_model_type": "chat"}

    def bind_tools(self, tools, **kwargs):
        return self.bind(tools=[t.name for t in tools])

    def _message(self, messages):
        if self.calls_tool and not isinstance(messages[-1], ToolMessage):
            return AIMessage("", tool_calls=[{"name": "pressao", "args": {"valvula": "V-101"}, "id": "1"}], usage_metadata=USAGE)
        return AIMessage("A 6 bar.", usage_metadata=USAGE)

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        return ChatResult(generations=[ChatGeneration(message=self._message(messages))])

    def _stream(self, messages, stop=None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs):
        message = self._message(messages)
        for word in message.content.split(" "):
            chunk = ChatGenerationChunk(message=AIMessageChunk(word))
            if run_manager:
                run_manager.on_llm_new_token(word, chunk=chunk)
            yield chunk
        yield ChatGenerationChunk(message=AIMessageChunk(
            "", usage_metadata=USAGE, tool_call_chunks=[{"name": c["name"], "args": json.dumps(c["args"]), "id": c["id"], "index": 0} for c in message.tool_calls]))


class Manuals(BaseRetriever):
    def _get_relevant_documents(self, query, *, run_manager):
        return [Document(f"Documento {i}", metadata={"source": "manual.pdf", "score": s}) for i, s in enumerate((0.75, 0.25), 1)]


@tool
def pressao(valvula: str) -> str:
    """A pressão de abertura de uma válvula."""
    return "6 bar"


def rag():
    prompt = ChatPromptTemplate.from_messages([("system", "Responda com: {context}"), ("human", "{question}")])
    return ({"context": Manuals(), "question": RunnablePassthrough()} | prompt | Model() | StrOutputParser()).with_config(run_name="responder")


def plain():
    rag().invoke(QUESTION)


def streamed():
    for _ in rag().stream(QUESTION):
        pass


def tools():
    def respond(question):
        model = Model(calls_tool=True)
        messages = [HumanMessage(question)]
        messages.append(model.invoke(messages))
        messages.append(pressao.invoke({**messages[-1].tool_calls[0], "type": "tool_call"}))
        return model.invoke(messages).content

    RunnableLambda(respond).with_config(run_name="responder").invoke(QUESTION)


def compiled():
    from langgraph.graph import END, START, MessagesState, StateGraph

    model = Model(calls_tool=True)

    def think(state):
        return {"messages": [model.invoke(state["messages"])]}

    def act(state):
        call = state["messages"][-1].tool_calls[0]
        return {"messages": [ToolMessage(pressao.invoke(call["args"]), tool_call_id=call["id"])]}

    g = StateGraph(MessagesState)
    g.add_node("think", think)
    g.add_node("act", act)
    g.add_edge(START, "think")
    g.add_conditional_edges("think", lambda s: "act" if s["messages"][-1].tool_calls else END)
    g.add_edge("act", "think")
    return g.compile()


ASKED = {"messages": [HumanMessage(QUESTION)]}


def graph():
    compiled().invoke(ASKED)


def graph_streamed():
    for _ in compiled().stream(ASKED, stream_mode="messages"):
        pass


def agent():
    from langchain.agents import create_agent

    create_agent(Model(calls_tool=True), [pressao], name="atendente").invoke(ASKED)


def agent_streamed():
    from langchain.agents import create_agent

    for _ in create_agent(Model(calls_tool=True), [pressao], name="atendente").stream(ASKED, stream_mode="messages"):
        pass


for how in sys.argv[1:]:
    globals()[how]()
wait_for_all_tracers()
print(json.dumps({name: importlib.metadata.version(name) for name in ("langsmith", "langchain-core")}))
