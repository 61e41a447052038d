package instrument

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func newInstruments(t testing.TB, o Options) (in, reader *Instruments) {
	t.Helper()
	in, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return in, in
}

// one is a series as tests read it: a counter's value is its count.
type one struct {
	attrs map[string]string
	count int64
	sum   float64
}

// collect gives the series of every instrument.
func collect(t testing.TB, in *Instruments) map[string][]one {
	t.Helper()
	all := map[string][]one{}
	metrics, _, _ := in.Collect()
	for _, m := range metrics {
		for _, p := range m.Points {
			o := one{attrs: texts(p.Attributes.ToSlice())}
			switch m.Kind {
			case Histogram:
				o.count, o.sum = int64(p.Count), p.Sum
			case IntHistogram:
				o.count, o.sum = int64(p.Count), float64(p.Total)
			default:
				o.count = p.Total
			}
			all[m.Name] = append(all[m.Name], o)
		}
	}
	return all
}

// observed gives the series of the process's instruments.
func observed(t testing.TB, reader sdkmetric.Reader) map[string][]one {
	t.Helper()
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &rm); err != nil {
		t.Fatal(err)
	}
	all := map[string][]one{}
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					all[m.Name] = append(all[m.Name], one{texts(p.Attributes.ToSlice()), p.Value, 0})
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					all[m.Name] = append(all[m.Name], one{texts(p.Attributes.ToSlice()), int64(p.Count), p.Sum})
				}
			case metricdata.Histogram[int64]:
				for _, p := range data.DataPoints {
					all[m.Name] = append(all[m.Name], one{texts(p.Attributes.ToSlice()), int64(p.Count), float64(p.Sum)})
				}
			case metricdata.Sum[float64]:
				for _, p := range data.DataPoints {
					all[m.Name] = append(all[m.Name], one{texts(p.Attributes.ToSlice()), 1, p.Value})
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					all[m.Name] = append(all[m.Name], one{texts(p.Attributes.ToSlice()), 1, p.Value})
				}
			default:
				t.Fatalf("%s: unexpected %T", m.Name, m.Data)
			}
		}
	}
	return all
}
