package torture

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"treq/test/e2e/e2etest"
)

// hostile are values in place of a number.
func hostile() map[string]*common.AnyValue {
	values := map[string]*common.AnyValue{}
	for _, v := range []float64{
		math.NaN(), math.Inf(1), math.Inf(-1), -1, -0.5, 1e308, -1e308, math.MaxFloat64, math.SmallestNonzeroFloat64,
		1 << 63, 1 << 53, 1e18, 0.1,
	} {
		values["float "+strconv.FormatFloat(v, 'g', -1, 64)] = &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: v}}
	}
	for _, v := range []int64{-1, math.MinInt64, math.MaxInt64, 1 << 53, 1<<53 + 1} {
		values["int "+strconv.FormatInt(v, 10)] = &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: v}}
	}
	for _, v := range []string{"", "NaN", "Infinity", "-inf", "-1", "1e999", "9223372036854775808", "0x10", "ten", " 5 ", "1,000", "\x00", "５"} {
		values["string "+strconv.Quote(v)] = &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: v}}
	}
	values["bool"] = &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: true}}
	values["bytes"] = &common.AnyValue{Value: &common.AnyValue_BytesValue{BytesValue: []byte{0xff}}}
	values["empty"] = &common.AnyValue{}
	values["array"] = &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: []*common.AnyValue{{}, nil, {Value: &common.AnyValue_DoubleValue{DoubleValue: math.NaN()}}}}}}
	return values
}

// numbers sends them in every place that is counted, and looks at every number that
// the service shows.
func numbers(t *testing.T, f *figures) {
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	traces := e2etest.NewGenerator(17)
	cases := 0
	keys := []string{
		"gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "llm.token_count.prompt", "llm.usage.total_tokens",
		"gen_ai.response.time_to_first_chunk", "gen_ai.usage.cost", "http.response.status_code", "gen_ai.usage.cache_read.input_tokens",
	}
	send := func(spans []*trace.Span) {
		t.Helper()
		cases++
		if err := e2etest.Send(t.Context(), s.URL("/v1/traces"), e2etest.Encoding{}, e2etest.Request("hostile", spans...)); err != nil {
			t.Errorf("a span with a strange number is not taken: %v", err)
		}
	}
	for _, value := range hostile() {
		for _, key := range keys {
			one := traces.Trace(e2etest.Question{}, time.Now())
			for _, span := range one.Spans {
				kept := span.Attributes[:0]
				for _, a := range span.Attributes {
					if a.Key != key {
						kept = append(kept, a)
					}
				}
				span.Attributes = append(kept, &common.KeyValue{Key: key, Value: value})
			}
			send(one.Spans)
		}
	}
	for _, score := range []string{`1e999`, `-1`, `2`, `"NaN"`, `null`, `1e308`, `[]`, `-0.0`} {
		one := traces.Trace(e2etest.Question{}, time.Now())
		for _, a := range one.Spans[1].Attributes {
			if a.Key == "gen_ai.retrieval.documents" {
				a.Value = e2etest.Text("", `[{"id":"x","score":`+score+`},{"score":0.5}]`).Value
			}
		}
		send(one.Spans)
	}
	now := uint64(time.Now().UnixNano())
	for _, times := range [][2]uint64{
		{0, 0},
		{0, now},
		{now, 0},
		{now, now - 1e9},
		{math.MaxUint64, math.MaxUint64},
		{math.MaxUint64, 0},
		{0, math.MaxUint64},
		{math.MaxInt64, math.MaxInt64 + 1},
		{now + 24*3600e9, now + 24*3600e9 + 1},
		{now - 24*3600e9, now},
		{now, now + 1e15},
	} {
		one := traces.Trace(e2etest.Question{}, time.Now())
		for _, span := range one.Spans {
			span.StartTimeUnixNano, span.EndTimeUnixNano = times[0], times[1]
		}
		send(one.Spans)
	}
	for _, v := range []string{"NaN", "Infinity", "-Infinity", "-1", "1e308", "1e999", "-0", "9223372036854775808", "", "ten", "0x1p4", "1_000"} {
		for _, post := range []string{
			"/monitoring/chat/metrics?success=true&response_time_ms=", "/monitoring/chat/metrics?success=true&response_time_ms=1&llm_tokens=",
			"/monitoring/rag/metrics?similarity_score=0.5&search_time_ms=", "/monitoring/rag/metrics?search_time_ms=1&similarity_score=",
			"/monitoring/llm/metrics?model=m&tokens=1&latency_ms=", "/monitoring/llm/metrics?model=m&latency_ms=1&tokens=",
		} {
			cases++
			if a := s.Do(http.MethodPost, post+url.QueryEscape(v), nil, nil); a.Status != 200 && a.Status != 422 {
				t.Errorf("%s%s: %d %s", post, v, a.Status, a.Body)
			}
		}
	}
	time.Sleep(time.Second) // fragments close
	shown, bad := 0, 0
	for _, path := range []string{"/monitoring/metrics", "/monitoring/metrics?service=hostile", "/monitoring/stats/summary", "/monitoring/sinks", "/monitoring/chats/entries", "/monitoring/runs"} {
		a := s.Get(path)
		dec := json.NewDecoder(bytes.NewReader(a.Body))
		for {
			token, err := dec.Token()
			if err != nil {
				if len(bytes.TrimSpace(a.Body)) == 0 || a.Status != 200 || dec.More() {
					t.Errorf("%s: %d, %v", path, a.Status, err)
				}
				break
			}
			if n, ok := token.(float64); ok {
				shown++
				if n < 0 || math.IsInf(n, 0) {
					bad++
					t.Errorf("%s shows %v", path, n)
				}
			}
		}
	}
	for line := range strings.Lines(string(s.Get("/metrics").Body)) {
		if line[0] == '#' || strings.HasPrefix(line, "go_") {
			continue
		}
		shown++
		value, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:]), 64)
		if err != nil || value < 0 || math.IsNaN(value) || math.IsInf(value, 0) {
			bad++
			t.Errorf("/metrics shows %s", line)
		}
	}
	f.want(cases >= 200, "%d cases", cases)
	f.want(bad == 0, "%d of %d numbers shown are negative, infinite or none", bad, shown)
}

// skew sends spans of clocks that are wrong, and points at what moves the clock of
// the process itself.
func skew(t *testing.T, f *figures) {
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	traces := e2etest.NewGenerator(23)
	var want e2etest.Totals
	offsets := []time.Duration{0, -time.Hour, time.Hour, -24 * time.Hour, 24 * time.Hour, -30 * 24 * time.Hour, 365 * 24 * time.Hour, 30 * time.Minute}
	for _, offset := range offsets {
		one := traces.Trace(e2etest.Question{Input: 3, Output: 4, Scores: []float64{0.5}}, time.Now().Add(offset))
		want.Add(one.Question)
		if err := e2etest.Send(t.Context(), s.URL("/v1/traces"), e2etest.Encoding{}, e2etest.Request(service, one.Spans...)); err != nil {
			t.Fatal(err)
		}
	}
	(&exactness{}).totals(t, s, want)
	m := s.Metrics("?service=" + service)
	f.want(m.Chat.AvgResponseTimeMS == 800, "spans %d clocks apart: mean of 800 ms is %v", len(offsets), m.Chat.AvgResponseTimeMS)
	r := goTest(t, f, "./telemetry/journal", "^(TestClockSetBack|TestSafeTime|TestAges)$")
	f.want(r.failed == 0 && r.passed >= 3, "%d tests set the journal's clock back and forth", r.passed)
	r = goTest(t, f, "./server/history", "^(TestClockNeverGoesBack|TestSamplingWhileTheClockIsSetBack)$")
	f.want(r.failed == 0 && r.passed >= 2, "%d set the history's back by an hour: windows right after two samplings", r.passed)
}
