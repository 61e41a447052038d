package ingest

import (
	"bytes"
	"io"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"treq/telemetry/otlp"
)

func BenchmarkHTTP(b *testing.B) {
	body := usualSpans(512)
	json, err := ptraceJSON(body)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name, encoding, contentType string
		body                        []byte
	}{
		{"protobuf", "", protobuf, body},
		{"gzip", "gzip", protobuf, gzipped(body)},
		{"zstd", "zstd", protobuf, zstded(body)},
		{"json", "", "application/json", json},
	} {
		b.Run(c.name, func(b *testing.B) {
			h := New(Options{Log: nullLog{}}).HTTP()
			r := httptest.NewRequest("POST", "/v1/traces", nil)
			r.Header.Set("Content-Type", c.contentType)
			r.Header.Set("Content-Encoding", c.encoding)
			r.ContentLength = int64(len(c.body))
			reader := bytes.NewReader(nil)
			r.Body = io.NopCloser(reader)
			w := &discard{}
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				reader.Reset(c.body)
				w.reset()
				h.ServeHTTP(w, r)
			}
			if w.status > 200 {
				b.Fatal(w.status)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/512, "ns/span")
		})
	}
}

// usualSpans gives spans of 8 attributes and about 1.2 KB, as a model call has them.
func usualSpans(n int) []byte {
	prompt := strings.Repeat("Qual o status do pedido 1042? ", 26)
	var list []otlp.SpanData
	for k := range n {
		s := otlp.SpanData{Name: "chat llama-3.1-8b-instant", Kind: otlp.KindClient, Start: 1, End: 2, Attributes: []otlp.KV{
			otlp.Str("gen_ai.operation.name", "chat"), otlp.Str("gen_ai.provider.name", "groq"),
			otlp.Str("gen_ai.request.model", "llama-3.1-8b-instant"), otlp.Str("gen_ai.response.model", "llama-3.1-8b-instant"),
			otlp.I64("gen_ai.usage.input_tokens", 300), otlp.I64("gen_ai.usage.output_tokens", 120),
			otlp.Str("gen_ai.response.id", strconv.Itoa(k*7919)), otlp.Str("gen_ai.input.messages", prompt),
		}}
		s.TraceID[0], s.SpanID[7], s.SpanID[6] = 1, byte(k+1), byte((k+1)>>8)
		list = append(list, s)
	}
	return otlp.AppendTraceRequest(nil, otlp.ResourceData{Scopes: []otlp.ScopeData{{Name: "bench", Spans: list}}})
}

func ptraceJSON(body []byte) ([]byte, error) {
	traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(body)
	if err != nil {
		return nil, err
	}
	return (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
}

// Whatever comes in, it is answered with a status of the table, memory comes
// back, and what is kept is good.
func FuzzHTTP(f *testing.F) {
	for _, encoding := range []string{"", "gzip", "zstd", "deflate"} {
		f.Add("/v1/traces", protobuf, encoding, compressed(encoding, spans(2, badSpan)))
		f.Add("/otel", "application/json", encoding, compressed(encoding, []byte(jsonSpan)))
		f.Add("/v1/metrics", protobuf, encoding, compressed(encoding, metricRequest()))
	}
	f.Add("/v1/logs", "application/json", "", []byte(`{"resourceLogs":[null]}`))
	f.Fuzz(func(t *testing.T, path, contentType, encoding string, body []byte) {
		log := &fakeLog{}
		i := New(Options{Log: log, MaxRequestBytes: 1 << 16})
		r := httptest.NewRequest("POST", "/", bytes.NewReader(body))
		r.URL.Path = path
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Content-Encoding", encoding)
		w := httptest.NewRecorder()
		i.HTTP().ServeHTTP(w, r)
		switch w.Code {
		case 200, 400, 404, 413, 415:
		default:
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		checkIdle(t, i)
		for _, e := range log.entries {
			plain := e.Body
			if e.Decoded != nil {
				plain = e.Decoded
			}
			items, bad, err := signalOf(path).check(plain)
			if err != nil || bad != 0 || items != int(e.Items) || w.Code != 200 {
				t.Errorf("kept %d items, %d bad of %d: %v, answered %d", e.Items, bad, items, err, w.Code)
			}
		}
	})
}
