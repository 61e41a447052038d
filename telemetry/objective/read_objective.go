package objective

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// names are what can stand in a metric's name and in a label's value alike.
var names = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

func (r *reader) named(n *yaml.Node, key string) (string, bool) {
	_, name, _ := strings.Cut(key, ".")
	if !names.MatchString(name) {
		r.fault(n.Line, key, "want a name of a-z, 0-9 and _, of at most 63 characters, that begins with a letter")
		return "", false
	}
	return name, true
}

// measures tells whether an objective says what it is of. One that does not is meant to
// change one of the program's, whose name was written otherwise.
func measures(n *yaml.Node) bool {
	if n.Kind != yaml.MappingNode {
		return true // another fault, which is told as such
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if name := n.Content[i].Value; name == "metric" || name == "promql" {
			return true
		}
	}
	return false
}

func (r *reader) misnamed(n *yaml.Node, key, kind string, known []string) {
	r.fault(n.Line, key+".metric", "is missing: want a metric, or an expression under promql, for %s of one's own; those that there are: %s; metrics are %s",
		kind, strings.Join(known, ", "), metricNames())
}

func alertNames(d *Document) (names []string) {
	for _, a := range d.Alerts {
		names = append(names, a.Name)
	}
	return names
}

func targetNames(d *Document) (names []string) {
	for _, t := range d.Targets {
		names = append(names, t.Name)
	}
	return names
}

// measure gives the readers of the keys that targets and alerts share. The metric
// is read before the numbers, which may be written in its unit.
func (r *reader) measure(m *Measure, n *yaml.Node, key string) fields {
	if n.Kind == yaml.MappingNode {
		given := map[string]bool{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			name, value := n.Content[i].Value, n.Content[i+1].Value
			given[name] = true
			if given["metric"] && given["promql"] && (name == "metric" || name == "promql") {
				r.fault(n.Content[i].Line, key+"."+name, "metric and promql are two ways to say what is measured: want one")
			}
			switch name {
			case "metric":
				// Another metric has other words, and none of the old one's.
				if named, ok := metricNamed(value); ok && value != m.Metric {
					*m = Measure{Metric: value, Unit: named.unit, Window: m.Window, MinSamples: m.MinSamples}
				}
			case "promql":
				if m.Metric != "" {
					*m = Measure{Window: m.Window, MinSamples: m.MinSamples}
				}
			}
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "unit" && m.Metric == "" {
				m.Unit = Unit(n.Content[i+1].Value)
			}
		}
	}
	var unit string
	return fields{
		"metric": func(n *yaml.Node, key string) {
			if _, ok := metricNamed(n.Value); !ok {
				r.fault(n.Line, key, "no such metric; there are: %s", metricNames())
			}
		},
		"promql":         r.text(&m.PromQL),
		"samples_promql": r.text(&m.Samples),
		"unit": func(n *yaml.Node, key string) {
			r.text(&unit)(n, key)
			switch {
			case m.Metric != "":
				r.fault(n.Line, key, "is that of the metric, which is in %s", orBare(m.Unit))
			case !slices.Contains(units, Unit(unit)):
				r.fault(n.Line, key, "no such unit; there are: ratio, ms, s, MB, USD, tokens, times, spans")
			}
		},
		"where":       r.texts(&m.Where),
		"window":      r.duration(&m.Window),
		"min_samples": r.number(&m.MinSamples, bare),
	}
}

var units = []Unit{Ratio, Milliseconds, Seconds, Megabytes, USD, Tokens, Times, Spans}

// rounded takes off what division adds to a number that people wrote.
func rounded(v float64) float64 {
	short, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 9, 64), 64)
	return short
}

func bare() Unit { return Number }

func orBare(u Unit) string {
	if u == Number {
		return "bare numbers"
	}
	return string(u)
}

func (r *reader) target(n *yaml.Node, key string) {
	name, ok := r.named(n, key)
	if !ok {
		return
	}
	i := slices.IndexFunc(r.doc.Targets, func(t Target) bool { return t.Name == name })
	if i < 0 && !measures(n) {
		r.misnamed(n, key, "targets", targetNames(r.doc))
		return
	}
	if i < 0 {
		r.doc.Targets = append(r.doc.Targets, Target{
			Name: name, Enabled: true, Measure: Measure{Window: 24 * time.Hour},
		})
		i = len(r.doc.Targets) - 1
	}
	t := &r.doc.Targets[i]
	f := r.measure(&t.Measure, n, key)
	unit := func() Unit { return t.Unit }
	f["title"] = r.wording(&t.Title)
	f["comparison"] = r.text((*string)(&t.Comparison))
	f["target"] = r.number(&t.Target, unit)
	f["tolerance"] = r.number(&t.Tolerance, unit)
	f["enabled"] = r.flag(&t.Enabled)
	r.mapping(n, key, f)
}

func (r *reader) alert(n *yaml.Node, key string) {
	name, ok := r.named(n, key)
	if !ok {
		return
	}
	i := slices.IndexFunc(r.doc.Alerts, func(a Alert) bool { return a.Name == name })
	if i < 0 && !measures(n) {
		r.misnamed(n, key, "alerts", alertNames(r.doc))
		return
	}
	if i < 0 {
		r.doc.Alerts = append(r.doc.Alerts, Alert{
			Name: name, Enabled: true, Severity: "warning", NoData: NoDataOK, Measure: Measure{Window: 5 * time.Minute},
		})
		i = len(r.doc.Alerts) - 1
	}
	a := &r.doc.Alerts[i]
	before := *a
	f := r.measure(&a.Measure, n, key)
	// A share of good ones makes the bounds multiples of the budget, wherever in
	// the mapping it stands.
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "slo" {
			a.SLO, _ = Ratio.parse(n.Content[i+1].Value)
		}
	}
	unit := func() Unit { return a.BoundUnit() }
	f["slo"] = r.number(&a.SLO, func() Unit { return Ratio })
	f["short_window"] = r.duration(&a.ShortWindow)
	f["comparison"] = r.text((*string)(&a.Comparison))
	f["threshold"] = func(n *yaml.Node, key string) {
		before := a.Threshold
		r.number(&a.Threshold, unit)(n, key)
		if _, given := r.places[strings.TrimSuffix(key, "threshold")+"recovery"]; !given && a.Recovery != nil && before != 0 {
			// The band moves with the threshold: another threshold alone must not flap.
			moved := rounded(*a.Recovery * a.Threshold / before)
			a.Recovery = &moved
		}
	}
	f["recovery"] = func(n *yaml.Node, key string) {
		a.Recovery = new(float64)
		r.number(a.Recovery, unit)(n, key)
	}
	f["for"] = r.duration(&a.For)
	f["keep_firing_for"] = r.duration(&a.KeepFiringFor)
	f["no_data"] = r.text((*string)(&a.NoData))
	f["group_by"] = r.list(&a.GroupBy)
	f["severity"] = r.text(&a.Severity)
	f["labels"] = r.texts(&a.Labels)
	f["summary"] = r.wording(&a.Summary)
	f["description"] = r.wording(&a.Description)
	f["enabled"] = r.flag(&a.Enabled)
	r.mapping(n, key, f)
	if _, given := r.places[key+".recovery"]; !given && before.Comparison != "" &&
		(a.up() != before.up() || a.Metric != before.Metric || a.PromQL != before.PromQL) {
		a.Recovery = nil // the band was that of another number
	}
}

// BoundUnit is what the threshold and the recovery are in: multiples of the error
// budget with an SLO, else what the measure is in.
func (a *Alert) BoundUnit() Unit {
	if a.SLO > 0 {
		return Times
	}
	return a.Unit
}
