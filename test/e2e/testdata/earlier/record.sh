#!/bin/sh
# Keeps what a version of the program leaves in its data directory, for
# TestDataOfEarlierVersions: record.sh PROGRAM NAME writes NAME.tar.gz beside this
# script. It is run once for each version that changes a file of the directory, with
# the program of the version before. What is sent is the same for every version; what
# a version does not know yet, it refuses.
set -eu
program=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
at=http://127.0.0.1:28202
now=$(date +%s)
cat >"$work/treq.yaml" <<YAML
chats: {close: {root: 100ms}}
sinks:
  - {name: copy, profile: otlp, endpoint: "http://127.0.0.1:9"}
YAML

# The exit code and the process are the caller's.
start() {
	"$program" serve --config "$work/treq.yaml" --listen 127.0.0.1:28202 --otlp-http off --otlp-grpc off --data-dir "$work/data" >>"$work/log" 2>&1 &
	process=$!
	until curl -fs "$at/readyz" >/dev/null; do kill -0 "$process" && sleep 0.1; done
}

post() { curl -s -o /dev/null -H "Content-Type: application/json" "$@"; }

start
for success in true true false; do
	post -X POST "$at/monitoring/chat/metrics?success=$success&response_time_ms=500&rag_used=true&rag_found=true&llm_tokens=100"
done
post -X POST "$at/monitoring/rag/metrics?search_time_ms=120&similarity_score=0.75&cache_hit=true&num_results=3"
post -X POST "$at/monitoring/llm/metrics?model=llama-3.1-8b-instant&tokens=300&latency_ms=650"
post -X POST --data-binary @- "$at/v1/traces" <<JSON
{"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "traced"}}]}, "scopeSpans": [{"spans": [
 {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "invoke_agent", "kind": 1,
  "startTimeUnixNano": "${now}000000000", "endTimeUnixNano": "${now}900000000",
  "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "invoke_agent"}}]},
 {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203332", "parentSpanId": "b7ad6b7169203331", "name": "chat", "kind": 3,
  "startTimeUnixNano": "${now}100000000", "endTimeUnixNano": "${now}800000000",
  "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
   {"key": "gen_ai.request.model", "value": {"stringValue": "llama-3.3-70b-versatile"}},
   {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "120"}}, {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "30"}}]}]}]}]}
JSON
# A run of LangSmith's SDK that goes on.
post --data-binary @- "$at/runs" <<JSON
{"id": "0190a000-0000-7000-8000-000000000001", "trace_id": "0190a000-0000-7000-8000-000000000001", "dotted_order": "20261123T000000000000Z0190a000-0000-7000-8000-000000000001",
 "name": "going", "run_type": "chain", "inputs": {"question": "Qual o prazo?"}, "start_time": "$(date -u +%Y-%m-%dT%H:%M:%S.000000Z)", "session_name": "native"}
JSON
# Long enough for a checkpoint of each kind and for samples of the history.
sleep 20
kill -TERM "$process" && wait "$process"
# Behind the checkpoints: what only the journal has, and the run of a killed process.
start
post -X POST "$at/monitoring/chat/metrics?success=true&response_time_ms=500&llm_tokens=100"
sleep 1
curl -s "$at/monitoring/metrics" && echo
kill -KILL "$process"
wait "$process" || true
rm -f "$work/data/journal/lock"
tar -C "$work/data" -czf "$here/$2.tar.gz" --owner=0 --group=0 --mode=go= --sort=name .
ls -l "$here/$2.tar.gz"
