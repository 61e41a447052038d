package main

import (
	"encoding/hex"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"treq/test/e2e/e2etest"
)

// TestPayloadIDs decodes requests of a run: every span is unique over all of
// them, and every parent is a span of the same trace.
func TestPayloadIDs(t *testing.T) {
	for _, isJSON := range []bool{false, true} {
		p, err := newPayload(64, 100, isJSON)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[e2etest.Key]bool{}
		var body []byte
		for n := range uint64(200) {
			body = p.fill(body, 12345, n+1)
			spans := decode(t, body, isJSON)
			if len(spans) != 64 || p.spans != 64 {
				t.Fatalf("%d spans, want 64", len(spans))
			}
			for _, s := range spans {
				if seen[e2etest.KeyOf(s)] {
					t.Fatalf("span %s twice", e2etest.KeyOf(s))
				}
				seen[e2etest.KeyOf(s)] = true
			}
			for _, s := range spans {
				if len(s.ParentSpanId) > 0 && !seen[e2etest.KeyOf(&trace.Span{TraceId: s.TraceId, SpanId: s.ParentSpanId})] {
					t.Fatalf("the parent %s of %q is in no request", hex.EncodeToString(s.ParentSpanId), s.Name)
				}
			}
		}
	}
}

// TestPayloadSize holds the payload to what the figures are compared with: 34
// attributes a trace, and about 400, 1,200 and 8,700 bytes a span.
func TestPayloadSize(t *testing.T) {
	attributes := 0
	for _, s := range oneTrace(0, 0, time.Unix(1, 0)) {
		attributes += len(s.Attributes)
	}
	if attributes != 34 {
		t.Errorf("%d attributes a trace, want 34", attributes)
	}
	for content, want := range map[int][2]int{0: {350, 460}, 1536: {1100, 1300}, 16384: {8400, 8900}} {
		p, err := newPayload(512, content, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(p.template) / p.spans; got < want[0] || got > want[1] {
			t.Errorf("content %d: %d bytes a span, want %v", content, got, want)
		}
	}
}

// TestPayloadCompresses holds the content to the compression of prose.
func TestPayloadCompresses(t *testing.T) {
	p, err := newPayload(512, 1536, false)
	if err != nil {
		t.Fatal(err)
	}
	zipped, err := e2etest.Compress("gzip", 6, p.fill(nil, 1, 1))
	if err != nil {
		t.Fatal(err)
	}
	if ratio := float64(len(p.template)) / float64(len(zipped)); ratio < 3 || ratio > 4.5 {
		t.Errorf("the payload compresses %.2f times, want 3 to 4.5", ratio)
	}
}

func decode(t *testing.T, body []byte, isJSON bool) []*trace.Span {
	t.Helper()
	if isJSON {
		message := ptraceotlp.NewExportRequest()
		if err := message.UnmarshalJSON(body); err != nil {
			t.Fatal(err)
		}
		var err error
		if body, err = message.MarshalProto(); err != nil {
			t.Fatal(err)
		}
	}
	var request collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &request); err != nil {
		t.Fatal(err)
	}
	return request.ResourceSpans[0].ScopeSpans[0].Spans
}
