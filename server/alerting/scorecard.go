package alerting

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/prometheus/prometheus/rules"

	"treq/telemetry/objective"
)

// The statuses of a target.
const (
	Met    = "met"
	Missed = "missed"
	NoData = "no_data"
)

// Scorecard is the document of GET /monitoring/kpis.
type Scorecard struct {
	Time time.Time `json:"time"`
	KPIs []KPI     `json:"kpis"`
}

// KPI is one target with what it is at.
type KPI struct {
	Name string `json:"name"`
	// Title is by language.
	Title map[string]string `json:"title"`
	// Unit is what Value, Target and Tolerance are in: ratio, ms, s, MB, USD,
	// tokens, or "" for a bare number.
	Unit string `json:"unit"`
	// Comparison is <, <=, >, >= or ~, which is within Tolerance of Target.
	Comparison string   `json:"comparison"`
	Target     float64  `json:"target"`
	Tolerance  *float64 `json:"tolerance,omitempty"`
	// Value is nil while there is nothing to tell from.
	Value         *float64 `json:"value"`
	WindowSeconds int64    `json:"window_seconds"`
	// Samples is how much the value is made of, nil for a level or a sum.
	Samples *int64 `json:"sample_count"`
	// Status is met, missed or no_data.
	Status string `json:"status"`
	// Series is the recorded series behind the value, for charts.
	Series string `json:"series"`
}

// Scorecard reads the recorded series of all targets, at one blow.
func (ev *Evaluator) Scorecard(ctx context.Context) (Scorecard, error) {
	ev.mu.Lock()
	lines := ev.rules.Lines
	ev.mu.Unlock()
	doc := Scorecard{Time: ev.o.Now().UTC(), KPIs: []KPI{}}
	values, err := ev.recorded(ctx, lines, doc.Time)
	if err != nil {
		return Scorecard{}, err
	}
	for _, l := range lines {
		doc.KPIs = append(doc.KPIs, kpiOf(l, values))
	}
	return doc, nil
}

// recorded gives the newest values of the lines' series.
func (ev *Evaluator) recorded(ctx context.Context, lines []objective.Line, at time.Time) (map[string]float64, error) {
	var names []string
	for _, l := range lines {
		names = append(names, l.Value)
		if l.Samples != "" {
			names = append(names, l.Samples)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	query := rules.EngineQueryFunc(ev.o.Storage.Engine(), ev.o.Storage.Queryable())
	// The names hold nothing that a regular expression takes for more than itself.
	v, err := query(ctx, fmt.Sprintf("{__name__=~%q}", strings.Join(names, "|")), at)
	if err != nil {
		return nil, fmt.Errorf("scorecard: %w", err)
	}
	values := map[string]float64{}
	for _, s := range v {
		values[s.Metric.Get("__name__")] = s.F
	}
	return values, nil
}

func kpiOf(l objective.Line, values map[string]float64) KPI {
	t := l.Target
	k := KPI{
		Name: t.Name, Title: t.Title, Unit: string(t.Unit), Comparison: string(t.Comparison), Target: t.Target,
		WindowSeconds: int64(t.Window.Seconds()), Status: NoData, Series: l.Value,
	}
	if t.Comparison == objective.Near {
		k.Tolerance = &t.Tolerance
	}
	count, counted := values[l.Samples]
	if l.Samples != "" {
		n := int64(math.Round(count))
		k.Samples = &n
	}
	v, ok := values[l.Value]
	if !ok || math.IsNaN(v) || math.IsInf(v, 0) || l.Samples != "" && (!counted || count < t.MinSamples || count <= 0) {
		return k
	}
	v = sixDecimals(v)
	k.Value = &v
	k.Status = Missed
	if t.Met(v) {
		k.Status = Met
	}
	return k
}

// sixDecimals rounds a value as documents show it. Costs are sums of whole nano-dollars,
// which end in a half of the last decimal now and then: rounded to nanos first, they are
// the same in whatever order a fleet's parts were added.
func sixDecimals(v float64) float64 {
	return math.Round(math.Round(v*1e9)/1e3) / 1e6
}
