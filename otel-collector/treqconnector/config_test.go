package treqconnector

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"treq/telemetry/understand"
)

// load gives the configuration of a file as a Collector reads it.
func load(t *testing.T, conf *confmap.Conf) *Config {
	t.Helper()
	config := NewFactory().CreateDefaultConfig()
	if err := conf.Unmarshal(&config); err != nil {
		t.Fatal(err)
	}
	return config.(*Config)
}

func TestConfigIsRead(t *testing.T) {
	conf, err := confmaptest.LoadConf("testdata/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := load(t, conf)
	want := &Config{
		FlushInterval: 5 * time.Second,
		Chats: Chats{
			Preset: "treq", Entries: []SpanRule{{Service: "shop", Route: "/ask"}}, Exclude: []SpanRule{{Name: "warm-up"}},
			Session: 20 * time.Minute, Remember: 30 * time.Minute,
			Close: Closing{Root: 2 * time.Second, Chain: 10 * time.Second, Leaves: time.Minute, Longest: 30 * time.Minute},
		},
		Families:  []Family{{Name: "small", Match: []string{"mini", "nano"}}},
		Retrieval: Retrieval{Threshold: 0.7},
		Prices:    Prices{File: "testdata/prices.yaml"},
		Limits:    Limits{OpenSpans: 1000, TraceSpans: 500, RememberedSpans: 2000, HorizonBytes: 65536, Values: 20, Series: 50},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +read):\n%s", diff)
	}
	if err := confmap.Validate(got); err != nil {
		t.Error(err)
	}
	if _, err := newConnector(settings(), got, nil); err != nil {
		t.Error(err)
	}
	rules := understand.DefaultConfig()
	rules.Preset, rules.BareLLM = "treq", false
	rules.Entries, rules.Exclude = []understand.Rule{{Service: "shop", Route: "/ask"}}, []understand.Rule{{Name: "warm-up"}}
	rules.Session, rules.Remember = 20*time.Minute, 30*time.Minute
	rules.CloseRoot, rules.CloseChain, rules.CloseLeaf, rules.CloseMax = 2*time.Second, 10*time.Second, time.Minute, 30*time.Minute
	rules.MaxOpenSpans, rules.MaxTraceSpans, rules.MaxRemembered, rules.HorizonBytes = 1000, 500, 2000, 65536
	if diff := cmp.Diff(rules, got.rules()); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	o := got.options()
	if o.MaxValues != 20 || o.MaxSeries != 50 || o.Threshold != 0.7 || o.Family("GPT-Mini") != "small" {
		t.Errorf("options: %+v", o)
	}
}

// TestDefaults: without a configuration the connector counts by the product's defaults.
func TestDefaults(t *testing.T) {
	config := defaultConfig()
	if err := confmap.Validate(config); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(understand.DefaultConfig(), config.rules()); diff != "" {
		t.Errorf("rules (-the product's +the connector's):\n%s", diff)
	}
	if config.options().Family != nil {
		t.Error("the families are not the product's own")
	}
}

func TestFaultsAreNamed(t *testing.T) {
	for _, c := range []struct {
		key   string
		value any
		want  string
	}{
		{"metrics_flush_interval", "0s", "metrics_flush_interval: 0s is not above 0"},
		{"chats::session", "-1s", "chats::session: -1s is not above 0"},
		{"chats::remember", "0s", "chats::remember"},
		{"chats::close::root", "0s", "chats::close::root"},
		{"chats::close::chain", "0s", "chats::close::chain"},
		{"chats::close::leaves", "0s", "chats::close::leaves"},
		{"chats::close::longest", "0s", "chats::close::longest"},
		{"chats::preset", "nobody's", `chats::preset: no preset is named "nobody's"`},
		{"limits::values", 10001, "limits::values: 10001 is not in 1 to 10000"},
		{"limits::series", 0, "limits::series"},
		{"limits::open_spans", 0, "limits::open_spans"},
		{"limits::trace_spans", -1, "limits::trace_spans"},
		{"limits::remembered_spans", 0, "limits::remembered_spans"},
		{"limits::horizon_bytes", 0, "limits::horizon_bytes"},
		{"retrieval::threshold", 1.5, "retrieval::threshold: 1.5"},
	} {
		t.Run(c.key, func(t *testing.T) {
			nested := map[string]any{}
			at := nested
			path := strings.Split(c.key, "::")
			for _, part := range path[:len(path)-1] {
				inner := map[string]any{}
				at[part], at = inner, inner
			}
			at[path[len(path)-1]] = c.value
			err := confmap.Validate(load(t, confmap.NewFromStringMap(nested)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	faulty := defaultConfig()
	faulty.Chats.Entries, faulty.Chats.Exclude, faulty.Families = []SpanRule{{}}, []SpanRule{{}}, []Family{{Name: "x"}}
	err := faulty.Validate()
	for _, want := range []string{"chats::entries::0", "chats::exclude::0", "families::0"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestPriceFileThatIsNone(t *testing.T) {
	for name, want := range map[string]string{"testdata/none.yaml": "prices::file", "metadata.yaml": "metadata.yaml"} {
		config := defaultConfig()
		config.Prices.File = name
		if _, err := NewFactory().CreateTracesToMetrics(t.Context(), settings(), component.Config(config), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// containsKey tells whether the last part of a key stands in a text as code.
func containsKey(text, key string) bool {
	return strings.Contains(text, "`"+key+"`")
}
