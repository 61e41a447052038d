package history

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"

	"treq/telemetry"
)

// ChartQuery asks for a chart. Metric and Range are required.
type ChartQuery struct {
	Metric string
	// Range is how far back it goes from End; zero End is now.
	Range time.Duration
	End   time.Time
	// Step is between two values; 0 chooses one that gives some 240.
	Step time.Duration
	// Service and Model narrow it; "" is all.
	Service, Model string
	// By tells series apart: "service", and "model", "data_source" or "sink" where the
	// quantity is measured by it.
	By []string
}

// ChartData is a chart's series. Value i of each is at Start + i steps, nil where
// there was nothing to measure.
type ChartData struct {
	Chart
	Start       string        `json:"start"` // RFC 3339, UTC
	End         string        `json:"end"`
	StepSeconds float64       `json:"step_seconds"`
	Series      []ChartSeries `json:"series"`
}

// ChartSeries is one line. What series are told apart by is set; "" is what named
// none.
type ChartSeries struct {
	Service    *string    `json:"service,omitempty"`
	Model      *string    `json:"model,omitempty"`
	DataSource *string    `json:"data_source,omitempty"`
	Sink       *string    `json:"sink,omitempty"`
	Values     []*float64 `json:"values"`
}

// The bounds of charts.
const (
	mostValues  = 2000
	mostSeries  = 50
	usualValues = 240
	longestEver = 400 * 24 * time.Hour
)

// Chart makes a chart. Errors of what was asked are of kind Unprocessable.
func (s *Store) Chart(ctx context.Context, q ChartQuery) (ChartData, error) {
	chart, sel, err := s.plan(&q)
	if err != nil {
		return ChartData{}, err
	}
	start := q.End.Add(-q.Range)
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	release, err := s.Turn(ctx)
	if err != nil {
		return ChartData{}, busy(err)
	}
	defer release()
	m, err := s.QueryRange(ctx, chart.expr(sel), start, q.End, q.Step)
	if err != nil {
		return ChartData{}, busy(err)
	}
	d := ChartData{
		Chart: chart, Start: start.UTC().Format(time.RFC3339), End: q.End.UTC().Format(time.RFC3339), StepSeconds: q.Step.Seconds(),
		Series: []ChartSeries{},
	}
	slices.SortFunc(m, func(a, b promql.Series) int { return strings.Compare(a.Metric.String(), b.Metric.String()) })
	for _, series := range m[:min(len(m), mostSeries)] {
		d.Series = append(d.Series, lineOf(series, sel, start, q))
	}
	return d, nil
}

// busy gives what a query was refused for a kind.
func busy(err error) error {
	if telemetry.KindOf(err) != telemetry.Internal {
		return err
	}
	return &telemetry.Error{Kind: telemetry.Unavailable, Message: "the history could not be read in time; ask for less, or later", Err: err}
}

// labelNames are what By may name.
var labelNames = map[string]string{"service": labelService, "model": labelModel, "data_source": labelSource, "sink": labelSink}

// plan checks what is asked and completes it.
func (s *Store) plan(q *ChartQuery) (Chart, selection, error) {
	wrong := func(format string, args ...any) (Chart, selection, error) {
		return Chart{}, selection{}, telemetry.Errorf(telemetry.Unprocessable, format, args...)
	}
	chart, err := chartNamed(q.Metric)
	if err != nil {
		return Chart{}, selection{}, err
	}
	if q.End.IsZero() {
		q.End = s.Now()
	}
	if q.Range < s.o.Step || q.Range > longestEver {
		return wrong("range is a duration from %v to %v, such as 6h", s.o.Step, longestEver)
	}
	if q.Step == 0 {
		// Whole steps of the history: between two of its samples there is nothing to see.
		q.Step = max(1, (q.Range/usualValues+s.o.Step-1)/s.o.Step) * s.o.Step
	}
	if q.Step < time.Second || q.Range/q.Step > mostValues {
		return wrong("step is a duration of at least 1s that gives at most %d values, such as 1m", mostValues)
	}
	sel := selection{service: q.Service, model: q.Model, window: max(q.Step, 4*s.o.Step)}
	for _, by := range q.By {
		label := labelNames[by]
		switch {
		case label == "":
			return wrong("by is service, model, data_source or sink, not %.40q", by)
		case label != labelService && !slices.Contains(chart.told, label):
			return wrong("%s is not measured by %s", chart.Name, strings.ReplaceAll(by, "_", " "))
		}
		sel.by = append(sel.by, label)
	}
	if q.Model != "" && !slices.Contains(chart.told, labelModel) {
		return wrong("%s is not measured by model", chart.Name)
	}
	return chart, sel, nil
}

// lineOf lays the points of a series on the steps.
func lineOf(series promql.Series, sel selection, start time.Time, q ChartQuery) ChartSeries {
	line := ChartSeries{Values: make([]*float64, q.Range/q.Step+1)}
	for _, by := range sel.by {
		v := series.Metric.Get(by)
		switch by {
		case labelService:
			line.Service = &v
		case labelModel:
			line.Model = &v
		case labelSource:
			line.DataSource = &v
		case labelSink:
			line.Sink = &v
		}
	}
	for _, p := range series.Floats {
		i := (p.T - start.UnixMilli() + q.Step.Milliseconds()/2) / q.Step.Milliseconds()
		if i >= 0 && i < int64(len(line.Values)) && !math.IsNaN(p.F) && !math.IsInf(p.F, 0) {
			line.Values[i] = &p.F
		}
	}
	return line
}
