package reported_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"

	"treq/telemetry/reported"
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

var epoch = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

const (
	cumulative = pmetric.AggregationTemporalityCumulative
	delta      = pmetric.AggregationTemporalityDelta
)

// request builds a request of one resource; parts add metrics to it.
func request(t testing.TB, service, instance string, parts ...func(pmetric.MetricSlice)) []byte {
	t.Helper()
	m := pmetric.NewMetrics()
	resource := m.ResourceMetrics().AppendEmpty()
	if service != "" {
		resource.Resource().Attributes().PutStr("service.name", service)
	}
	if instance != "" {
		resource.Resource().Attributes().PutStr("service.instance.id", instance)
	}
	metrics := resource.ScopeMetrics().AppendEmpty().Metrics()
	for _, part := range parts {
		part(metrics)
	}
	data, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// number is a gauge (temporality 0) or a sum of one point; attrs are key, value, ….
func number(name string, temporality pmetric.AggregationTemporality, monotonic bool, at time.Duration, value float64, attrs ...string) func(pmetric.MetricSlice) {
	return func(to pmetric.MetricSlice) {
		m := to.AppendEmpty()
		m.SetName(name)
		var p pmetric.NumberDataPoint
		if temporality == 0 {
			p = m.SetEmptyGauge().DataPoints().AppendEmpty()
		} else {
			sum := m.SetEmptySum()
			sum.SetAggregationTemporality(temporality)
			sum.SetIsMonotonic(monotonic)
			p = sum.DataPoints().AppendEmpty()
		}
		p.SetDoubleValue(value)
		p.SetTimestamp(stamp(at))
		for i := 0; i < len(attrs); i += 2 {
			p.Attributes().PutStr(attrs[i], attrs[i+1])
		}
	}
}

func explicit(name string, temporality pmetric.AggregationTemporality, sum float64, bounds []float64, counts ...uint64) func(pmetric.MetricSlice) {
	return func(to pmetric.MetricSlice) {
		m := to.AppendEmpty()
		m.SetName(name)
		h := m.SetEmptyHistogram()
		h.SetAggregationTemporality(temporality)
		p := h.DataPoints().AppendEmpty()
		p.SetSum(sum)
		p.ExplicitBounds().FromRaw(bounds)
		p.BucketCounts().FromRaw(counts)
		for _, n := range counts {
			p.SetCount(p.Count() + n)
		}
	}
}

func exponentialPoint(name string, temporality pmetric.AggregationTemporality, scale, offset int32, counts ...uint64) func(pmetric.MetricSlice) {
	return func(to pmetric.MetricSlice) {
		m := to.AppendEmpty()
		m.SetName(name)
		h := m.SetEmptyExponentialHistogram()
		h.SetAggregationTemporality(temporality)
		p := h.DataPoints().AppendEmpty()
		p.SetScale(scale)
		p.SetZeroCount(1)
		p.SetCount(1)
		p.SetSum(1)
		p.Positive().SetOffset(offset)
		p.Positive().BucketCounts().FromRaw(counts)
		for _, n := range counts {
			p.SetCount(p.Count() + n)
		}
	}
}

func consume(t testing.TB, s *reported.Store, after time.Duration, body []byte) {
	t.Helper()
	if err := s.Consume(epoch.Add(after), body); err != nil {
		t.Fatal(err)
	}
}

// dump gives what the store produces, one line a series.
func dump(t testing.TB, s *reported.Store) string {
	t.Helper()
	scopes, err := s.Produce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	line := func(m metricdata.Metrics, set attribute.Set, format string, args ...any) {
		lines = append(lines, fmt.Sprintf("%s{%s} %s", m.Name, set.Encoded(attribute.DefaultEncoder()), fmt.Sprintf(format, args...)))
	}
	for _, scope := range scopes {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Gauge[int64]:
				for _, p := range data.DataPoints {
					line(m, p.Attributes, "gauge %d", p.Value)
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					line(m, p.Attributes, "gauge %v", p.Value)
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					line(m, p.Attributes, "counter %d", p.Value)
				}
			case metricdata.Sum[float64]:
				for _, p := range data.DataPoints {
					line(m, p.Attributes, "sum monotonic=%v %v", data.IsMonotonic, p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					line(m, p.Attributes, "histogram count=%d sum=%v %v %v", p.Count, p.Sum, p.Bounds, p.BucketCounts)
				}
			case metricdata.ExponentialHistogram[float64]:
				for _, p := range data.DataPoints {
					line(m, p.Attributes, "exponential count=%d sum=%v scale=%d zero=%d positive=%v negative=%v",
						p.Count, p.Sum, p.Scale, p.ZeroCount, p.PositiveBucket, p.NegativeBucket)
				}
			default:
				t.Fatalf("%s: unexpected %T", m.Name, m.Data)
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}
