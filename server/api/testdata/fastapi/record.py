"""Records what FastAPI and pydantic answer to the posts of the monitoring guide.

    pip install fastapi httpx python-multipart
    python record.py > answers.jsonl

One line a case: the request, the status, and the 422 document or the values as
pydantic read them. The tests hold the product to these lines.
"""
import json
from typing import Annotated, Optional

from fastapi import FastAPI, Form, Query
from fastapi.testclient import TestClient
from pydantic import Field, create_model

MS = dict(ge=0, le=1e9, allow_inf_nan=False)
ONE = dict(ge=0, le=1, allow_inf_nan=False)
COUNT = dict(ge=0, le=2**53)
TEXT = dict(max_length=1024)
REQUIRED = object()

CHAT = [
    ("success", bool, {}, REQUIRED), ("response_time_ms", float, MS, REQUIRED),
    ("rag_used", bool, {}, None), ("rag_found", bool, {}, None), ("llm_tokens", int, COUNT, None),
    ("model", str, TEXT, None), ("provider", str, TEXT, None), ("llm_latency_ms", float, MS, None),
    ("input_tokens", int, COUNT, None), ("output_tokens", int, COUNT, None),
    ("similarity_score", float, ONE, None), ("search_time_ms", float, MS, None),
    ("num_results", int, COUNT, None), ("cache_hit", bool, {}, None), ("data_source", str, TEXT, None),
    ("time_to_first_token_ms", float, MS, None), ("run_id", str, TEXT, None),
    ("conversation_id", str, TEXT, None), ("user_id", str, TEXT, None), ("service", str, TEXT, None),
]
RAG = [
    ("search_time_ms", float, MS, REQUIRED), ("similarity_score", float, ONE, REQUIRED),
    ("cache_hit", bool, {}, None), ("num_results", int, COUNT, None), ("data_source", str, TEXT, None),
    ("run_id", str, TEXT, None), ("service", str, TEXT, None),
]
LLM = [
    ("model", str, TEXT, REQUIRED), ("tokens", int, COUNT, REQUIRED), ("latency_ms", float, MS, REQUIRED),
    ("input_tokens", int, COUNT, None), ("output_tokens", int, COUNT, None), ("provider", str, TEXT, None),
    ("time_to_first_token_ms", float, MS, None), ("run_id", str, TEXT, None), ("service", str, TEXT, None),
]

app = FastAPI()


def handler(fields, source):
    """A route function whose parameters are declared one by one."""
    space = {"Annotated": Annotated, "Optional": Optional}
    parameters = []
    for name, kind, bounds, default in fields:
        space[f"T_{name}"] = Annotated[kind if default is REQUIRED else Optional[kind], source(**bounds)]
        parameters.append(f"{name}: T_{name}" + ("" if default is REQUIRED else " = None"))
    exec(f"async def route({', '.join(parameters)}):\n    return locals()", space)
    return space["route"]


def model(name, fields):
    return create_model(name, **{
        n: (Annotated[k if d is REQUIRED else Optional[k], Field(**b)], ... if d is REQUIRED else None)
        for n, k, b, d in fields})


def json_handler(m):
    async def route(body: m):
        return body.model_dump()
    return route


for path, fields in (("chat", CHAT), ("rag", RAG), ("llm", LLM)):
    app.post(f"/query/monitoring/{path}/metrics")(handler(fields, Query))
    app.post(f"/form/monitoring/{path}/metrics")(handler(fields, Form))
    app.post(f"/json/monitoring/{path}/metrics")(json_handler(model(path, fields)))

client = TestClient(app, raise_server_exceptions=False)


def record(source, path, query="", body="", content_type=""):
    path = f"/monitoring/{path}/metrics"
    headers = {"content-type": content_type} if content_type else {}
    answer = client.post(f"/{source}{path}" + (f"?{query}" if query else ""), content=body.encode(), headers=headers)
    if answer.status_code == 500:  # pydantic's answer held a number that JSON does not have
        return
    document = answer.json()
    if answer.status_code == 200:
        document = {k: v for k, v in document.items() if v is not None}
    print(json.dumps({"path": path, "query": query, "content_type": content_type, "body": body,
                      "status": answer.status_code, "answer": document}, ensure_ascii=False))


def quote(s):
    from urllib.parse import quote_plus
    return quote_plus(s)


BOOLS = ["", "maybe", "True", "TRUE", "1", "0", "2", "on", "oN", "y", "N", "t", "F", "yes", "no", "off", "null", " true", "true ", "01", "é", "1.0", "Y", "ON", "tru"]
FLOATS = ["", "abc", "5", "-5", "nan", "NaN", "inf", "-inf", "Infinity", "-Infinity", "infinit", "+inf", "-nan", "1e10", "1e999", "-1e999", "1_000", "0x10", "0x1p3", " 5", "5 ", "\t5\n", "\u00a05", "+5", "1.", ".5", "5.", "+.5", ".", "e5", "5e", "1e3", "1E5", "1e+5", "1e-5", "1,5", "٣", "１", "-0", "1e-400", "1__0", "_1", "1_", "1e1_0", "1._5", "1e_5", "1_000.5_0", "true", "1000000000", "1000000000.0000001", "0b1", "--5", "- 5", "+-5", "5-", "1e5e5", "1.2.3", "1 2", "850.5", "0"]
INTS = ["", "abc", "5", "-5", "1.0", "1.00", "1.5", "1.0000000001", "1.", ".0", "1e3", "1.0e0", "007", "+7", "00", "0_0", "1_000", "_1", "1_", "1__0", "+_1", "-1_0", "1.0_0", "1_0.0", " 5", "5\n", "\u00a07", "1 0", " 1.0", "9007199254740992", "9007199254740993", "9007199254740992.0", "99999999999999999999999", "-99999999999999999999999", "nan", "inf", "-0", "-0.0", "-1.0", "0x1", "true", "١", "１", "-", "+", "--1", "+-1", "+ 1", "1-1", "0" * 5000 + "1"]
JSON_BOOLS = ["true", "false", "1", "0", "2", "-1", "1.0", "0.0", "1.5", "1e0", '"true"', '"yes"', '"maybe"', '"1"', '""', "null", "[]", "{}", '{"a":1}']
JSON_FLOATS = ["1", "-5", "1.5", "-0.0", "1e10", "true", "false", '"5"', '" 5 "', '"x"', '""', '"NaN"', '"1_0"', "null", "[]", '{"a":1}', "123456789012345678901234567890"]
JSON_INTS = ["1", "-5", "1.0", "1.5", "1e3", "1.0e2", "true", "false", '"5"', '"x"', '"1.0"', '"1.5"', "[]", '{"a":1}', "9007199254740992", "9007199254740993", "123456789012345678901234567890", "1e30", "-1e30"]
JSON_TEXTS = ['"m"', '""', "5", "true", "[]", "null", '"a\\u00e9\\n"']
BODIES = ["{", "[]", '"x"', "1", '{"success":tru}', '{"success":true,}', '{"success":true,"response_time_ms":1}}', "{}", '{"a":1', '{"a":"b', "\u00ff", '{"a":"\\q"}', "nul", "-", '{"a":01}', '{"a":1.}', '{"a":1}{"b":2}', "\ufeff{}", '{"success":"x","success":true,"response_time_ms":2}', '  {"success" : true , "response_time_ms" : 1 }  ', '{"success":"é<&>","response_time_ms":"\\u0000"}']

record("query", "chat")
for v in BOOLS:
    record("query", "chat", f"success={quote(v)}&response_time_ms=1")
for v in FLOATS:
    record("query", "chat", f"success=true&response_time_ms={quote(v)}")
for v in INTS:
    record("query", "chat", f"success=true&response_time_ms=1&llm_tokens={quote(v)}")
for q in ["success=x&success=true&response_time_ms=1", "success=true&success=x&response_time_ms=1&llm_tokens=-1&rag_used=x&rag_found=z",
          "success=true&response_time_ms=1&model=", "success=true&response_time_ms=1&model=" + "m" * 1024, "success=true&response_time_ms=1&model=" + "é" * 1025,
          "success=%ff&response_time_ms=%zz", "success&response_time_ms=1;llm_tokens=7", "success=tr%C3%A9+%22%5C%3C&response_time_ms=%00",
          "success=true&response_time_ms=1&&=&x&unknown=1", "success=true&response_time_ms=500&rag_used=true&rag_found=true&llm_tokens=100", "Success=true&response_time_ms=1",
          "success=true&response_time_ms=1&cache_hit=2&similarity_score=1.5&search_time_ms=-1&num_results=x&input_tokens=-1&output_tokens=1.5&llm_latency_ms=nan&time_to_first_token_ms=1e10"]:
    record("query", "chat", q)
for q in ["", "search_time_ms=120.3&similarity_score=0.685", "search_time_ms=1&similarity_score=1.5", "search_time_ms=-1&similarity_score=-0.1&num_results=-1&cache_hit=2",
          "search_time_ms=1&similarity_score=1.0000001", "search_time_ms=2e9&similarity_score=1&num_results=9007199254740993", "search_time_ms=1&similarity_score=nan"]:
    record("query", "rag", q)
for q in ["", "model=glm-4.7&tokens=10&latency_ms=650.2", "model=&tokens=x&latency_ms=", "model=m&tokens=-1&latency_ms=-1&provider=p&time_to_first_token_ms=x"]:
    record("query", "llm", q)
FORM = "application/x-www-form-urlencoded"
for b in ["success=true&response_time_ms=1", "success=x&response_time_ms=-1&llm_tokens=y", "success=true&response_time_ms=&llm_tokens=", "success=false&success=true&response_time_ms=1&service=a+b%20c"]:
    record("form", "chat", "", b, FORM)
record("form", "chat", "", '--X\r\nContent-Disposition: form-data; name="success"\r\n\r\ntrue\r\n--X\r\nContent-Disposition: form-data; name="response_time_ms"\r\n\r\nx\r\n--X--\r\n', "multipart/form-data; boundary=X")
JSON = "application/json"
for b in BODIES:
    record("json", "chat", "", b, JSON)
for v in JSON_BOOLS:
    record("json", "chat", "", '{"success":%s,"response_time_ms":1}' % v, JSON)
for v in JSON_FLOATS:
    record("json", "chat", "", '{"success":true,"response_time_ms":%s}' % v, JSON)
for v in JSON_INTS:
    record("json", "chat", "", '{"success":true,"response_time_ms":1,"llm_tokens":%s}' % v, JSON)
for v in JSON_TEXTS:
    record("json", "chat", "", '{"success":true,"response_time_ms":1,"model":%s}' % v, JSON)
record("json", "llm", "", '{"model":null,"tokens":null,"latency_ms":null}', JSON)
record("json", "rag", "", '{"search_time_ms":1,"similarity_score":0.5,"cache_hit":null}', "application/vnd.api+json; charset=utf-8")
