package api

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"time"

	"github.com/zeebo/xxh3"

	"treq/server/fault"
	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

const (
	// maxKey bounds an Idempotency-Key.
	maxKey = 255
	// countWait is how long an answer waits for the meter; what is durable and
	// not counted by then is answered as accepted.
	countWait = 10 * time.Second
)

// post is one kind of post: what it takes and the log records it becomes.
type post struct {
	parameters []parameter
	records    func(f fields) []otlp.LogData
}

var chatPost = post{
	parameters: []parameter{
		{name: "success", kind: boolean, required: true},
		{name: "response_time_ms", kind: number, required: true, max: maxMS},
		{name: "rag_used", kind: boolean},
		{name: "rag_found", kind: boolean},
		{name: "llm_tokens", kind: whole, max: maxCount},
		{name: "model", kind: text},
		{name: "provider", kind: text},
		{name: "llm_latency_ms", kind: number, max: maxMS},
		{name: "input_tokens", kind: whole, max: maxCount},
		{name: "output_tokens", kind: whole, max: maxCount},
		{name: "similarity_score", kind: number, max: 1},
		{name: "search_time_ms", kind: number, max: maxMS},
		{name: "num_results", kind: whole, max: maxCount},
		{name: "cache_hit", kind: boolean},
		{name: "data_source", kind: text},
		{name: "time_to_first_token_ms", kind: number, max: maxMS},
		{name: "run_id", kind: text},
		{name: "conversation_id", kind: text},
		{name: "user_id", kind: text},
		{name: "service", kind: text},
	},
	records: func(f fields) []otlp.LogData {
		records := []otlp.LogData{f.chat()}
		if _, ok := f.numbers["search_time_ms"]; ok {
			records = append(records, f.retrieval())
		}
		if f.texts["model"] != "" {
			records = append(records, f.llmCall("llm_tokens", "llm_latency_ms"))
		}
		return records
	},
}

var ragPost = post{
	parameters: []parameter{
		{name: "search_time_ms", kind: number, required: true, max: maxMS},
		{name: "similarity_score", kind: number, required: true, max: 1},
		{name: "cache_hit", kind: boolean},
		{name: "num_results", kind: whole, max: maxCount},
		{name: "data_source", kind: text},
		{name: "run_id", kind: text},
		{name: "service", kind: text},
	},
	records: func(f fields) []otlp.LogData { return []otlp.LogData{f.retrieval()} },
}

var llmPost = post{
	parameters: []parameter{
		{name: "model", kind: text, required: true},
		{name: "tokens", kind: whole, required: true, max: maxCount},
		{name: "latency_ms", kind: number, required: true, max: maxMS},
		{name: "input_tokens", kind: whole, max: maxCount},
		{name: "output_tokens", kind: whole, max: maxCount},
		{name: "provider", kind: text},
		{name: "time_to_first_token_ms", kind: number, max: maxMS},
		{name: "run_id", kind: text},
		{name: "service", kind: text},
	},
	records: func(f fields) []otlp.LogData { return []otlp.LogData{f.llmCall("tokens", "latency_ms")} },
}

// recorded is what FastAPI's callers read.
var recorded = []byte(`{"status":"recorded"}`)

// post takes one kind of post in. It answers when the event is durable and
// counted, so that a GET that follows shows it.
func (a *API) post(p post) fault.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		scope, err := a.o.Authorize(r.Header)
		if err != nil {
			return err
		}
		in, err := read(w, r)
		if err != nil {
			return err
		}
		f, err := parse(in, p.parameters)
		if err != nil {
			return err
		}
		receipt, err := a.append(r, scope, f.canonical(p.parameters), f.encode(p.records(f), a.now()))
		if err != nil {
			return err
		}
		return a.counted(w, r, receipt)
	}
}

// body is an encoded request and how many records it holds.
type body struct {
	bytes []byte
	items int
}

// append keeps a post. With an Idempotency-Key the same post again is the same
// event; the same key with other parameters is a mistake of the caller's.
func (a *API) append(r *http.Request, scope uint64, canonical []byte, b body) (journal.Receipt, error) {
	e := &journal.Entry{Kind: journal.Posts, Door: "api", Items: uint32(b.items), Body: b.bytes}
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		if len(key) > maxKey {
			return journal.Receipt{}, telemetry.Errorf(telemetry.Unprocessable, "Idempotency-Key may have %d bytes", maxKey)
		}
		e.Hash = xxh3.HashString128Seed(r.URL.Path+"\x00"+key, a.o.Seed^scope).Bytes()
		e.Check = xxh3.Hash(canonical)
	}
	receipt, err := a.o.Log.Append(r.Context(), e)
	if err == nil && receipt.Duplicate && receipt.Check != e.Check {
		return receipt, telemetry.Errorf(telemetry.Unprocessable,
			"this Idempotency-Key was used for a post with other parameters; nothing was recorded")
	}
	if err == nil {
		a.posts.requests.Add(1)
		if !receipt.Duplicate {
			a.posts.items.Add(int64(b.items))
			a.posts.bytes.Add(int64(len(b.bytes)))
		}
	}
	return receipt, err
}

// PostStats is what was posted since the process started: requests that were
// answered with success, and the records and bytes that they became.
type PostStats struct{ Requests, Items, Bytes int64 }

// Posts gives the counters of posts. Safe for concurrent use.
func (a *API) Posts() PostStats {
	return PostStats{a.posts.requests.Load(), a.posts.items.Load(), a.posts.bytes.Load()}
}

// counted answers once the meter has passed the post. A meter that lags, as in a
// replay, does not make the post less durable: a client must not send it again.
func (a *API) counted(w http.ResponseWriter, r *http.Request, receipt journal.Receipt) error {
	ctx, cancel := context.WithTimeout(r.Context(), countWait)
	defer cancel()
	status := http.StatusOK
	if a.o.Meter.Ready() != nil || a.o.Meter.WaitCounted(ctx, receipt.End) != nil {
		status = http.StatusAccepted
	}
	writeJSON(w, status, recorded)
	return nil
}

func (f fields) chat() otlp.LogData {
	tokens, told := f.counts["llm_tokens"]
	if !told {
		tokens = f.counts["input_tokens"] + f.counts["output_tokens"]
	}
	attributes := []otlp.KV{
		otlp.Flag(semconv.TreqSuccess, f.bools["success"]),
		otlp.F64(semconv.TreqDurationMS, f.numbers["response_time_ms"]),
		otlp.Flag(semconv.TreqRAGUsed, f.bools["rag_used"]),
		otlp.Flag(semconv.TreqRAGFound, f.bools["rag_found"]),
		otlp.I64(semconv.TreqLLMTokens, tokens),
	}
	attributes = f.addText(attributes, "run_id", semconv.TreqRunID)
	attributes = f.addText(attributes, "conversation_id", semconv.GenAIConversationID)
	attributes = f.addText(attributes, "user_id", semconv.UserID)
	return otlp.LogData{EventName: semconv.EventChat, Attributes: attributes}
}

func (f fields) retrieval() otlp.LogData {
	attributes := []otlp.KV{otlp.F64(semconv.TreqDurationMS, f.numbers["search_time_ms"])}
	documents, counted := f.counts["num_results"]
	if counted {
		attributes = append(attributes, otlp.I64(semconv.TreqDocuments, documents))
	}
	// A search that found nothing has no documents to be similar.
	if similarity, ok := f.numbers["similarity_score"]; ok && (!counted || documents > 0) {
		attributes = append(attributes, otlp.F64(semconv.TreqSimilarity, similarity))
	}
	if hit, ok := f.bools["cache_hit"]; ok {
		attributes = append(attributes, otlp.Flag(semconv.TreqCacheHit, hit))
	}
	attributes = f.addText(attributes, "data_source", semconv.GenAIDataSourceID)
	attributes = f.addText(attributes, "run_id", semconv.TreqRunID)
	return otlp.LogData{EventName: semconv.EventRetrieval, Attributes: attributes}
}

// llmCall makes the record of a model call from the parameters that are called
// tokens and latency in this post.
func (f fields) llmCall(tokens, latency string) otlp.LogData {
	var attributes []otlp.KV
	attributes = f.addText(attributes, "model", semconv.GenAIRequestModel)
	attributes = f.addText(attributes, "provider", semconv.GenAIProviderName)
	attributes = f.addNumber(attributes, latency, semconv.TreqDurationMS)
	attributes = f.addCount(attributes, tokens, semconv.TreqLLMTokens)
	attributes = f.addCount(attributes, "input_tokens", semconv.GenAIInputTokens)
	attributes = f.addCount(attributes, "output_tokens", semconv.GenAIOutputTokens)
	attributes = f.addNumber(attributes, "time_to_first_token_ms", semconv.TreqTimeToFirstTokenMS)
	attributes = f.addText(attributes, "run_id", semconv.TreqRunID)
	return otlp.LogData{EventName: semconv.EventLLMCall, Attributes: attributes}
}

func (f fields) addText(to []otlp.KV, name, key string) []otlp.KV {
	if v := f.texts[name]; v != "" {
		to = append(to, otlp.Str(key, v))
	}
	return to
}

func (f fields) addNumber(to []otlp.KV, name, key string) []otlp.KV {
	if v, ok := f.numbers[name]; ok {
		to = append(to, otlp.F64(key, v))
	}
	return to
}

func (f fields) addCount(to []otlp.KV, name, key string) []otlp.KV {
	if v, ok := f.counts[name]; ok {
		to = append(to, otlp.I64(key, v))
	}
	return to
}

// encode makes one request of the records, all of now.
func (f fields) encode(records []otlp.LogData, now time.Time) body {
	for i := range records {
		records[i].Time = uint64(now.UnixNano())
		records[i].Observed = records[i].Time
	}
	service := f.texts["service"]
	if service == "" {
		service = "default"
	}
	resource := []otlp.KV{otlp.Str(semconv.ServiceName, service)}
	return body{otlp.AppendLogsRequest(nil, resource, "treq/api", records...), len(records)}
}

// canonical spells the parameters in one way, whichever way they came, so that
// two posts under one key can be compared.
func (f fields) canonical(parameters []parameter) []byte {
	var b bytes.Buffer
	for _, p := range parameters {
		var v any
		var ok bool
		switch p.kind {
		case boolean:
			v, ok = f.bools[p.name]
		case number:
			v, ok = f.numbers[p.name]
		case whole:
			v, ok = f.counts[p.name]
		case text:
			v, ok = f.texts[p.name]
		}
		if ok {
			s := fmt.Sprint(v)
			b.WriteString(p.name)
			b.Write(binary.AppendUvarint(nil, uint64(len(s))))
			b.WriteString(s)
		}
	}
	return b.Bytes()
}
