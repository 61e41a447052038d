package treqredact

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"

	"treq/otel-collector/treqredact/internal/metadata"
	"treq/telemetry"
	"treq/telemetry/redact"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cpf is a number of a person with check digits that hold; it is nobody's.
const cpf = "529.982.247-25"

// tested gives the configuration that metadata.yaml has tests run with.
func tested(t *testing.T) *Config {
	t.Helper()
	told, err := confmaptest.LoadConf("metadata.yaml")
	if err != nil {
		t.Fatal(err)
	}
	conf, err := told.Sub("tests::config")
	if err != nil {
		t.Fatal(err)
	}
	return load(t, conf)
}

func load(t *testing.T, conf *confmap.Conf) *Config {
	t.Helper()
	config := NewFactory().CreateDefaultConfig()
	if err := conf.Unmarshal(&config); err != nil {
		t.Fatal(err)
	}
	return config.(*Config)
}

func TestMetadata(t *testing.T) {
	told, err := confmaptest.LoadConf("metadata.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f := NewFactory()
	if got := told.Get("type"); got != f.Type().String() {
		t.Errorf("metadata.yaml is about %v, the factory makes %s", got, f.Type())
	}
	if diff := cmp.Diff([]any{"traces", "metrics", "logs"}, told.Get("status::stability::beta")); diff != "" {
		t.Errorf("beta (-want +told):\n%s", diff)
	}
	for _, got := range []component.StabilityLevel{f.TracesStability(), f.MetricsStability(), f.LogsStability()} {
		if got != component.StabilityLevelBeta {
			t.Errorf("the factory says %s", got)
		}
	}
}

func TestConfigStruct(t *testing.T) {
	if err := componenttest.CheckConfigStruct(NewFactory().CreateDefaultConfig()); err != nil {
		t.Error(err)
	}
}

func TestLifecycle(t *testing.T) {
	set := processortest.NewNopSettings(metadata.Type)
	for name, create := range map[string]func() (component.Component, error){
		"traces": func() (component.Component, error) {
			return NewFactory().CreateTraces(t.Context(), set, tested(t), consumertest.NewNop())
		},
		"metrics": func() (component.Component, error) {
			return NewFactory().CreateMetrics(t.Context(), set, tested(t), consumertest.NewNop())
		},
		"logs": func() (component.Component, error) {
			return NewFactory().CreateLogs(t.Context(), set, tested(t), consumertest.NewNop())
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, start := range []bool{false, true, true} {
				c, err := create()
				if err != nil {
					t.Fatal(err)
				}
				if start {
					if err := c.Start(t.Context(), componenttest.NewNopHost()); err != nil {
						t.Error(err)
					}
				}
				if err := c.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestShutdownContract is the Collector's own check of processors.
func TestShutdownContract(t *testing.T) {
	processortest.VerifyShutdown(t, NewFactory(), tested(t))
}

// fill puts a person's number, and what is none, where all signals have attributes.
func fill(attributes pcommon.Map) {
	attributes.PutStr("note", "call "+cpf+" back")
	attributes.PutStr("other", "12345")
}

func check(t *testing.T, attributes pcommon.Map) {
	t.Helper()
	if diff := cmp.Diff(map[string]any{"note": "call [CPF] back", "other": "12345"}, attributes.AsRaw()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestEverySignalIsRedacted, what was given stays as it was, since others may read it,
// and what was replaced is counted.
func TestEverySignalIsRedacted(t *testing.T) {
	reader := metric.NewManualReader()
	set := processortest.NewNopSettings(metadata.Type)
	set.MeterProvider = metric.NewMeterProvider(metric.WithReader(reader))
	f, config := NewFactory(), tested(t)

	traces := ptrace.NewTraces()
	fill(traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().Attributes())
	traces.MarkReadOnly()
	tracesSink := new(consumertest.TracesSink)
	tracesProcessor, err := f.CreateTraces(t.Context(), set, config, tracesSink)
	run(t, tracesProcessor, err, func() error { return tracesProcessor.ConsumeTraces(t.Context(), traces) })
	check(t, tracesSink.AllTraces()[0].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes())
	if given, _ := traces.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().Get("note"); !strings.Contains(given.Str(), cpf) {
		t.Error("what was given was changed")
	}

	logs := plog.NewLogs()
	fill(logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Attributes())
	logsSink := new(consumertest.LogsSink)
	logsProcessor, err := f.CreateLogs(t.Context(), set, config, logsSink)
	run(t, logsProcessor, err, func() error { return logsProcessor.ConsumeLogs(t.Context(), logs) })
	check(t, logsSink.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes())

	metrics := pmetric.NewMetrics()
	fill(metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptySum().DataPoints().AppendEmpty().Attributes())
	metricsSink := new(consumertest.MetricsSink)
	metricsProcessor, err := f.CreateMetrics(t.Context(), set, config, metricsSink)
	if err != nil {
		t.Fatal(err)
	}
	if err := metricsProcessor.Start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	if err := metricsProcessor.ConsumeMetrics(t.Context(), metrics); err != nil {
		t.Fatal(err)
	}
	check(t, metricsSink.AllMetrics()[0].ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Sum().DataPoints().At(0).Attributes())

	if n := replaced(t, reader); n["cpf"] != 1 {
		t.Errorf("replaced: %v", n)
	}
	if err := metricsProcessor.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := replaced(t, reader); len(n) != 0 {
		t.Errorf("told after the end: %v", n)
	}
}

// run has a processor do one thing in a life.
func run(t *testing.T, c component.Component, err error, do func() error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []func() error{
		func() error { return c.Start(context.Background(), componenttest.NewNopHost()) },
		do,
		func() error { return c.Shutdown(context.Background()) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}

// replaced gives the processor's own counters, by kind.
func replaced(t *testing.T, reader *metric.ManualReader) map[string]int64 {
	t.Helper()
	var own metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &own); err != nil {
		t.Fatal(err)
	}
	found := map[string]int64{}
	for _, scope := range own.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "otelcol_processor_treq_redact_replaced" {
				for _, p := range sum.DataPoints {
					kind, _ := p.Attributes.Value("treq.redact.kind")
					found[strings.ToLower(kind.AsString())] += p.Value
				}
			}
		}
	}
	return found
}

// TestWhatHoldsNothingGoesOnAsItCame: no copy is made.
func TestWhatHoldsNothingGoesOnAsItCame(t *testing.T) {
	r, err := newRedaction(processortest.NewNopSettings(metadata.Type), tested(t))
	if err != nil {
		t.Fatal(err)
	}
	traces := ptrace.NewTraces()
	traces.ResourceSpans().AppendEmpty().Resource().Attributes().PutStr("service.name", "shop")
	for _, in := range []ptrace.Traces{traces, ptrace.NewTraces()} {
		if out, err := r.traces(t.Context(), in); err != nil || out != in {
			t.Errorf("a copy went on (%v)", err)
		}
	}
}

// TestRulesAreLaidOver: preset, then file, then what the configuration says itself.
func TestRulesAreLaidOver(t *testing.T) {
	config := load(t, confmap.NewFromStringMap(map[string]any{
		"preset": "br", "file": "testdata/rules.yaml", "key": "a key of this test alone",
		"kinds":    map[string]any{"cpf": "keep", "email": "drop"},
		"fields":   map[string]any{"internal.*": "drop"},
		"patterns": []any{map[string]any{"name": "registration", "match": `M-\d{6}`}},
		"content":  "none",
	}))
	if err := confmap.Validate(config); err != nil {
		t.Fatal(err)
	}
	r, err := newRedaction(processortest.NewNopSettings(metadata.Type), config)
	if err != nil {
		t.Fatal(err)
	}
	traces := ptrace.NewTraces()
	a := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().Attributes()
	a.PutStr("note", "call "+cpf+" back")
	a.PutStr("who", "write to ana@example.com.br")
	a.PutStr("customer.name", "Ana")
	a.PutStr("internal.id", "7")
	a.PutStr("student", "M-123456")
	a.PutStr("gen_ai.input.messages", "hello")
	out, err := r.traces(t.Context(), traces)
	if err != nil {
		t.Fatal(err)
	}
	got := out.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().AsRaw()
	if content, there := got["gen_ai.input.messages"]; there && content == "hello" {
		t.Error("content was kept")
	}
	delete(got, "gen_ai.input.messages")
	want := map[string]any{"note": "call " + cpf + " back", "who": "[EMAIL]", "student": "[REGISTRATION]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFaultsAreNamed(t *testing.T) {
	key := telemetry.NewSecret("a key of this test alone")
	for want, config := range map[string]*Config{
		"no preset is named":   {Preset: "us", Key: key},
		"it has 5 bytes":       {Preset: "br", Key: telemetry.NewSecret("short")},
		"change nothing":       {Key: key},
		"nothing-known":        {Kinds: map[string]redact.Mode{"nothing-known": redact.Mask}, Key: key},
		"patterns[0].match":    {Patterns: []Pattern{{Name: "registration", Match: "("}}, Key: key},
		"testdata/none.yaml":   {File: "testdata/none.yaml", Key: key},
		"metadata.yaml":        {File: "metadata.yaml", Key: key},
		"it has 0 bytes and n": {Preset: "br"},
	} {
		err := config.Validate()
		if err == nil {
			_, err = NewFactory().CreateTraces(t.Context(), processortest.NewNopSettings(metadata.Type), config, consumertest.NewNop())
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestTheKeyIsNotShown where a Collector shows its configuration.
func TestTheKeyIsNotShown(t *testing.T) {
	shown := confmap.New()
	if err := shown.Marshal(tested(t)); err != nil {
		t.Fatal(err)
	}
	if key, _ := shown.Get("key").(string); strings.Contains(key, "test alone") {
		t.Errorf("shown: %q", key)
	}
}

// TestReadme: every key of the configuration is explained.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"preset", "file", "kinds", "fields", "patterns", "content", "key"} {
		if !strings.Contains(string(readme), "| `"+key+"` |") {
			t.Errorf("README.md does not explain %s", key)
		}
	}
}
