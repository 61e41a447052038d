"""A LangChain application without a web server: traced by OpenLLMetry (tl),
OpenInference (oi), both (oi+tl), or LangSmith's own client (langsmith)."""

import sys

import tracing
from ledger import FAKE, chat, note, script, versions

families, conversation = sys.argv[1:3]
distributions = ["langchain", "langchain-core"]
provider = None
if families == "langsmith":
    distributions.append("langsmith")
else:
    provider = tracing.start()
for family in families.split("+"):
    if family == "tl":
        from opentelemetry.instrumentation.langchain import LangchainInstrumentor

        LangchainInstrumentor().instrument(tracer_provider=provider)
        distributions.append("opentelemetry-instrumentation-langchain")
    if family == "oi":
        from openinference.instrumentation.langchain import LangChainInstrumentor

        LangChainInstrumentor().instrument(tracer_provider=provider)
        distributions.append("openinference-instrumentation-langchain")

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_core.tools import tool

from langchain_fakes import Broken, FakeChat, Scored, store

PROMPT = ChatPromptTemplate.from_messages([("system", "Responda com: {context}"), ("human", "{question}")])
QUESTION = "A que pressão a válvula abre?"


def chain(retriever, model):
    return (
        {"context": retriever, "question": RunnablePassthrough()} | PROMPT | model | StrOutputParser()
    ).with_config(run_name="responder")


def rag():
    with chat():
        chain(Scored(store=store(0.91, 0.62, 0.45)), FakeChat()).invoke(QUESTION)


def unscored():
    with chat():
        chain(store(0.91, 0.62).as_retriever(), FakeChat()).invoke(QUESTION)


def empty():
    with chat():
        chain(Scored(store=store()), FakeChat()).invoke(QUESTION)


def search_fails():
    with chat(fails=True):
        chain(Broken(), FakeChat()).invoke(QUESTION)


def stream():
    with chat():
        for _ in chain(Scored(store=store(0.8, 0.4)), FakeChat()).stream(QUESTION):
            pass


def stream_left():
    with chat():
        # A chain would be read to its end on the way out; a model by itself is not.
        words = FakeChat().stream(QUESTION)
        next(words)
        words.close()


def stream_broken():
    with chat(fails=True):
        for _ in chain(Scored(store=store(0.8)), FakeChat(script=[{"breaks": 2}])).stream(QUESTION):
            pass


def error():
    with chat(fails=True):
        chain(Scored(store=store(0.8)), FakeChat(script=[{"fails": True}])).invoke(QUESTION)


def retry():
    model = FakeChat(script=[{"fails": True}, {}])
    with chat():
        chain(Scored(store=store(0.8)), model.with_retry(wait_exponential_jitter=False, stop_after_attempt=3)).invoke(QUESTION)


def fallback():
    heavy = FakeChat(name_of_model="glm-4.7", vendor="zhipu", script=[{"fails": True}])
    model = heavy.with_fallbacks([FakeChat(name_of_model="llama-3.3-70b-versatile")])
    with chat():
        (PROMPT | model | StrOutputParser()).invoke({"context": "", "question": QUESTION})


def cached():
    with chat():
        model = FakeChat(name_of_model="claude-sonnet-4-5", vendor="anthropic",
                         script=[{"input": 3000, "output": 1200, "cache_read": 2048, "cache_write": 512, "reasoning": 1024}])
        (PROMPT | model).invoke({"context": "", "question": QUESTION})


def untold_usage():
    with chat():
        FakeChat(script=[{"told": False}]).invoke(QUESTION)


def several():
    """Two questions, the second of which searches twice."""
    rag()
    with chat():
        both = ({"manuais": Scored(store=store(0.9)), "normas": Scored(store=store(0.3, 0.2)), "question": RunnablePassthrough()}
                | ChatPromptTemplate.from_template("{manuais} {normas} {question}") | FakeChat())
        both.invoke(QUESTION)


def agent():
    @tool
    def pressao(valvula: str) -> str:
        """Pressão de abertura de uma válvula."""
        note("tool")
        return "6 bar"

    model = FakeChat(script=[
        {"text": "", "input": 100, "output": 20, "tool_calls": [{"name": "pressao", "args": {"valvula": "V-101"}, "id": "call_1"}]},
        {"input": 150, "output": 30},
    ])
    try:
        from langchain.agents import create_agent

        run = create_agent(model, [pressao], name="inspetor").invoke
        question = {"messages": [{"role": "user", "content": QUESTION}]}
    except ImportError:
        from langchain.agents import AgentExecutor, create_tool_calling_agent

        prompt = ChatPromptTemplate.from_messages([("human", "{input}"), ("placeholder", "{agent_scratchpad}")])
        run = AgentExecutor(agent=create_tool_calling_agent(model, [pressao], prompt), tools=[pressao]).invoke
        question = {"input": QUESTION}
    with chat():
        run(question)


def http():
    """The real OpenAI integration of LangChain against the fake model."""
    from langchain_openai import ChatOpenAI

    distributions.append("langchain-openai")
    script({"text": "A 6 bar.", "prompt": 2048, "completion": 300, "cached": 1920, "reasoning": 256})
    with chat():
        chain(Scored(store=store(0.91, 0.62)), ChatOpenAI(model="gpt-5-mini", api_key="none", base_url=FAKE + "/openai/v1")).invoke(QUESTION)


def http_stream():
    from langchain_openai import ChatOpenAI

    distributions.append("langchain-openai")
    model = ChatOpenAI(model="gpt-4o-mini", api_key="none", base_url=FAKE + "/openai/v1", stream_usage=True)
    with chat():
        for _ in (PROMPT | model).stream({"context": "", "question": QUESTION}):
            pass


def double():
    """LangChain and the OpenAI client beneath it are both instrumented."""
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    distributions.append("opentelemetry-instrumentation-openai")
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    http()


globals()[conversation]()
if provider:
    provider.shutdown()
else:
    from langchain_core.tracers.langchain import wait_for_all_tracers
    from langsmith.run_trees import get_cached_client

    wait_for_all_tracers()
    get_cached_client().flush()
    from opentelemetry import trace

    if hasattr(trace.get_tracer_provider(), "shutdown"):
        trace.get_tracer_provider().shutdown()
versions(*distributions)
