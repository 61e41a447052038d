package objective

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Options of a compilation.
type Options struct {
	// Interval is how often rules of short windows are evaluated. Those of windows
	// above 15 minutes are evaluated a quarter as often, but every minute, and those
	// above 6 hours a sixteenth as often, but every 4 minutes: what costs most moves
	// least. 0 is 15 s.
	Interval time.Duration
	// Inline has no recording rule read another's series, for storage in which
	// series are recorded elsewhere than where the others are.
	Inline bool
	// Scraped is for a server that scrapes, which sees a new series with its first
	// value only: the history of this process has the zero that it began at. The
	// first failure of a kind is counted by both.
	Scraped bool
}

// DefaultInterval is how often rules are evaluated.
const DefaultInterval = 15 * time.Second

// A recorded value is found for five minutes: the longest interval stays below.
const (
	longWindow   = 15 * time.Minute
	longInterval = time.Minute
	dayWindow    = 6 * time.Hour
	dayInterval  = 4 * time.Minute
)

// Rules are what a document compiles to. The same document gives the same rules.
type Rules struct {
	Groups []Group
	// Lines are the scorecard's, in the order of the targets.
	Lines []Line
}

// Group is evaluated together, in order.
type Group struct {
	Name     string
	Interval time.Duration
	Rules    []Rule
}

// Rule records a series or fires an alert.
type Rule struct {
	// Record names a recording rule's series, Alert an alerting rule; one is empty.
	Record, Alert      string
	Expr               string
	For, KeepFiringFor time.Duration
	// Labels and Annotations may be nil. Annotations hold the texts under summary,
	// description, summary_pt_br and description_pt_br.
	Labels, Annotations map[string]string
}

// Line says where one target's number is read.
type Line struct {
	Target Target
	// Value and Samples are the recorded series; Samples is "" for what has none.
	Value, Samples string
}

// Compile gives the rules of what is enabled.
func (d *Document) Compile(o Options) (*Rules, error) {
	if o.Interval <= 0 {
		o.Interval = DefaultInterval
	}
	c := compiler{series: map[string]string{}, inline: o.Inline, scraped: o.Scraped}
	var lines []Line
	for _, t := range d.Targets {
		if !t.Enabled {
			continue
		}
		value, samples := c.measure(t.Name, &t.Measure, t.Window)
		lines = append(lines, Line{t, value, samples})
	}
	for i := range d.Alerts {
		if d.Alerts[i].Enabled {
			c.alert(&d.Alerts[i])
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	return &Rules{
		Groups: []Group{
			{"treq-short", o.Interval, slices.Concat(c.records[short], c.alerts[short])},
			{"treq-long", max(o.Interval, min(4*o.Interval, longInterval)), slices.Concat(c.records[long], c.alerts[long])},
			{"treq-day", max(o.Interval, min(16*o.Interval, dayInterval)), slices.Concat(c.records[day], c.alerts[day])},
		},
		Lines: lines,
	}, nil
}

type compiler struct {
	series          map[string]string // to its expression
	inline, scraped bool
	records, alerts [3][]Rule // by pace
	err             error
}

// The paces at which rules are evaluated.
const (
	short = iota
	long
	day
)

func pace(window time.Duration) int {
	switch {
	case window > dayWindow:
		return day
	case window > longWindow:
		return long
	}
	return short
}

func (c *compiler) record(window time.Duration, name, expr string) string {
	before, known := c.series[name]
	switch {
	case known && before != expr:
		c.err = fmt.Errorf("%s is wanted of two expressions: %s and %s", name, before, expr)
	case !known:
		c.records[pace(window)] = append(c.records[pace(window)], Rule{Record: name, Expr: expr})
	}
	c.series[name] = expr
	return name
}

// measure records a number and what it is made of, and gives their series.
func (c *compiler) measure(objective string, m *Measure, window time.Duration) (value, samples string) {
	if m.PromQL != "" {
		prefix := "treq:" + objective
		if m.Samples != "" {
			samples = c.record(window, prefix+"_samples:"+promDuration(window), withWindow(m.Samples, window))
		}
		return c.record(window, prefix+":"+promDuration(window), withWindow(m.PromQL, window)), samples
	}
	named, _ := metricNamed(m.Metric)
	s := scope{window: window, where: matchers(m.Where, named.labels), by: m.groups(), scraped: c.scraped}
	level := "treq"
	for _, word := range slices.Sorted(slices.Values(m.GroupBy)) {
		level += "_" + word
	}
	suffix := ""
	for _, word := range slices.Sorted(maps.Keys(m.Where)) {
		suffix += "_" + word + "_" + nameable(m.Where[word])
	}
	if named.samples != "" {
		whose := suffix
		if m.Metric == shareOfCalls {
			whose = ""
		}
		samples = c.record(window, level+":"+named.samples+whose+":"+promDuration(window), named.count(s))
	}
	of := samples
	if c.inline {
		of = c.series[samples]
	}
	expr := named.value(s, of)
	return c.record(window, level+":"+m.Metric+suffix+s.ending(expr), expr), samples
}

// ending names the window of an expression that looks back; a level has none.
func (s scope) ending(expr string) string {
	if d := promDuration(s.window); strings.Contains(expr, "["+d+"]") || strings.Contains(expr, ":"+d+" ") {
		return ":" + d
	}
	return ""
}

// groups gives the Prometheus labels that a measure is grouped by, in a stable order.
func (m *Measure) groups() []string {
	var by []string
	named, _ := metricNamed(m.Metric)
	for _, word := range m.GroupBy {
		if label, ok := named.labels[word]; ok {
			word = label
		}
		by = append(by, word)
	}
	slices.Sort(by)
	return slices.Compact(by)
}

// nameable writes a value so that it can be part of a series' name, and different
// values stay different.
func nameable(value string) string {
	var b strings.Builder
	for _, c := range []byte(value) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}

func (c *compiler) alert(a *Alert) {
	s := scope{by: a.groups()}
	value, samples := c.measure(a.Name, &a.Measure, a.Window)
	valid, factor := enough(s, value, samples, a.MinSamples), budget(a.SLO)
	beyond := func(bound float64) string { return factor + valid + " " + string(a.Comparison) + " " + number(bound) }
	if a.ShortWindow > 0 {
		// The short window is of the same measure, and may have fewer samples.
		short, _ := c.measure(a.Name, &a.Measure, a.ShortWindow)
		one := beyond
		beyond = func(bound float64) string {
			return fmt.Sprintf("%s and %s %s%s %s %s", one(bound), s.on(), factor, short, a.Comparison, number(bound))
		}
	}
	firing := fmt.Sprintf(`ALERTS{alertname=%q,alertstate="firing"}`, a.Name)
	expr := beyond(a.Threshold)
	if a.Recovery != nil && *a.Recovery != a.Threshold {
		expr = fmt.Sprintf("(%s)\nor\n(%s and %s %s)", expr, beyond(*a.Recovery), s.on(), firing)
	}
	if a.NoData == NoDataKeep {
		expr = fmt.Sprintf("%s\nor\n(%slast_over_time(%s[1d]) and %s %s unless %s %s)",
			wrapped(expr), factor, value, s.on(), firing, s.on(), valid)
	}
	rules := []Rule{{
		Alert: a.Name, Expr: expr, For: a.For, KeepFiringFor: a.KeepFiringFor,
		Labels: a.ruleLabels(), Annotations: a.annotations(a.Summary, a.Description),
	}}
	if a.NoData == NoDataAlert {
		rules = append(rules, a.noData(s, value, valid))
	}
	c.alerts[pace(a.Window)] = append(c.alerts[pace(a.Window)], rules...)
}

func wrapped(expr string) string {
	if strings.Contains(expr, "\n") {
		return expr
	}
	return "(" + expr + ")"
}

// enough gives a number only while it is made of enough samples.
func enough(s scope, value, samples string, least float64) string {
	if least <= 0 || samples == "" {
		return value
	}
	return fmt.Sprintf("(%s and %s %s >= %s)", value, s.on(), samples, number(least))
}

// budget makes multiples of the error budget of an error ratio.
func budget(slo float64) string {
	if slo <= 0 {
		return ""
	}
	return number(rounded(1/(1-slo))) + " * "
}

// noData fires while there is nothing to tell from, for every group that there was
// in the last day, or at all where nothing was ever told.
func (a *Alert) noData(s scope, value, valid string) Rule {
	expr := fmt.Sprintf("absent(%s)", valid)
	if len(s.by) > 0 {
		expr = fmt.Sprintf("(group by (%s) (last_over_time(%s[1d])) unless %s %s)\nor\nabsent(last_over_time(%s[1d]))",
			strings.Join(s.by, ", "), value, s.on(), valid, value)
	}
	return Rule{
		Alert: a.Name + "_no_data", Expr: expr, For: a.For, KeepFiringFor: a.KeepFiringFor,
		Labels: a.ruleLabels(), Annotations: a.annotations(Wording{
			"en":    "No data for " + a.Name,
			"pt-BR": "Sem dados para " + a.Name,
		}, nil),
	}
}

func (a *Alert) ruleLabels() map[string]string {
	l := map[string]string{"severity": a.Severity}
	maps.Copy(l, a.Labels)
	return l
}

// The annotations that hold the texts, by language.
var (
	summaryKeys     = map[string]string{"en": "summary", "pt-BR": "summary_pt_br"}
	descriptionKeys = map[string]string{"en": "description", "pt-BR": "description_pt_br"}
)

func (a *Alert) annotations(summary, description Wording) map[string]string {
	out := map[string]string{}
	for _, language := range languages {
		if t := summary[language]; t != "" {
			out[summaryKeys[language]] = a.fill(t, language)
		}
		if t := description[language]; t != "" {
			out[descriptionKeys[language]] = a.fill(t, language)
		}
	}
	return out
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
