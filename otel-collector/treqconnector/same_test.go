package treqconnector

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry/instrument"
	"treq/telemetry/journal"
	"treq/telemetry/langsmith"
	"treq/telemetry/meter"
	"treq/telemetry/otlp"
	"treq/telemetry/pricing"
	"treq/telemetry/reported"
	"treq/telemetry/semconv"
	"treq/telemetry/snapshot"
	"treq/test/recorded"
)

// settled is how long after the last request everything is counted: the longest that
// a part of a trace is waited for once it stopped growing, and some.
const settled = 6 * time.Minute

// TestSameAsTheProduct: every recorded case through the product's journal, meter and
// collection, and through the connector, gives identical points of the same metrics:
// names, units, attributes, sums, buckets and exemplars.
//
// The gauges that the product derives from totals when it shows them are not among
// them: the share of one replica is none of a fleet's, and the totals they follow
// from are.
func TestSameAsTheProduct(t *testing.T) {
	cases := recorded.Load(t)
	for i := range cases {
		c := &cases[i]
		t.Run(c.Name, func(t *testing.T) {
			requests, kind := c.Requests, journal.Traces
			if len(requests) == 0 {
				requests, kind = derive(t, c), journal.Derived
			}
			config := defaultConfig()
			config.FlushInterval = time.Minute
			if chats, ok := c.Settings["chats"].(map[string]any); ok {
				config.Chats.Preset = chats["preset"].(string)
			}
			product, connector := throughProduct(t, config, kind, requests), throughConnector(t, config, requests)
			if len(product) < 2 {
				t.Errorf("the product counts next to nothing: %q", product)
			}
			if diff := cmp.Diff(product, connector); diff != "" {
				t.Errorf("(-product +connector):\n%s", diff)
			}
		})
	}
	if len(cases) < 20 {
		t.Errorf("only %d cases", len(cases))
	}
}

// throughProduct gives what the product shows of requests, one line a point.
func throughProduct(t *testing.T, config *Config, kind journal.Kind, requests [][]byte) (lines []string) {
	synctest.Test(t, func(t *testing.T) {
		dir, quiet := t.TempDir(), slog.New(slog.DiscardHandler)
		log, err := journal.Open(t.Context(), filepath.Join(dir, "journal"), journal.Options{Ack: journal.Memory, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		instruments, err := instrument.New(instrument.Options{})
		if err != nil {
			t.Fatal(err)
		}
		reader := snapshot.NewReader(snapshot.Options{Instruments: instruments})
		provider := snapshot.NewProvider(reader)
		rules := config.rules()
		rules.Pricer = pricing.NewFinder(pricing.Embedded())
		m, err := meter.Open(t.Context(), meter.Options{
			Dir: dir, Journal: log, Rules: rules, Instruments: instruments, Reader: reader,
			Reported: reported.NewStore(reported.Options{}), Logger: quiet, CheckpointInterval: 24 * time.Hour,
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- m.Run(ctx) }()
		for _, body := range requests {
			found, err := otlp.CheckTraces(body)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := log.Append(t.Context(), &journal.Entry{Kind: kind, Door: "http", Items: uint32(found.Spans), Body: body}); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.WaitCounted(t.Context(), log.Durable()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(settled)
		synctest.Wait()
		reader.Invalidate()
		shown, err := reader.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, scope := range shown.Exposed() {
			if scope.Scope.Name == instrument.DerivedScope {
				continue
			}
			for i := range scope.Metrics {
				lines = append(lines, shownLines(t, scope.Scope.Name, &scope.Metrics[i])...)
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
		if err := provider.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	slices.Sort(lines)
	return lines
}

// throughConnector gives what the connector emits of requests, one line a point.
func throughConnector(t *testing.T, config *Config, requests [][]byte) (lines []string) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(consumertest.MetricsSink)
		c := running(t, config, sink)
		for _, body := range requests {
			traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(body)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.ConsumeTraces(t.Context(), traces); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(settled)
		synctest.Wait()
		for _, resource := range last(t, sink).ResourceMetrics().All() {
			for _, scope := range resource.ScopeMetrics().All() {
				for _, m := range scope.Metrics().All() {
					lines = append(lines, emittedLines(t, scope.Scope().Name(), m)...)
				}
			}
		}
	})
	slices.Sort(lines)
	return lines
}

// emittedLines gives a metric of a Collector as lines.
func emittedLines(t *testing.T, scope string, m pmetric.Metric) (lines []string) {
	t.Helper()
	line := func(attributes map[string]any, value string) {
		lines = append(lines, fmt.Sprintf("%s %s{%s}: %v %s", scope, m.Name(), m.Unit(), attributes, value))
	}
	switch m.Type() {
	case pmetric.MetricTypeSum:
		for _, p := range m.Sum().DataPoints().All() {
			line(p.Attributes().AsRaw(), fmt.Sprintf("sum %v %g", m.Sum().IsMonotonic(), p.DoubleValue()+float64(p.IntValue())))
		}
	case pmetric.MetricTypeHistogram:
		for _, p := range m.Histogram().DataPoints().All() {
			var exemplars []string
			for _, e := range p.Exemplars().All() {
				id := e.TraceID()
				exemplars = append(exemplars, exemplar(id[:], e.DoubleValue()+float64(e.IntValue())))
			}
			line(p.Attributes().AsRaw(), distribution(p.Count(), p.Sum(), p.ExplicitBounds().AsRaw(), p.BucketCounts().AsRaw(), exemplars))
		}
	default:
		t.Errorf("%s is a %s", m.Name(), m.Type())
	}
	return lines
}

// shownLines gives a metric of the product as the same lines.
func shownLines(t *testing.T, scope string, m *metricdata.Metrics) (lines []string) {
	t.Helper()
	line := func(attributes attribute.Set, value string) {
		raw := map[string]any{}
		for _, kv := range attributes.ToSlice() {
			raw[string(kv.Key)] = kv.Value.AsInterface()
		}
		lines = append(lines, fmt.Sprintf("%s %s{%s}: %v %s", scope, m.Name, m.Unit, raw, value))
	}
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			line(p.Attributes, fmt.Sprintf("sum %v %g", data.IsMonotonic, float64(p.Value)))
		}
	case metricdata.Sum[float64]:
		for _, p := range data.DataPoints {
			line(p.Attributes, fmt.Sprintf("sum %v %g", data.IsMonotonic, p.Value))
		}
	case metricdata.Histogram[int64]:
		for _, p := range data.DataPoints {
			line(p.Attributes, distribution(p.Count, float64(p.Sum), p.Bounds, p.BucketCounts, exemplars(p.Exemplars)))
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			line(p.Attributes, distribution(p.Count, p.Sum, p.Bounds, p.BucketCounts, exemplars(p.Exemplars)))
		}
	default:
		t.Errorf("%s is a %T", m.Name, m.Data)
	}
	return lines
}

func exemplars[N int64 | float64](all []metricdata.Exemplar[N]) (texts []string) {
	for _, e := range all {
		texts = append(texts, exemplar(e.TraceID, float64(e.Value)))
	}
	return texts
}

func exemplar(trace []byte, value float64) string {
	return fmt.Sprint(hex.EncodeToString(trace), "=", value)
}

func distribution(count uint64, sum float64, bounds []float64, buckets []uint64, exemplars []string) string {
	slices.Sort(exemplars)
	return fmt.Sprintf("histogram %d %g %v %v %v", count, sum, bounds, buckets, exemplars)
}

// derive gives the spans that the native runs of a case become, a request for each
// that was recorded.
func derive(t *testing.T, c *recorded.Case) (requests [][]byte) {
	t.Helper()
	runs := map[langsmith.ID]*langsmith.Run{}
	for _, sent := range c.Native {
		if !strings.HasPrefix(sent.Path, "/runs") {
			continue
		}
		request, err := langsmith.Read(sent.Body)
		if err != nil {
			t.Fatal(err)
		}
		var body []byte
		for i := range request.Ops {
			op := &request.Ops[i]
			r := runs[op.ID]
			if r == nil {
				r = &langsmith.Run{}
				runs[op.ID] = r
			}
			r.Merge(op)
			if !r.Posted || !r.Ended() {
				continue
			}
			delete(runs, op.ID)
			var parent [8]byte
			if r.Parent != (langsmith.ID{}) {
				parent = r.Parent.SpanID()
			}
			body = otlp.AppendTraceRequest(body, otlp.ResourceData{
				Attributes: []otlp.KV{otlp.Str(semconv.ServiceName, r.Service())},
				Scopes:     []otlp.ScopeData{{Name: semconv.LSScope, Version: r.SDK(), Spans: []otlp.SpanData{r.Span(r.ID.SpanID(), parent, "")}}},
			})
		}
		if len(body) > 0 {
			requests = append(requests, body)
		}
	}
	return requests
}
