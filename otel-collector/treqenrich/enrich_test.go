package treqenrich

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/goleak"

	"treq/otel-collector/treqenrich/internal/metadata"
	"treq/telemetry/enrich"
	"treq/test/recorded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func created(t *testing.T, backend string, next *consumertest.TracesSink) processor.Traces {
	t.Helper()
	p, err := NewFactory().CreateTraces(t.Context(), processortest.NewNopSettings(metadata.Type), &Config{Backend: backend}, next)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestMetadata: what metadata.yaml says is what the factory says.
func TestMetadata(t *testing.T) {
	told, err := confmaptest.LoadConf("metadata.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f := NewFactory()
	if got := told.Get("type"); got != f.Type().String() {
		t.Errorf("metadata.yaml is about %v, the factory makes %s", got, f.Type())
	}
	if diff := cmp.Diff([]any{"traces"}, told.Get("status::stability::beta")); diff != "" || f.TracesStability() != component.StabilityLevelBeta {
		t.Errorf("the factory says %s; beta (-want +told):\n%s", f.TracesStability(), diff)
	}
	conf, err := told.Sub("tests::config")
	if err != nil {
		t.Fatal(err)
	}
	config := f.CreateDefaultConfig()
	if err := conf.Unmarshal(&config); err != nil {
		t.Fatal(err)
	}
	if err := confmap.Validate(config); err != nil {
		t.Error(err)
	}
	if err := componenttest.CheckConfigStruct(config); err != nil {
		t.Error(err)
	}
}

func TestLifecycle(t *testing.T) {
	for _, start := range []bool{false, true, true} {
		p := created(t, "langsmith", new(consumertest.TracesSink))
		if start {
			if err := p.Start(t.Context(), componenttest.NewNopHost()); err != nil {
				t.Error(err)
			}
		}
		if err := p.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
	processortest.VerifyShutdown(t, NewFactory(), NewFactory().CreateDefaultConfig())
}

// TestSameAsTheProduct: what recorded clients sent is completed for every backend as
// the product completes it, and what was given stays as it was.
func TestSameAsTheProduct(t *testing.T) {
	decode := func(body []byte) ptrace.Traces {
		traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(body)
		if err != nil {
			t.Fatal(err)
		}
		return traces
	}
	encode := func(traces ptrace.Traces) string {
		body, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	for backend, complete := range map[string]func([]byte) []byte{
		"langsmith": enrich.LangSmith, "langfuse": enrich.Langfuse, "phoenix": enrich.Phoenix,
	} {
		added, kept := 0, 0
		sink := new(consumertest.TracesSink)
		p := created(t, backend, sink)
		if p.Capabilities().MutatesData {
			t.Error("it says that it changes what it is given")
		}
		for _, c := range recorded.Load(t) {
			for _, body := range c.Requests {
				given := decode(body)
				before := encode(given)
				given.MarkReadOnly()
				if err := p.ConsumeTraces(t.Context(), given); err != nil {
					t.Fatal(err)
				}
				all := sink.AllTraces()
				got := encode(all[len(all)-1])
				if want := encode(decode(complete([]byte(before)))); got != want {
					t.Errorf("%s, %s: not what the product makes of it", backend, c.Name)
				}
				if encode(given) != before {
					t.Errorf("%s, %s: what was given was changed", backend, c.Name)
				}
				if got == before {
					kept++
				} else {
					added++
				}
				sink.Reset()
			}
		}
		if added == 0 {
			t.Errorf("%s misses nothing of %d requests", backend, kept)
		}
	}
}

func TestUnknownBackends(t *testing.T) {
	config := &Config{Backend: "nobody"}
	if err := confmap.Validate(config); err == nil {
		t.Error("it is good")
	}
	if _, err := NewFactory().CreateTraces(t.Context(), processortest.NewNopSettings(metadata.Type), config, consumertest.NewNop()); err == nil {
		t.Error("it was made")
	}
}
