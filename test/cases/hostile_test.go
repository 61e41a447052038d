package cases

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry/instrument"
	"treq/telemetry/otlp"
	"treq/telemetry/snapshot"
	"treq/telemetry/understand"
)

// chain is the product's way from spans to numbers: engine, instruments, reader.
type chain struct {
	*understand.Engine
	reader *snapshot.Reader
}

func newChain(t testing.TB) chain {
	t.Helper()
	in, err := instrument.New(instrument.Options{})
	if err != nil {
		t.Fatal(err)
	}
	reader := snapshot.NewReader(snapshot.Options{MaxAge: -1, Instruments: in})
	snapshot.NewProvider(reader)
	config := understand.DefaultConfig()
	config.HorizonBytes = 1 << 20
	e, err := understand.New(config, in)
	if err != nil {
		t.Fatal(err)
	}
	return chain{e, reader}
}

// documents gives the guide's documents and the list of entries as JSON, and the
// exposition.
func (c chain) documents(t testing.TB) (texts []string, exposition string) {
	t.Helper()
	s, err := c.reader.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	metrics, summary := snapshot.Build(s, snapshot.Query{}, snapshot.System{Status: snapshot.Healthy}, epoch, time.Hour)
	for _, document := range []any{metrics, summary, c.Entries()} {
		text, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	exposed, err := snapshot.NewExposition(c.reader, snapshot.ExpositionOptions{OnError: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	exposed.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Errorf("/metrics answers %d", w.Code)
	}
	return texts, w.Body.String()
}

// hostile is one thing that nobody should send.
type hostile struct {
	name string
	kind string // of openinference.span.kind
	span func(*otlp.SpanData)
	// reason is the word under which it must be counted, "" for what is no fault.
	reason string
}

func with(kvs ...otlp.KV) func(*otlp.SpanData) {
	return func(sp *otlp.SpanData) { sp.Attributes = append(sp.Attributes, kvs...) }
}

func hostiles() []hostile {
	var all []hostile
	values := map[string]func(string) otlp.KV{
		"NaN": func(k string) otlp.KV { return otlp.F64(k, math.NaN()) }, "+Inf": func(k string) otlp.KV { return otlp.F64(k, math.Inf(1)) },
		"-Inf": func(k string) otlp.KV { return otlp.F64(k, math.Inf(-1)) }, "-1": func(k string) otlp.KV { return otlp.I64(k, -1) },
		"-0.5": func(k string) otlp.KV { return otlp.F64(k, -0.5) }, "1e308": func(k string) otlp.KV { return otlp.F64(k, 1e308) },
		"minimum": func(k string) otlp.KV { return otlp.I64(k, math.MinInt64) }, "2^63-1": func(k string) otlp.KV { return otlp.I64(k, math.MaxInt64) },
		"2^63": func(k string) otlp.KV { return otlp.F64(k, 1<<63) }, `"2^63"`: func(k string) otlp.KV { return otlp.Str(k, "9223372036854775808") },
		`"NaN"`: func(k string) otlp.KV { return otlp.Str(k, "NaN") }, `"Infinity"`: func(k string) otlp.KV { return otlp.Str(k, "Infinity") },
		`"-1"`: func(k string) otlp.KV { return otlp.Str(k, "-1") }, `"1e999"`: func(k string) otlp.KV { return otlp.Str(k, "1e999") },
	}
	for _, key := range []string{
		"gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt",
		"llm.token_count.completion", "llm.usage.total_tokens", "gen_ai.usage.cache_read.input_tokens",
		"gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.reasoning.output_tokens",
	} {
		for name, number := range values {
			all = append(all, hostile{key + " " + name, "LLM", with(number(key)), "tokens"})
		}
	}
	for _, key := range []string{"gen_ai.response.time_to_first_chunk", "ai.response.msToFirstChunk", "llm.time_to_first_token_ns"} {
		for name, number := range values {
			if key == "llm.time_to_first_token_ns" && name == "-0.5" {
				continue
			}
			all = append(all, hostile{key + " " + name, "LLM", with(number(key)), "duration"})
		}
	}
	for name, number := range values {
		all = append(all, hostile{"a score of " + name, "RETRIEVER", with(number("retrieval.documents.0.document.score")), "similarity_range"})
		all = append(all, hostile{"a count of documents of " + name, "", with(otlp.Str("db.system", "chroma"), otlp.Str("db.operation", "query"), number("db.vector.query.result_count")), ""})
		all = append(all, hostile{"a distance of " + name, "", with(otlp.Str("db.system", "chroma"), otlp.Str("db.operation", "query"),
			otlp.I64("db.vector.query.result_count", 1), number("db.vector.query.top_distance")), ""})
		all = append(all, hostile{"a status of " + name, "CHAIN", with(number("http.response.status_code")), ""})
	}
	base := uint64(epoch.UnixNano())
	for name, times := range map[string][2]uint64{
		"no start": {0, base}, "no end": {base, 0}, "neither": {0, 0}, "after 2262": {base, 1 << 63}, "the last moment": {math.MaxUint64, math.MaxUint64},
	} {
		for _, kind := range []string{"LLM", "RETRIEVER", "CHAIN"} {
			all = append(all, hostile{name + " of " + kind, kind, func(sp *otlp.SpanData) { sp.Start, sp.End = times[0], times[1] }, "time"})
		}
	}
	for _, kind := range []string{"LLM", "RETRIEVER", "CHAIN"} {
		all = append(all, hostile{"reversed times of " + kind, kind, func(sp *otlp.SpanData) { sp.Start, sp.End = base+1e9, base }, "reversed_times"})
		all = append(all, hostile{"in 2262 of " + kind, kind, func(sp *otlp.SpanData) { sp.Start, sp.End = math.MaxInt64-1, math.MaxInt64 }, ""})
		all = append(all, hostile{"from 1970 of " + kind, kind, func(sp *otlp.SpanData) { sp.Start, sp.End = 1, math.MaxInt64 }, ""})
	}
	return append(all, names()...)
}

// names puts texts that are hostile wherever a caller names something.
func names() []hostile {
	var all []hostile
	long := strings.Repeat("k", 200_000)
	for name, text := range map[string]string{
		"__proto__": "__proto__", "constructor": "constructor", "200 KB": long, "not UTF-8": "\xff\xfe\x80", "half a rune": strings.Repeat("é", 64)[:127],
		"control characters": "a\x00b\nc\u2028d", "quotes": `"},"chat":{"total_requests":-1`, "markup": "</script><script>alert(1)</script>",
		"braces": `{le="+Inf"} NaN`, "right to left": "\u202egpj.exe", "spaces": "   \t", "the folded value": "other",
	} {
		for place, span := range map[string]func(*otlp.SpanData){
			"model": with(otlp.Str("llm.model_name", text)), "provider": with(otlp.Str("llm.provider", text)),
			"error type": func(sp *otlp.SpanData) {
				sp.Status = otlp.StatusError
				sp.Attributes = append(sp.Attributes, otlp.Str("error.type", text))
			},
			"span name":   func(sp *otlp.SpanData) { sp.Name = text },
			"attribute":   with(otlp.Str("gen_ai."+text, "x"), otlp.Str(text, "x")),
			"data source": with(otlp.Str("gen_ai.data_source.id", text), otlp.Str("langsmith.span.kind", "retriever")),
			"tool":        with(otlp.Str("gen_ai.tool.name", text), otlp.Str("langsmith.span.kind", "tool")),
		} {
			all = append(all, hostile{name + " as " + place, "LLM", span, ""})
		}
	}
	return all
}

// numbers gives every number of a decoded document.
func numbers(v any) []float64 {
	switch v := v.(type) {
	case float64:
		return []float64{v}
	case []any:
		var all []float64
		for _, e := range v {
			all = append(all, numbers(e)...)
		}
		return all
	case map[string]any:
		var all []float64
		for _, e := range v {
			all = append(all, numbers(e)...)
		}
		return all
	}
	return nil
}

// TestHostileValues: whatever a sender writes into a span, the documents hold
// numbers only, none negative, the exposition too, names stay short and valid, and
// what was refused is counted by its reason.
func TestHostileValues(t *testing.T) {
	all := hostiles()
	if len(all) < 200 {
		t.Fatalf("only %d values", len(all))
	}
	for _, h := range all {
		t.Run(h.name, func(t *testing.T) {
			c := newChain(t)
			base := uint64(epoch.UnixNano())
			sp := otlp.SpanData{TraceID: [16]byte{1}, SpanID: [8]byte{1}, Name: "x", Start: base, End: base + 1e9}
			if h.kind != "" {
				sp.Attributes = append(sp.Attributes, otlp.Str("openinference.span.kind", h.kind))
			}
			h.span(&sp)
			c.send(t, "app", sp)
			c.Flush()
			documents, exposition := c.documents(t)
			for _, text := range documents {
				var decoded any
				if err := json.Unmarshal([]byte(text), &decoded); err != nil || !utf8.ValidString(text) || len(text) > 4096 {
					t.Errorf("%d bytes, or no UTF-8 (%v): %.300s", len(text), err, text)
				}
				for _, n := range numbers(decoded) {
					if n < 0 {
						t.Errorf("%v in %.300s", n, text)
					}
				}
			}
			saneExposition(t, exposition)
			if h.reason == "" {
				return
			}
			if want := `treq_pipeline_rejected_total{treq_reason="` + h.reason + `"}`; !strings.Contains(exposition, want) {
				t.Errorf("not counted as %s", h.reason)
			}
		})
	}
}

func (c chain) send(t testing.TB, service string, spans ...otlp.SpanData) {
	t.Helper()
	body := otlp.AppendTraceRequest(nil, otlp.ResourceData{
		Attributes: []otlp.KV{otlp.Str("service.name", service)}, Scopes: []otlp.ScopeData{{Name: "s", Spans: spans}},
	})
	if err := c.Traces(epoch, 0, body); err != nil {
		t.Fatal(err)
	}
}

// saneExposition looks at every line: its value is a number, finite and not
// negative, and the line is no longer than its labels may be.
func saneExposition(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Error("the exposition is no UTF-8")
	}
	for line := range strings.Lines(text) {
		if line[0] == '#' {
			continue
		}
		value := strings.TrimSpace(line[strings.LastIndexByte(strings.TrimRight(line, "\n"), ' '):])
		var n float64
		if _, err := fmt.Sscan(value, &n); err != nil || math.IsNaN(n) || math.IsInf(n, 0) || n < 0 {
			t.Errorf("a value of %q: %.200s", value, line)
		}
		if len(line) > 4096 {
			t.Errorf("a line of %d bytes: %.200s", len(line), line)
		}
	}
}

// TestAMillionModels: of a million names of models, as many as time allows, the
// names beyond the bound fold into one and no call is lost.
func TestAMillionModels(t *testing.T) {
	const million, batch = 1_000_000, 1000
	c := newChain(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	sent := 0
	spans := make([]otlp.SpanData, batch)
	for deadline := time.Now().Add(4 * time.Second); sent < million && time.Now().Before(deadline); {
		for i := range spans {
			sent++
			sp := &spans[i]
			*sp = otlp.SpanData{
				Name: "x", Start: uint64(epoch.UnixNano()), End: uint64(epoch.UnixNano()) + 1e9,
				TraceID: [16]byte{1, 0, 0, 0, byte(sent), byte(sent >> 8), byte(sent >> 16)}, SpanID: [8]byte{1, byte(sent), byte(sent >> 8), byte(sent >> 16)},
				Attributes: []otlp.KV{
					otlp.Str("openinference.span.kind", "LLM"), otlp.Str("llm.model_name", fmt.Sprint("model-", sent)),
					otlp.I64("llm.token_count.prompt", 3), otlp.I64("llm.token_count.completion", 2), otlp.Str(fmt.Sprint("gen_ai.name", sent), "x"),
				},
			}
		}
		c.send(t, fmt.Sprint("service-", sent/batch%500), spans...)
		c.Flush()
		c.Advance(epoch.Add(time.Duration(sent) * time.Millisecond))
	}
	s, err := c.reader.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	metrics := s.Tally("").Metrics(snapshot.System{Status: snapshot.Healthy}, epoch, 0)
	if metrics.Chat.LLMTokensUsed != int64(5*sent) || metrics.LLM.TotalCalls != int64(sent) {
		t.Errorf("%d sent: %d calls, %d tokens", sent, metrics.LLM.TotalCalls, metrics.Chat.LLMTokensUsed)
	}
	for _, scope := range s.Scopes() {
		for _, m := range scope.Metrics {
			if n := series(m.Data); n > 2*instrument.DefaultMaxSeries {
				t.Errorf("%s has %d series", m.Name, n)
			}
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 256<<20 {
		t.Errorf("%d names cost %d MiB", sent, grown>>20)
	} else {
		t.Logf("%d names, %d MiB more on the heap", sent, grown>>20)
	}
}

// series counts the series of a metric.
func series(data any) int {
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		return len(d.DataPoints)
	case metricdata.Sum[float64]:
		return len(d.DataPoints)
	case metricdata.Histogram[int64]:
		return len(d.DataPoints)
	case metricdata.Histogram[float64]:
		return len(d.DataPoints)
	}
	return 0
}
