package objective

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/template"
)

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// fill writes what the rule says into a text.
func (a *Alert) fill(text, language string) string {
	comma := "."
	if language == "pt-BR" {
		comma = ","
	}
	recovery := a.Threshold
	if a.Recovery != nil {
		recovery = *a.Recovery
	}
	return strings.NewReplacer(
		"$threshold", a.BoundUnit().text(a.Threshold, comma),
		"$recovery", a.BoundUnit().text(recovery, comma),
		"$window", promDuration(a.Window),
		"$for", promDuration(a.For),
	).Replace(text)
}

// withWindow fills a window into an expression.
func withWindow(expr string, window time.Duration) string {
	return strings.ReplaceAll(expr, "$window", promDuration(window))
}

// defs are what Prometheus defines before it expands a text.
const defs = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}"

// parseTemplate finds faults in a template as a Prometheus server would.
func parseTemplate(text string) error {
	none := func(context.Context, string, time.Time) (promql.Vector, error) { return nil, nil }
	data := template.AlertTemplateData(map[string]string{}, map[string]string{}, "", promql.Sample{})
	return template.NewTemplateExpander(context.Background(), defs+text, "text", data, model.Now(), none, nil, nil).ParseTest()
}
