package objective

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// longestWindow is as far back as history goes by default.
const longestWindow = 15 * 24 * time.Hour

// check finds what no single key shows. Only objectives that this file touches
// are looked at: the others were checked with theirs. What could not be read of one
// would be told a second time, as something missing: those are left out.
func (r *reader) check() {
	for i := range r.doc.Targets {
		if t := &r.doc.Targets[i]; r.touched("targets." + t.Name) {
			r.checkTarget(t, "targets."+t.Name)
		}
	}
	for i := range r.doc.Alerts {
		if a := &r.doc.Alerts[i]; r.touched("alerts." + a.Name) {
			r.checkAlert(a, "alerts."+a.Name)
		}
	}
	if len(r.faults) == 0 {
		if _, err := r.doc.Compile(Options{}); err != nil {
			r.fault(0, "", "%s", err)
		}
	}
}

func (r *reader) touched(key string) bool {
	_, ok := r.places[key]
	return ok && !slices.ContainsFunc(r.faults, func(f fault) bool { return f.key == key || strings.HasPrefix(f.key, key+".") })
}

// no records a fault at a key, or at the objective where the key is not given.
func (r *reader) no(wrong bool, objective, key, format string, args ...any) {
	if !wrong {
		return
	}
	line, given := r.places[objective+"."+key]
	if !given {
		line = r.places[objective]
	}
	r.fault(line, objective+"."+key, format, args...)
}

func (r *reader) checkMeasure(m *Measure, key string) {
	r.no(m.Metric == "" && m.PromQL == "", key, "metric", "is missing: want a metric, or an expression under promql; metrics are %s", metricNames())
	r.no(m.Window < 10*time.Second || m.Window > longestWindow, key, "window", "must be within 10s and 15d")
	r.no(m.MinSamples < 0, key, "min_samples", "must not be negative")
	r.no(m.Samples != "" && m.PromQL == "", key, "samples_promql", "goes with promql; a metric counts its own")
	if m.PromQL != "" {
		r.no(m.MinSamples > 0 && m.Samples == "", key, "min_samples", "needs samples_promql, which counts them")
		r.no(len(m.Where) > 0, key, "where", "goes with metric: write the conditions into the expression")
		r.expression(key, "promql", m.PromQL, m.Window)
		if m.Samples != "" {
			r.expression(key, "samples_promql", m.Samples, m.Window)
		}
		for _, l := range m.GroupBy {
			r.no(!labelName.MatchString(l), key, "group_by", "%q is no label", l)
		}
		return
	}
	named, ok := metricNamed(m.Metric)
	if !ok {
		return
	}
	r.no(m.MinSamples > 0 && named.samples == "", key, "min_samples", "%s is a level and has no samples", m.Metric)
	for _, word := range append(slices.Sorted(maps.Keys(m.Where)), m.GroupBy...) {
		what := "where"
		if slices.Contains(m.GroupBy, word) {
			what = "group_by"
		}
		_, has := named.labels[word]
		r.no(!has, key, what, "%s has no %s; it has %s", m.Metric, word, wordsOf(named.labels))
	}
	r.no(m.Metric == shareOfCalls && len(m.Where) == 0, key, "where", "is missing: it says whose share is meant, such as {family: 8b}")
	r.no(m.Metric == shareOfCalls && slices.ContainsFunc(m.GroupBy, func(w string) bool { return w != "service" }),
		key, "group_by", "can be service only: a share needs a whole")
}

func wordsOf(labels map[string]string) string {
	if len(labels) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(labels)), ", ")
}

func (r *reader) expression(objective, key, text string, window time.Duration) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(withWindow(text, window))
	if err != nil {
		r.no(true, objective, key, "%s", err)
		return
	}
	r.no(expr.Type() != parser.ValueTypeVector && expr.Type() != parser.ValueTypeScalar, objective, key,
		"is a %s: want a vector or a scalar", parser.DocumentedType(expr.Type()))
}

// checkBound refuses bounds that a share never passes, such as 25 written for 25%.
func (r *reader) checkBound(m *Measure, objective, key string, v float64) {
	share := m.Metric != "" && (m.Unit == Ratio || m.Metric == "similarity")
	hint := ""
	if m.Unit == Ratio {
		hint = fmt.Sprintf("; %g%% is written so", v)
	}
	r.no(share && (v < 0 || v > 1), objective, key, "%s is within 0 and 1%s", m.Metric, hint)
}

// checkBounds holds an alert's bounds to what its number can be.
func (r *reader) checkBounds(a *Alert, key string) {
	if a.SLO > 0 && a.SLO < 1 {
		most := rounded(1 / (1 - a.SLO))
		r.no(a.Threshold > most, key, "threshold", "with a budget of %s nothing burns faster than %s: then everything fails",
			Ratio.text(1-a.SLO, "."), Times.text(most, "."))
		return
	}
	r.checkBound(&a.Measure, key, "threshold", a.Threshold)
	if a.Recovery != nil && a.Threshold >= 0 && a.Threshold <= 1 {
		r.checkBound(&a.Measure, key, "recovery", *a.Recovery)
	}
}

func (r *reader) checkTarget(t *Target, key string) {
	r.checkMeasure(&t.Measure, key)
	r.checkBound(&t.Measure, key, "target", t.Target)
	r.checkBound(&t.Measure, key, "tolerance", t.Tolerance)
	r.no(!slices.Contains([]Comparison{Below, Above, AtMost, AtLeast, Near}, t.Comparison), key, "comparison", `want "<", "<=", ">", ">=" or "~"`)
	r.no(t.Comparison == Near && t.Tolerance <= 0, key, "tolerance", "is missing: how far from the target is still near")
	r.no(t.Comparison != Near && t.Tolerance != 0, key, "tolerance", `goes with comparison "~"`)
	r.no(t.Title["en"] == "", key, "title", "is missing: want {en: …, pt-BR: …}")
}

func (r *reader) checkAlert(a *Alert, key string) {
	r.checkMeasure(&a.Measure, key)
	r.checkBounds(a, key)
	r.no(!slices.Contains([]Comparison{Below, Above, AtMost, AtLeast}, a.Comparison), key, "comparison", `want "<", "<=", ">" or ">="`)
	r.no(a.ShortWindow != 0 && (a.ShortWindow < 10*time.Second || a.ShortWindow >= a.Window), key, "short_window", "must be within 10s and the window")
	r.no(a.SLO < 0 || a.SLO >= 1, key, "slo", "must be a share below 1, such as 95%%")
	r.no(a.SLO > 0 && a.Metric != "error_ratio", key, "slo", "goes with metric error_ratio")
	r.no(a.For < 0, key, "for", "must not be negative")
	if a.Recovery != nil {
		r.no(a.up() && *a.Recovery > a.Threshold, key, "recovery", "must not be above the threshold")
		r.no(!a.up() && *a.Recovery < a.Threshold, key, "recovery", "must not be below the threshold")
	}
	r.no(!slices.Contains([]NoData{NoDataOK, NoDataAlert, NoDataKeep}, a.NoData), key, "no_data", "want ok, alert or keep")
	r.no(!slices.Contains([]string{"info", "warning", "critical"}, a.Severity), key, "severity", "want info, warning or critical")
	for name := range a.Labels {
		r.no(!labelName.MatchString(name) || slices.Contains([]string{"alertname", "alertstate", "severity"}, name), key, "labels."+name,
			"is no label that can be added")
	}
	r.no(a.Summary["en"] == "", key, "summary", "is missing: want {en: …, pt-BR: …}")
	for _, l := range slices.Sorted(maps.Keys(a.Summary)) {
		if err := parseTemplate(a.fill(a.Summary[l], l)); err != nil {
			r.no(true, key, "summary."+l, "%s", err)
		}
	}
	for _, l := range slices.Sorted(maps.Keys(a.Description)) {
		if err := parseTemplate(a.fill(a.Description[l], l)); err != nil {
			r.no(true, key, "description."+l, "%s", err)
		}
	}
}

// up tells whether the alert fires at high numbers.
func (a *Alert) up() bool { return a.Comparison == Above || a.Comparison == AtLeast }
