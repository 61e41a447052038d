package objective

import (
	"math"
	"time"
)

// Document is what is wanted: the built-in objectives with a file laid over them.
// It is a value of Builtin or With; read it only.
type Document struct {
	// Targets and Alerts are in the order in which they are shown.
	Targets []Target
	Alerts  []Alert
}

// Comparison is how a number is held against a bound.
type Comparison string

// The comparisons. Near holds within a tolerance, and is for targets only.
const (
	Below   Comparison = "<"
	Above   Comparison = ">"
	AtMost  Comparison = "<="
	AtLeast Comparison = ">="
	Near    Comparison = "~"
)

// NoData says what an alert does while there are too few samples to tell.
type NoData string

// The modes. The zero value is NoDataOK.
const (
	// NoDataOK ends the alert.
	NoDataOK NoData = "ok"
	// NoDataAlert ends the alert and fires another, named like it with _no_data.
	NoDataAlert NoData = "alert"
	// NoDataKeep leaves the alert as it was, for a day at most.
	NoDataKeep NoData = "keep"
)

// Wording is a text by language, "pt-BR" and "en".
type Wording map[string]string

// In gives the text in a language, in English where that is missing.
func (w Wording) In(language string) string {
	if t := w[language]; t != "" {
		return t
	}
	return w["en"]
}

// Measure is which number is looked at.
type Measure struct {
	// Metric is a name of this package's table; else PromQL is an expression, in
	// which $window stands for Window, and Samples optionally one that counts what
	// it is made of.
	Metric, PromQL, Samples string
	// Where narrows the series: word of the metric to value.
	Where map[string]string
	// GroupBy makes one number for each value of these words. With PromQL they are
	// Prometheus's own labels.
	GroupBy []string
	// Window is how far back the number looks; levels ignore it.
	Window time.Duration
	// MinSamples below which the number says nothing; 0 takes any.
	MinSamples float64
	Unit       Unit
}

// Target is one line of the scorecard.
type Target struct {
	Name  string
	Title Wording
	Measure
	Comparison Comparison
	// Target is in the measure's unit; Tolerance is how far Near may be off.
	Target, Tolerance float64
	Enabled           bool
}

// Alert is one rule that can fire.
type Alert struct {
	Name string
	Measure
	// ShortWindow, where above 0, must be beyond the threshold too: the alert ends
	// soon after its cause.
	ShortWindow time.Duration
	Comparison  Comparison
	// Threshold is in the measure's unit, or with SLO in multiples of the error
	// budget.
	Threshold float64
	// Recovery is what the number must pass on its way back before the alert ends;
	// nil for the threshold itself.
	Recovery *float64
	// SLO is the share that is promised to be good; 0 for none.
	SLO float64
	// For is how long the number must be beyond the threshold before the alert
	// fires, KeepFiringFor how long the alert stays after that is over.
	For, KeepFiringFor time.Duration
	NoData             NoData
	// Severity is info, warning or critical.
	Severity string
	// Labels are added to the alert's own.
	Labels map[string]string
	// Summary and Description are Prometheus templates ({{ $value }}, {{ $labels.x }});
	// $threshold, $recovery, $window and $for are filled in as people write them.
	Summary, Description Wording
	Enabled              bool
}

// Met tells whether a value is what the target wants.
func (t *Target) Met(v float64) bool {
	switch t.Comparison {
	case Below:
		return v < t.Target
	case AtMost:
		return v <= t.Target
	case Above:
		return v > t.Target
	case AtLeast:
		return v >= t.Target
	}
	// 70 % is within 10 of 60, whatever binary fractions say.
	const slack = 1e-9
	return math.Abs(v-t.Target) <= t.Tolerance+slack
}
