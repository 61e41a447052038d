package treqconnector

import (
	"context"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pipeline"
	"go.uber.org/goleak"

	"treq/otel-collector/treqconnector/internal/metadata"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestMetadata: what metadata.yaml says of the connector is what its factory says.
func TestMetadata(t *testing.T) {
	told, err := confmaptest.LoadConf("metadata.yaml")
	if err != nil {
		t.Fatal(err)
	}
	factory := NewFactory()
	if got := told.Get("type"); got != factory.Type().String() {
		t.Errorf("metadata.yaml is about %v, the factory makes %s", got, factory.Type())
	}
	if diff := cmp.Diff([]any{"traces_to_metrics"}, told.Get("status::stability::beta")); diff != "" {
		t.Errorf("beta (-want +told):\n%s", diff)
	}
	if got := factory.TracesToMetricsStability(); got != component.StabilityLevelBeta {
		t.Errorf("the factory says %s", got)
	}
	if got := factory.TracesToLogsStability(); got != component.StabilityLevelUndefined {
		t.Errorf("to logs: %s", got)
	}
}

func TestConfigStruct(t *testing.T) {
	if err := componenttest.CheckConfigStruct(NewFactory().CreateDefaultConfig()); err != nil {
		t.Error(err)
	}
}

// TestLifecycle is the one that generated tests of components go through.
func TestLifecycle(t *testing.T) {
	factory := NewFactory()
	create := func(t *testing.T) component.Component {
		t.Helper()
		config := factory.CreateDefaultConfig()
		told, err := confmaptest.LoadConf("metadata.yaml")
		if err != nil {
			t.Fatal(err)
		}
		tests, err := told.Sub("tests::config")
		if err != nil {
			t.Fatal(err)
		}
		if err := tests.Unmarshal(&config); err != nil {
			t.Fatal(err)
		}
		next := connector.NewMetricsRouter(map[pipeline.ID]consumer.Metrics{pipeline.NewID(pipeline.SignalMetrics): consumertest.NewNop()})
		c, err := factory.CreateTracesToMetrics(context.Background(), connectortest.NewNopSettings(metadata.Type), config, next)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	t.Run("shutdown without start", func(t *testing.T) {
		if err := create(t).Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("twice", func(t *testing.T) {
		for range 2 {
			c := create(t)
			// The context of a start ends with it.
			ctx, cancel := context.WithCancel(t.Context())
			if err := c.Start(ctx, componenttest.NewNopHost()); err != nil {
				t.Fatal(err)
			}
			cancel()
			for range 2 {
				if err := c.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

// TestReadme: every key of the configuration is explained.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	told, err := confmaptest.LoadConf("testdata/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range told.AllKeys() {
		if !containsKey(string(readme), key) {
			t.Errorf("README.md does not explain %s", key)
		}
	}
}
