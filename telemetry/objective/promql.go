package objective

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// scope is what one number is about: which series, over which time, for whom.
type scope struct {
	where  []string // matchers, such as treq_model_family="8b"
	by     []string // Prometheus labels
	window time.Duration
	// scraped is where a new series is not preceded by a zero.
	scraped bool
}

// selector writes a metric with the scope's matchers and some more.
func (s scope) selector(metric string, more ...string) string {
	matchers := slices.Concat(more, s.where)
	if len(matchers) == 0 {
		return metric
	}
	return metric + "{" + strings.Join(matchers, ",") + "}"
}

// increase is what a counter gained in the window: the difference of stored
// cumulative values (docs/semantics.md, section 6), whole where these are whole.
// PromQL's own increase estimates what lies beyond the samples, which is a tenth too
// much in the first minutes of a series. Where series are scraped, one that was in
// fewer samples than its target answered has begun meanwhile, and all of it is gain:
// a server that was away, or does not know up, finds no such series.
func (s scope) increase(metric string, more ...string) string {
	series, window := s.selector(metric, more...), promDuration(s.window)
	if s.scraped {
		return fmt.Sprintf("%[1]s and count_over_time(%[1]s[%[2]s]) < on (job, instance) group_left () "+
			"max by (job, instance) (sum_over_time(up[%[2]s])) or %[1]s - min_over_time(%[1]s[%[2]s])", series, window)
	}
	return fmt.Sprintf("%[1]s - min_over_time(%[1]s[%[2]s])", series, window)
}

// aggregate adds up for each of the labels that the scope groups by.
func (s scope) aggregate(operator, expr string, more ...string) string {
	by := slices.Concat(more, s.by)
	if len(by) == 0 {
		return fmt.Sprintf("%s(%s)", operator, expr)
	}
	return fmt.Sprintf("%s by (%s) (%s)", operator, strings.Join(by, ", "), expr)
}

func (s scope) sum(expr string) string { return s.aggregate("sum", expr) }

// total adds up counters that count different things of one kind. The label keeps
// series apart that differ in name only, which a union would take for one.
func (s scope) total(metrics []string, more ...string) string {
	parts := make([]string, len(metrics))
	for i, m := range metrics {
		parts[i] = s.increase(m, more...)
		if i > 0 {
			parts[i] = fmt.Sprintf(`label_replace(%s, "counter", "%d", "", "")`, parts[i], i+1)
		}
	}
	return s.sum(strings.Join(parts, " or "))
}

// on joins two vectors by what the scope groups by.
func (s scope) on() string { return "on (" + strings.Join(s.by, ", ") + ")" }

// share is part/whole where there is anything to divide by; no part at all is 0.
func share(part, whole string) string {
	return fmt.Sprintf("(%s or 0 * %s) / (%s > 0)", part, whole, whole)
}

func promDuration(d time.Duration) string { return model.Duration(d).String() }

// matchers writes conditions of a file as matchers, in a stable order.
func matchers(where map[string]string, names map[string]string) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(where)) {
		out = append(out, fmt.Sprintf("%s=%q", names[key], where[key]))
	}
	return out
}
