package objective_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/promql/parser"
	"pgregory.net/rapid"

	"treq/telemetry"
	"treq/telemetry/objective"
)

func alertOf(t *testing.T, d *objective.Document, name string) objective.Alert {
	t.Helper()
	for _, a := range d.Alerts {
		if a.Name == name {
			return a
		}
	}
	t.Fatalf("there is no alert %s", name)
	return objective.Alert{}
}

// TestGuide holds the built-in objectives to the numbers and words of the guide.
func TestGuide(t *testing.T) {
	d := objective.Builtin()
	type alert struct {
		Comparison objective.Comparison
		Threshold  float64
		Summary    string
	}
	got := map[string]alert{}
	for _, g := range compiled(t, d).Groups {
		for _, r := range g.Rules {
			if r.Alert != "" {
				a := alertOf(t, d, r.Alert)
				got[r.Alert] = alert{a.Comparison, a.Threshold, r.Annotations["summary_pt_br"]}
			}
		}
	}
	for name, want := range map[string]alert{
		"error_rate":     {objective.Above, 0.1, "Taxa de erro acima de 10%"},
		"low_similarity": {objective.Below, 0.5, "Similaridade RAG muito baixa"},
		"llm_latency":    {objective.Above, 2000, "Latência LLM acima de 2s"},
		"high_memory":    {objective.Above, 4000, "Uso de memória acima de 4GB"},
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s (-guide +ours):\n%s", name, diff)
		}
	}
	type target struct {
		Comparison        objective.Comparison
		Target, Tolerance float64
	}
	targets := map[string]target{}
	for _, x := range d.Targets {
		targets[x.Name] = target{x.Comparison, x.Target, x.Tolerance}
	}
	for name, want := range map[string]target{
		"error_rate": {"<", 0.05, 0}, "success_rate": {">", 0.95, 0}, "response_time": {"<", 1000, 0},
		"rag_similarity": {">", 0.6, 0}, "rag_success": {">", 0.9, 0}, "cache_hits": {">", 0.3, 0},
		"llm_latency_8b": {"<", 800, 0}, "llm_latency_70b": {"<", 1500, 0}, "tokens_per_request": {"<", 1000, 0},
		"model_share_8b": {"~", 0.6, 0.1}, "model_share_70b": {"~", 0.3, 0.1}, "model_share_glm4": {"~", 0.1, 0.05},
	} {
		if diff := cmp.Diff(want, targets[name]); diff != "" {
			t.Errorf("%s (-guide +ours):\n%s", name, diff)
		}
	}
}

// TestOverride changes single lines, and leaves all others as they were.
func TestOverride(t *testing.T) {
	d, err := objective.Load("own.yaml", []byte(`
alerts:
  error_rate: {threshold: 0.2}
  llm_latency: {threshold: 3s, recovery: 2900}
  low_similarity: {metric: search_time_ms, comparison: ">", threshold: 1s}
  high_memory: {enabled: false}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := alertOf(t, objective.Builtin(), "error_rate")
	got := alertOf(t, d, "error_rate")
	if got.Threshold != 0.2 || got.Recovery == nil || *got.Recovery != 0.16 || got.For != want.For || got.Severity != want.Severity ||
		got.MinSamples != want.MinSamples || got.KeepFiringFor != want.KeepFiringFor {
		t.Errorf("one changed line gave %+v", got)
	}
	if got := alertOf(t, d, "llm_latency"); got.Threshold != 3000 || *got.Recovery != 2900 {
		t.Errorf("3s gave %+v", got)
	}
	if got := alertOf(t, d, "low_similarity"); got.Metric != "search_time_ms" || got.Unit != objective.Milliseconds || got.Threshold != 1000 {
		t.Errorf("another metric gave %+v", got)
	}
	if got := alertOf(t, d, "high_memory"); got.Enabled {
		t.Error("an alert cannot be switched off")
	}
	for _, g := range compiled(t, d).Groups {
		for _, r := range g.Rules {
			if r.Alert == "high_memory" {
				t.Error("an alert that is switched off is compiled")
			}
		}
	}
	for _, empty := range []string{"", "\n", "# nothing\n", "{}", "alerts: {}"} {
		d, err := objective.Load("empty.yaml", []byte(empty))
		if err != nil || len(d.Alerts) != len(objective.Builtin().Alerts) {
			t.Errorf("%q: %v", empty, err)
		}
	}
}

// TestFaults gives every kind of mistake, with what is said of it.
func TestFaults(t *testing.T) {
	for text, want := range map[string]string{
		"a: 1":                                                                             "f.yaml:1: a: unknown key; known here: alerts, targets",
		"alerts: [1]":                                                                      "f.yaml:1: alerts: want keys and values",
		"alerts: {error_rate: {treshold: 1}}":                                              "f.yaml:1: alerts.error_rate.treshold: unknown key; known here: ",
		"alerts:\n  error_rate: {threshold: x}":                                            "f.yaml:2: alerts.error_rate.threshold: want a number such as 0.1 or 10%",
		"alerts: {error_rate: {threshold: .nan}}":                                          "want a number",
		"alerts: {error_rate: {for: soon}}":                                                "alerts.error_rate.for: want a time such as 30s, 5m or 1d",
		"alerts: {error_rate: {severity: red}}":                                            "alerts.error_rate.severity: want info, warning or critical",
		"alerts: {error_rate: {no_data: hide}}":                                            "alerts.error_rate.no_data: want ok, alert or keep",
		"alerts: {error_rate: {comparison: above}}":                                        `alerts.error_rate.comparison: want "<", "<=", ">" or ">="`,
		"alerts: {error_rate: {recovery: 20%}}":                                            "alerts.error_rate.recovery: must not be above the threshold",
		"alerts: {low_similarity: {recovery: 0.4}}":                                        "alerts.low_similarity.recovery: must not be below the threshold",
		"alerts: {error_rate: {group_by: [model]}}":                                        "alerts.error_rate.group_by: error_ratio has no model; it has service",
		"alerts: {error_rate: {where: {model: x}}}":                                        "alerts.error_rate.where: error_ratio has no model; it has service",
		"alerts: {error_rate: {window: 1s}}":                                               "alerts.error_rate.window: must be within 10s and 15d",
		"alerts: {error_rate: {short_window: 5m}}":                                         "alerts.error_rate.short_window: must be within 10s and the window",
		"alerts: {llm_latency: {slo: 95%}}":                                                "alerts.llm_latency.slo: goes with metric error_ratio",
		"alerts: {error_rate: {unit: ms}}":                                                 "alerts.error_rate.unit: is that of the metric, which is in ratio",
		"alerts: {error_rate: {enabled: perhaps}}":                                         "alerts.error_rate.enabled: want true or false",
		"alerts: {error_rate: {labels: {alertname: x}}}":                                   "alerts.error_rate.labels.alertname: is no label that can be added",
		"alerts: {error_rate: {summary: {en: '{{'}}}":                                      "alerts.error_rate.summary.en: ",
		"alerts: {error_rate: {summary: {fr: x}}}":                                         "alerts.error_rate.summary.fr: unknown key; known here: en, pt-BR",
		"alerts: {high_memory: {min_samples: 3}}":                                          "alerts.high_memory.min_samples: memory_mb is a level and has no samples",
		"alerts: {error_rat: {threshold: 20%}}":                                            "alerts.error_rat.metric: is missing: want a metric, or an expression under promql, for alerts of one's own; those that there are: error_rate, low_similarity",
		"targets: {similarty: {target: 0.7}}":                                              "targets.similarty.metric: is missing: want a metric, or an expression under promql, for targets of one's own; those that there are: error_rate, success_rate",
		"alerts: {own: {comparison: '>', summary: {en: x}}}":                               "alerts.own.metric: is missing: want a metric, or an expression under promql",
		"alerts: {own: {promql: 'sum(', comparison: '>', summary: {en: x}}}":               "alerts.own.promql: ",
		"alerts: {own: {promql: 'up[5m]', comparison: '>', summary: {en: x}}}":             "alerts.own.promql: is a range vector: want a vector or a scalar",
		"alerts: {own: {promql: up, min_samples: 2, comparison: '>', summary: {en: x}}}":   "alerts.own.min_samples: needs samples_promql",
		"alerts: {own: {promql: up, unit: meter, comparison: '>', summary: {en: x}}}":      "alerts.own.unit: no such unit",
		"alerts: {own: {promql: up, comparison: '>'}}":                                     "alerts.own.summary: is missing",
		"alerts: {error_rate: &a {for: 1m}, llm_latency: *a}":                              "alerts.llm_latency: aliases are not read here",
		"alerts: {error_rate: {for: 1m}, error_rate: {for: 2m}}":                           "",
		"targets: {own: {metric: call_share, comparison: '<', target: 1, title: {en: x}}}": "targets.own.where: is missing: it says whose share is meant",
		"targets: {error_rate: {comparison: '~'}}":                                         "targets.error_rate.tolerance: is missing",
		"targets: {error_rate: {tolerance: 1}}":                                            `targets.error_rate.tolerance: goes with comparison "~"`,
		"alerts: {error_rate: {threshold: 25}}":                                            "alerts.error_rate.threshold: error_ratio is within 0 and 1; 25% is written so",
		"alerts: {error_rate: {recovery: -1%}}":                                            "alerts.error_rate.recovery: error_ratio is within 0 and 1",
		"alerts: {low_similarity: {threshold: 50, recovery: 52}}":                          "alerts.low_similarity.threshold: similarity is within 0 and 1",
		"targets: {success_rate: {target: 95}}":                                            "targets.success_rate.target: success_ratio is within 0 and 1; 95% is written so",
		"targets: {model_share_8b: {tolerance: 10}}":                                       "targets.model_share_8b.tolerance: call_share is within 0 and 1",
		"alerts: {slo_burn_fast: {threshold: 21}}":                                         "alerts.slo_burn_fast.threshold: with a budget of 5% nothing burns faster than 20×",
		"alerts: {error_rate: {metric: similarity, promql: up}}":                           "alerts.error_rate.promql: metric and promql are two ways",
		"alerts: {error_rate: {promql: up, metric: similarity}}":                           "alerts.error_rate.metric: metric and promql are two ways",
		"alerts: {a-b: {}}":                                                                "alerts.a-b: want a name of a-z, 0-9 and _",
		"alerts: {error_rate: {threshold: [1]}}":                                           "alerts.error_rate.threshold: want one value",
		"\talerts:":                                                                        "f.yaml:",
		strings.Repeat("#", 1<<20+1):                                                       "f.yaml: larger than 1 MiB",
	} {
		_, err := objective.Load("f.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || telemetry.KindOf(err) != telemetry.Unprocessable {
			t.Errorf("%.80q: %v, want %q", text, err, want)
		}
	}
}

// TestAllFaults tells of several mistakes at once, in the order of the lines.
func TestAllFaults(t *testing.T) {
	_, err := objective.Load("f.yaml", []byte("alerts:\n  error_rate:\n    severity: red\n    no_data: hide\n  llm_latency:\n    window: 1s\n"))
	want := "f.yaml:3: alerts.error_rate.severity: want info, warning or critical\n" +
		"f.yaml:4: alerts.error_rate.no_data: want ok, alert or keep\n" +
		"f.yaml:6: alerts.llm_latency.window: must be within 10s and 15d"
	if err == nil || err.Error() != want {
		t.Errorf("said\n%v\nwant\n%s", err, want)
	}
	// Neither what cannot be read hides what is wrong elsewhere, nor is it told twice.
	_, err = objective.Load("f.yaml", []byte("alerts:\n  own: {metric: nothing, comparison: '>'}\n  llm_latency:\n    window: 1s\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "f.yaml:2: alerts.own.metric: no such metric; ") ||
		!strings.HasSuffix(err.Error(), "\nf.yaml:4: alerts.llm_latency.window: must be within 10s and 15d") || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("said\n%v", err)
	}
	// Of many, how many there are.
	var many strings.Builder
	many.WriteString("alerts:\n")
	for i := range 25 {
		fmt.Fprintf(&many, "  a%d: {metric: nothing}\n", i)
	}
	if _, err = objective.Load("f.yaml", []byte(many.String())); err == nil || !strings.HasSuffix(err.Error(), "\nf.yaml: and 5 more") {
		t.Errorf("of 25 faults it said\n%v", err)
	}
}

// TestEveryMetric compiles every metric with every label, grouped and narrowed, to
// expressions that parse and names that stay apart.
func TestEveryMetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		metric := rapid.SampledFrom([]string{
			"error_ratio", "success_ratio", "response_time_ms", "response_time_p95_ms", "rag_success_ratio", "similarity", "search_time_ms",
			"cache_hit_ratio", "no_result_ratio", "llm_latency_ms", "llm_latency_p95_ms", "first_token_p95_ms", "tokens_per_request",
			"call_share", "cost_usd", "price_coverage_ratio", "sink_lag_seconds", "sink_expiry_seconds", "journal_room_ratio", "lost_spans", "memory_mb",
		}).Draw(t, "metric")
		words := map[string][]string{
			"service":  {"error_ratio", "success_ratio", "response_time_ms", "similarity", "llm_latency_ms", "memory_mb", "call_share", "cost_usd"},
			"model":    {"llm_latency_ms", "cost_usd", "llm_latency_p95_ms"},
			"sink":     {"sink_lag_seconds", "sink_expiry_seconds", "lost_spans"},
			"reason":   {"lost_spans"},
			"provider": {"price_coverage_ratio"},
		}
		var group, where []string
		for word, of := range words {
			for _, m := range of {
				if m != metric {
					continue
				}
				if rapid.Bool().Draw(t, "group by "+word) {
					group = append(group, word)
				}
				if rapid.Bool().Draw(t, "where "+word) || metric == "call_share" && len(where) == 0 {
					where = append(where, word+": "+rapid.SampledFrom([]string{"a", "'a b'", "'a_20b'", "'\"{}\\'"}).Draw(t, word))
				}
			}
		}
		text := "alerts:\n  own:\n    metric: " + metric + "\n    comparison: '>'\n    threshold: 1\n    recovery: 0.5\n    summary: {en: x}\n" +
			"    no_data: " + rapid.SampledFrom([]string{"ok", "alert", "keep"}).Draw(t, "no data") + "\n" +
			"    window: " + rapid.SampledFrom([]string{"1m", "5m", "6h"}).Draw(t, "window") + "\n" +
			"    group_by: [" + strings.Join(group, ", ") + "]\n    where: {" + strings.Join(where, ", ") + "}\n"
		d, err := objective.Load("own.yaml", []byte(text))
		if err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		for _, inline := range []bool{false, true} {
			rules, err := d.Compile(objective.Options{Inline: inline})
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range rules.Groups {
				for _, r := range g.Rules {
					if _, err := parser.NewParser(parser.Options{}).ParseExpr(r.Expr); err != nil {
						t.Errorf("%s%s: %v\n%s", r.Record, r.Alert, err, r.Expr)
					}
					if inline && r.Record != "" && strings.Contains(r.Expr, "treq:") {
						t.Errorf("%s reads what another rule recorded: %s", r.Record, r.Expr)
					}
				}
			}
		}
	})
}

// TestIntervals evaluates long windows more seldom.
func TestIntervals(t *testing.T) {
	rules, err := objective.Builtin().Compile(objective.Options{Interval: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]time.Duration{}
	for _, g := range rules.Groups {
		got[g.Name] = g.Interval
	}
	if diff := cmp.Diff(map[string]time.Duration{"treq-short": 10 * time.Second, "treq-long": 40 * time.Second, "treq-day": 160 * time.Second}, got); diff != "" {
		t.Error(diff)
	}
}

// TestMet holds values against every comparison.
func TestMet(t *testing.T) {
	for _, c := range []struct {
		comparison objective.Comparison
		value      float64
		want       bool
	}{
		{"<", 0.59, true},
		{"<", 0.6, false},
		{"<=", 0.6, true},
		{"<=", 0.61, false},
		{">", 0.61, true},
		{">", 0.6, false},
		{">=", 0.6, true},
		{">=", 0.59, false},
		{"~", 0.7, true},
		{"~", 0.5, true},
		{"~", 0.71, false},
		{"~", 0.49, false},
	} {
		target := objective.Target{Comparison: c.comparison, Target: 0.6, Tolerance: 0.1}
		if got := target.Met(c.value); got != c.want {
			t.Errorf("%v %s 0.6: %v", c.value, c.comparison, got)
		}
	}
}
