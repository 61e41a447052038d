package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"treq/test/e2e/e2etest"
)

// TestDashboardHundredThousandRuns looks at a list of a hundred thousand runs in
// Chromium: opened, filtered while typing, turned with the keyboard, sorted. The times
// are told; what is demanded is that all of it works, and with how much on the page.
func TestDashboardHundredThousandRuns(t *testing.T) {
	const runs, batch = 100_000, 2_000
	s := e2etest.Start(t, e2etest.Spec{Config: quick + "runs: {list_rate: 100000}\n"})
	now := time.Now()
	for first := 0; first < runs; first += batch {
		request := manyRuns(first, batch, now)
		body, header, err := e2etest.Encoding{Compression: "gzip", Level: 1}.Encode(request)
		if err != nil {
			t.Fatal(err)
		}
		if a := s.Do(http.MethodPost, "/v1/traces", header, bytes.NewReader(body)); a.Status != http.StatusOK {
			t.Fatalf("run %d: %d %s", first, a.Status, a.Body)
		}
	}
	e2etest.Eventually(t, time.Minute, func() error {
		var list struct{ Total, NotIndexed int }
		s.JSON("/monitoring/runs?limit=1", &list)
		if list.Total != runs {
			return fmt.Errorf("%d runs of %d are listed", list.Total, runs)
		}
		return nil
	})
	walk(t, s, "hundredThousand")
}

// manyRuns makes runs of a question and a model call each; every hundredth fails, and
// the input of each has its number.
func manyRuns(first, n int, now time.Time) *collector.ExportTraceServiceRequest {
	spans := make([]*trace.Span, 0, 2*n)
	for i := first; i < first+n; i++ {
		id := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, 0xd1ce), uint64(i+1))
		root, call := binary.BigEndian.AppendUint64(nil, uint64(2*i+1)), binary.BigEndian.AppendUint64(nil, uint64(2*i+2))
		start := uint64(now.Add(-time.Duration(100_000-i) * time.Millisecond).UnixNano())
		status := &trace.Status{}
		if i%100 == 99 {
			status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: "no answer"}
		}
		spans = append(spans, &trace.Span{
			TraceId: id, SpanId: root, Name: fmt.Sprintf("pergunta %05d", i), Kind: trace.Span_SPAN_KIND_SERVER, Status: status,
			StartTimeUnixNano: start, EndTimeUnixNano: start + uint64(500+i%1000)*1e6,
			Attributes: []*common.KeyValue{e2etest.Text("http.route", "/chat"), e2etest.Text("http.request.method", "POST")},
		}, &trace.Span{
			TraceId: id, SpanId: call, ParentSpanId: root, Name: "chat", Kind: trace.Span_SPAN_KIND_CLIENT,
			StartTimeUnixNano: start + 1e6, EndTimeUnixNano: start + uint64(400+i%1000)*1e6,
			Attributes: []*common.KeyValue{
				e2etest.Text("gen_ai.operation.name", "chat"), e2etest.Text("gen_ai.provider.name", "groq"), e2etest.Text("gen_ai.request.model", "llama-3.1-8b-instant"),
				e2etest.Int("gen_ai.usage.input_tokens", int64(100+i%900)), e2etest.Int("gen_ai.usage.output_tokens", int64(20+i%300)),
			},
		})
	}
	return e2etest.Request("assistente", spans...)
}
