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

// cardinality sends model calls whose names never repeat, and as many of one name to
// another process: what the names cost is the difference, since any load fills the
// tables of spans seen, of runs and of history.
func cardinality(t *testing.T, f *figures) {
	one := flood{
		models: size(20_000, 1_000_000, 1_000_000), services: size(5_000, 100_000, 1_000_000),
		name: func(kind string, _ int) string { return kind },
	}
	plain := one.run(t)
	if err := plain.server.Kill(); err != nil {
		t.Fatal(err)
	}
	many := one
	many.name = func(kind string, i int) string { return fmt.Sprintf("%s-%d", kind, i) }
	named := many.run(t)
	f.say("%d model names, %d services", many.models, many.services)
	models, all := named.models-plain.models, named.all-plain.all
	f.aim(models <= 64<<20 && all <= 64<<20, "peak RSS %+d MiB for model names, %+d MiB in all, over as many calls of one name", models>>20, all>>20)
	f.say("those alone %+d MiB over an idle start", (plain.all-plain.idle)>>20)
	// Each scrape comes long enough after the one before to be rendered anew. The middle
	// one of a few is what a scraper sees; the CPU time is what it costs, however busy the machine.
	var a e2etest.Answer
	const scrapes = 5
	took, spent := make([]time.Duration, scrapes), make([]time.Duration, scrapes)
	for i := range scrapes {
		time.Sleep(time.Second)
		before, started := cpu(t, named.server), time.Now()
		a = named.server.Get("/metrics")
		took[i], spent[i] = time.Since(started), cpu(t, named.server)-before
	}
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
	f.want(plain.exact && named.exact, "totals exact over the overflow")
	middle := percentile(took, 0.5)
	f.aim(middle <= 500*time.Millisecond, "scrape in %s, %s of CPU", ms(middle), ms(percentile(spent, 0.5)))
	f.aim(len(a.Body) <= 5<<20, "%d KiB", len(a.Body)>>10)
	zipped, err := e2etest.Do(t.Context(), http.MethodGet, named.server.URL("/metrics"), http.Header{"Accept-Encoding": {"gzip"}}, nil)
	if err != nil || zipped.Header.Get("Content-Encoding") != "gzip" {
		t.Fatal(zipped.Header, err)
	}
	f.say("%d KiB as Prometheus asks for it, compressed", len(zipped.Body)>>10)
}

// flood is model calls, each a trace: first of one service, then each of its own.
type flood struct {
	models, services int
	name             func(kind string, i int) string
}

// flooded is what became of it: memory in bytes, before, and at most.
type flooded struct {
	server            *e2etest.Server
	idle, models, all int64
	exact             bool
}

func (l flood) run(t *testing.T) flooded {
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	out := flooded{server: s}
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
	send(e2etest.Request("warm", l.call(l.models+l.services)))
	out.idle = memory(t, s, "VmRSS")
	forgetPeak(t, s)
	const batch = 1000
	for i := 0; i < l.models; i += batch {
		spans := make([]*trace.Span, batch)
		for k := range spans {
			spans[k] = l.call(i + k)
		}
		send(e2etest.Request("one", spans...))
	}
	out.models = memory(t, s, "VmHWM")
	for i := 0; i < l.services; i += batch {
		request := &collector.ExportTraceServiceRequest{}
		for k := range batch {
			request.ResourceSpans = append(request.ResourceSpans, &trace.ResourceSpans{
				Resource:   &resource.Resource{Attributes: []*common.KeyValue{e2etest.Text("service.name", l.name("service", i+k))}},
				ScopeSpans: []*trace.ScopeSpans{{Spans: []*trace.Span{l.call(l.models + i + k)}}},
			})
		}
		send(request)
	}
	want := int64(l.models + l.services + 1)
	err := within(settled, func() error {
		if m := s.Metrics(""); m.LLM.TotalCalls != want || m.LLM.TotalTokens != want {
			return fmt.Errorf("%d calls, %d tokens, want %d", m.LLM.TotalCalls, m.LLM.TotalTokens, want)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	out.exact, out.all = err == nil, memory(t, s, "VmHWM")
	return out
}

func (l flood) call(i int) *trace.Span {
	id := binary.BigEndian.AppendUint64(nil, uint64(i)+1)
	now := uint64(time.Now().UnixNano())
	return &trace.Span{
		TraceId: append(id[:8:8], id...), SpanId: id, Name: "chat", Kind: trace.Span_SPAN_KIND_CLIENT,
		StartTimeUnixNano: now - 1e9, EndTimeUnixNano: now,
		Attributes: []*common.KeyValue{
			e2etest.Text("gen_ai.operation.name", "chat"), e2etest.Text("gen_ai.provider.name", "groq"),
			e2etest.Text("gen_ai.request.model", l.name("model", i)), e2etest.Int("gen_ai.usage.output_tokens", 1),
		},
	}
}
