package treqconnector

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/otel-collector/treqconnector/internal/metadata"
	"treq/telemetry/instrument"
)

func settings() connector.Settings {
	set := connectortest.NewNopSettings(metadata.Type)
	set.Resource = pcommon.NewResource()
	set.Resource.Attributes().PutStr("service.instance.id", "this one")
	set.BuildInfo.Version = "1.2.3"
	return set
}

// running gives a connector that emits to next and is shut down at the end.
func running(t *testing.T, config *Config, next consumer.Metrics) *counting {
	t.Helper()
	c, err := newConnector(settings(), config, next)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

// call gives traces with one model call each, which cost something.
func call(ids ...byte) ptrace.Traces {
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "shop")
	scope := resource.ScopeSpans().AppendEmpty()
	for _, id := range ids {
		span := scope.Spans().AppendEmpty()
		span.SetTraceID(pcommon.TraceID{id})
		span.SetSpanID(pcommon.SpanID{id})
		span.SetName("chat gpt-4o-mini")
		span.SetKind(ptrace.SpanKindClient)
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Unix(1000, 0)))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Unix(1002, 0)))
		a := span.Attributes()
		a.PutStr("gen_ai.operation.name", "chat")
		a.PutStr("gen_ai.provider.name", "openai")
		a.PutStr("gen_ai.request.model", "gpt-4o-mini")
		a.PutInt("gen_ai.usage.input_tokens", 1000)
		a.PutInt("gen_ai.usage.output_tokens", 500)
	}
	return traces
}

// total adds up the points of one metric; a histogram's are its counts.
func total(metrics pmetric.Metrics, name string) (sum float64) {
	for _, resource := range metrics.ResourceMetrics().All() {
		for _, scope := range resource.ScopeMetrics().All() {
			for _, m := range scope.Metrics().All() {
				if m.Name() != name {
					continue
				}
				if m.Type() == pmetric.MetricTypeHistogram {
					for _, p := range m.Histogram().DataPoints().All() {
						sum += float64(p.Count())
					}
					continue
				}
				for _, p := range m.Sum().DataPoints().All() {
					sum += p.DoubleValue() + float64(p.IntValue())
				}
			}
		}
	}
	return sum
}

func last(t *testing.T, sink *consumertest.MetricsSink) pmetric.Metrics {
	t.Helper()
	all := sink.AllMetrics()
	if len(all) == 0 {
		t.Fatal("nothing was emitted")
	}
	return all[len(all)-1]
}

func TestCallsAreCountedOnceAndPriced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(consumertest.MetricsSink)
		c := running(t, defaultConfig(), sink)
		for range 2 { // the second is a client's retry
			if err := c.ConsumeTraces(t.Context(), call(1, 2)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		got := last(t, sink)
		for name, want := range map[string]float64{
			instrument.OperationDuration: 2,
			instrument.ChatDuration:      2,
			instrument.LLMTokens:         3000,
			instrument.LLMCost:           2 * (1000*0.15 + 500*0.6) / 1e6,
			instrument.PipelineAdmitted:  4,
			instrument.PipelineSpans:     4,
			instrument.PipelineOpen:      0,
		} {
			if n := total(got, name); n != want {
				t.Errorf("%s: %g, want %g", name, n, want)
			}
		}
		resource := got.ResourceMetrics().At(0)
		if id, _ := resource.Resource().Attributes().Get("service.instance.id"); id.Str() != "this one" {
			t.Errorf("the metrics are of instance %q", id.Str())
		}
		if v := resource.ScopeMetrics().At(0).Scope().Version(); v != "1.2.3" {
			t.Errorf("scope of version %q", v)
		}
	})
}

// TestEmissions: everything is told every interval, cumulative since one start.
func TestEmissions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(consumertest.MetricsSink)
		c := running(t, defaultConfig(), sink)
		began := time.Now()
		if err := c.ConsumeTraces(t.Context(), call(1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		all := sink.AllMetrics()
		if len(all) != 4 {
			t.Fatalf("%d emissions in a minute, want one each 15 s", len(all))
		}
		for i, m := range all {
			p := m.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Histogram().DataPoints().At(0)
			if got, want := p.Timestamp().AsTime(), began.Add(time.Duration(i+1)*DefaultFlushInterval); !got.Equal(want) {
				t.Errorf("emission %d is of %s, want %s", i, got, want)
			}
			if got := p.StartTimestamp().AsTime(); !got.Equal(began) {
				t.Errorf("emission %d counts from %s, want %s", i, got, began)
			}
		}
	})
}

// TestNothingIsEmittedBeforeAnythingIsCounted keeps a start from being a reset.
func TestNothingIsEmittedBeforeAnythingIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(consumertest.MetricsSink)
		c := running(t, defaultConfig(), sink)
		if err := c.ConsumeTraces(t.Context(), ptrace.NewTraces()); err != nil {
			t.Error(err)
		}
		time.Sleep(15*time.Second - 1)
		synctest.Wait()
		if n := len(sink.AllMetrics()); n > 0 {
			t.Errorf("%d emissions", n)
		}
	})
}

// TestShutdownTellsWhatWaits: what still waits for the rest of its trace is counted
// and told before the end.
func TestShutdownTellsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(consumertest.MetricsSink)
		c := running(t, defaultConfig(), sink)
		if err := c.ConsumeTraces(t.Context(), call(1)); err != nil {
			t.Fatal(err)
		}
		if err := c.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := total(last(t, sink), instrument.ChatDuration); n != 1 {
			t.Errorf("%g chats were told, want 1", n)
		}
		told := len(sink.AllMetrics())
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(sink.AllMetrics()); n != told {
			t.Errorf("%d emissions after the end", n-told)
		}
	})
}

// TestRefusedEmissionsAreToldAgain is the contract with what comes after: whatever
// it refuses, for now or for ever, the next emission holds.
func TestRefusedEmissionsAreToldAgain(t *testing.T) {
	for name, refusal := range map[string]error{
		"for now":  errors.New("busy"),
		"for ever": consumererror.NewPermanent(errors.New("never")),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sink := new(consumertest.MetricsSink)
				refused := 0
				next, err := consumer.NewMetrics(func(ctx context.Context, m pmetric.Metrics) error {
					if refused < 3 {
						refused++
						return refusal
					}
					return sink.ConsumeMetrics(ctx, m)
				})
				if err != nil {
					t.Fatal(err)
				}
				c := running(t, defaultConfig(), next)
				for id := range byte(5) {
					if err := c.ConsumeTraces(t.Context(), call(id+1)); err != nil {
						t.Errorf("spans are refused because metrics were: %v", err)
					}
					time.Sleep(DefaultFlushInterval)
				}
				synctest.Wait()
				if n := total(last(t, sink), instrument.ChatDuration); refused != 3 || n != 4 && n != 5 {
					t.Errorf("%d refused, %g chats told", refused, n)
				}
				if err := c.Shutdown(t.Context()); err != nil {
					t.Fatal(err)
				}
				if n := total(last(t, sink), instrument.ChatDuration); n != 5 {
					t.Errorf("%g chats told at the end, want 5", n)
				}
			})
		})
	}
}

// TestManyAtOnce: pipelines consume from many goroutines, and every span is
// admitted once.
func TestManyAtOnce(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	config := defaultConfig()
	config.FlushInterval = time.Millisecond
	c := running(t, config, sink)
	var all sync.WaitGroup
	for worker := range byte(8) {
		all.Go(func() {
			for i := range byte(20) {
				if err := c.ConsumeTraces(t.Context(), call(worker*20+i+1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := c.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{instrument.ChatDuration, instrument.OperationDuration, instrument.PipelineSpans, instrument.PipelineAdmitted} {
		if n := total(last(t, sink), name); n != 160 {
			t.Errorf("%s: %g, want 160", name, n)
		}
	}
}

// TestSpansWithoutIDsAreLeftOut as the product's doors leave them out, and counted.
func TestSpansWithoutIDsAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(consumertest.MetricsSink)
		reader := metric.NewManualReader()
		set := settings()
		set.MeterProvider = metric.NewMeterProvider(metric.WithReader(reader))
		c, err := newConnector(set, defaultConfig(), sink)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(t.Context(), componenttest.NewNopHost()); err != nil {
			t.Fatal(err)
		}
		traces := call(1, 0, 2)
		if err := c.ConsumeTraces(t.Context(), traces); err != nil {
			t.Fatal(err)
		}
		if traces.SpanCount() != 3 {
			t.Error("what was given was changed")
		}
		if err := c.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := total(last(t, sink), instrument.PipelineAdmitted); n != 2 {
			t.Errorf("%g admitted, want 2", n)
		}
		var own metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &own); err != nil {
			t.Fatal(err)
		}
		cut := own.ScopeMetrics[0].Metrics[0]
		if n := cut.Data.(metricdata.Sum[int64]).DataPoints[0].Value; cut.Name != "otelcol_connector_treq_cut_spans" || n != 1 {
			t.Errorf("%s: %d, want 1", cut.Name, n)
		}
	})
}

// TestWhatNestsTooDeepIsRefusedForEver keeps a sender from trying it again.
func TestWhatNestsTooDeepIsRefusedForEver(t *testing.T) {
	c, err := newConnector(settings(), defaultConfig(), consumertest.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	traces := call(1)
	value := traces.ResourceSpans().At(0).Resource().Attributes().PutEmptySlice("deep")
	for range 100 {
		value = value.AppendEmpty().SetEmptySlice()
	}
	if err := c.ConsumeTraces(t.Context(), traces); !consumererror.IsPermanent(err) || !strings.Contains(err.Error(), "deep") {
		t.Errorf("got %v", err)
	}
}
