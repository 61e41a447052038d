package torture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"testing"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"

	"treq/test/e2e/e2etest"
)

// cardinality sends model calls whose names never repeat.
func cardinality(t *testing.T, f *figures) {
	models := size(20_000, 1_000_000, 1_000_000)
	services := size(5_000, 100_000, 1_000_000)
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	send := func(request *collector.ExportTraceServiceRequest) {
		body, header, err := e2etest.Encoding{}.Encode(request)
		if err != nil {
			t.Fatal(err)
		}
		err = within(settled, func() error {
			a, err := e2etest.Do(t.Context(), http.MethodPost, s.URL("/v1/traces"), header, bytes.NewReader(body))
			if err == nil && a.Status != http.StatusOK {
				err = fmt.Errorf("%d %s", a.Status, a.Body)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	call := func(i int) *trace.Span {
		id := binary.BigEndian.AppendUint64(nil, uint64(i)+1)
		now := uint64(time.Now().UnixNano())
		return &trace.Span{
			TraceId: append(id[:8:8], id...), SpanId: id, Name: "chat", Kind: trace.Span_SPAN_KIND_CLIENT,
			StartTimeUnixNano: now - 1e9, EndTimeUnixNano: now,
			Attributes: []*common.KeyValue{
				e2etest.Text("gen_ai.operation.name", "chat"), e2etest.Text("gen_ai.provider.name", "groq"),
				e2etest.Text("gen_ai.request.model", fmt.Sprintf("model-%d", i)), e2etest.Int("gen_ai.usage.output_tokens", 1),
			},
		}
	}
	send(e2etest.Request("warm", call(models+services)))
	base := memory(t, s, "VmRSS")
	forgetPeak(t, s)
	const batch = 1000
	for i := 0; i < models; i += batch {
		spans := make([]*trace.Span, batch)
		for k := range spans {
			spans[k] = call(i + k)
		}
		send(e2etest.Request("one", spans...))
	}
	afterModels := memory(t, s, "VmHWM")
	for i := 0; i < services; i += batch {
		request := &collector.ExportTraceServiceRequest{}
		for k := range batch {
			request.ResourceSpans = append(request.ResourceSpans, &trace.ResourceSpans{
				Resource:   &resource.Resource{Attributes: []*common.KeyValue{e2etest.Text("service.name", fmt.Sprintf("service-%d", i+k))}},
				ScopeSpans: []*trace.ScopeSpans{{Spans: []*trace.Span{call(models + i + k)}}},
			})
		}
		// The last one was sent to warm up.
		send(request)
	}
	want := int64(models + services + 1)
	var m e2etest.Metrics
	err := within(settled, func() error {
		m = s.Metrics("")
		if m.LLM.TotalCalls != want || m.LLM.TotalTokens != want {
			return fmt.Errorf("%d calls, %d tokens, want %d", m.LLM.TotalCalls, m.LLM.TotalTokens, want)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	peak := memory(t, s, "VmHWM")
	f.say("%d model names, %d services", models, services)
	f.aim(afterModels-base <= 64<<20 && peak-base <= 64<<20, "peak RSS %+d MiB for models, %+d MiB in all", (afterModels-base)>>20, (peak-base)>>20)
	started := time.Now()
	a := s.Get("/metrics")
	took := time.Since(started)
	perMetric := map[string]int{}
	worst := 0
	for line := range bytes.Lines(a.Body) {
		name, labels, labelled := bytes.Cut(line, []byte("{"))
		// A histogram is a series however many buckets it has.
		if line[0] == '#' || !labelled || bytes.Contains(labels, []byte(`le="`)) {
			continue
		}
		perMetric[string(name)]++
		worst = max(worst, perMetric[string(name)])
	}
	f.want(worst <= 2000, "at most %d series a metric", worst)
	f.want(err == nil, "totals exact over the overflow")
	f.aim(took <= 500*time.Millisecond && len(a.Body) <= 5<<20, "scrape of %d KiB in %s", len(a.Body)>>10, ms(took))
}
