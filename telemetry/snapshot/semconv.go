package snapshot

import (
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry/instrument"
)

// Semconv says by which generation of the GenAI semantic conventions the
// exposition calls model calls. It is a view: what is counted, the documents,
// history and checkpoints know the released names only. The zero value is Released.
type Semconv uint8

// The generations.
const (
	// Released is 1.41: gen_ai.client.operation.duration and gen_ai.client.token.usage
	// of every operation.
	Released Semconv = iota
	// Latest is what follows, as far as it is known: gen_ai.client.inference.* for
	// calls of language models, with counters of tokens by kind; the duration of other
	// operations keeps its name.
	Latest
	// Both is Released with the names of Latest beside it, for a migration.
	Both
)

// The names of Latest.
const (
	inferenceDuration   = "gen_ai.client.inference.duration"
	inferenceFirstChunk = "gen_ai.client.inference.time_to_first_chunk"
	inferenceInput      = "gen_ai.client.inference.operation.input_tokens"
	inferenceOutput     = "gen_ai.client.inference.operation.output_tokens"
	usageInput          = "gen_ai.client.inference.usage.input_tokens"
	usageOutput         = "gen_ai.client.inference.usage.output_tokens"
	usageCacheRead      = "gen_ai.client.inference.usage.cache_read.input_tokens"
	usageCacheWrite     = "gen_ai.client.inference.usage.cache_write.input_tokens"
	usageReasoning      = "gen_ai.client.inference.usage.reasoning.output_tokens"
	executeToolDuration = "gen_ai.execute_tool.duration"

	attrModality    = "gen_ai.token.modality"
	unknownModality = "unknown"
)

// view gives the metrics by scope under the names of a generation. What it is
// given stays as it is.
func (g Semconv) view(scopes []metricdata.ScopeMetrics) []metricdata.ScopeMetrics {
	if g == Released {
		return scopes
	}
	scopes = slices.Clone(scopes)
	for i := range scopes {
		if scopes[i].Scope.Name != instrument.MeterScope {
			continue
		}
		var shown []metricdata.Metrics
		for _, m := range scopes[i].Metrics {
			shown = append(shown, g.renamed(m)...)
		}
		scopes[i].Metrics = shown
	}
	return scopes
}

// renamed gives what a metric is called in a generation other than Released: itself,
// others instead, or others beside it.
func (g Semconv) renamed(m metricdata.Metrics) []metricdata.Metrics {
	var latest []metricdata.Metrics
	keep := true
	switch data := m.Data.(type) {
	case metricdata.Histogram[float64]:
		switch m.Name {
		case instrument.OperationDuration:
			latest = []metricdata.Metrics{
				histogramOf(m, inferenceDuration, data, isInference),
				histogramOf(m, m.Name, data, func(s attribute.Set) bool { return !isInference(s) }),
			}
			if g == Both {
				latest = latest[:1] // its own name has the others already
			}
			keep = false
		case instrument.TimeToFirstToken:
			latest = []metricdata.Metrics{histogramOf(m, inferenceFirstChunk, data, every)}
		case instrument.ToolDuration:
			latest = []metricdata.Metrics{histogramOf(m, executeToolDuration, data, every)}
		}
	case metricdata.Histogram[int64]:
		if m.Name == instrument.TokenUsage {
			keep = false
			for _, side := range [...]struct{ kind, histogram, counter, what string }{
				{"input", inferenceInput, usageInput, "Input tokens of calls of language models, cached ones among them."},
				{"output", inferenceOutput, usageOutput, "Output tokens of calls of language models, reasoning among them."},
			} {
				of := func(s attribute.Set) bool { return isInference(s) && has(s, instrument.AttrTokenType, side.kind) }
				h := histogramOf(m, side.histogram, data, of, instrument.AttrTokenType)
				if told, any := h.Data.(metricdata.Histogram[int64]); any {
					latest = append(latest, h, counterOf(side.counter, side.what, sums(told), instrument.AttrErrorType))
				}
			}
		}
	case metricdata.Sum[int64]:
		if m.Name == instrument.LLMTokens {
			for _, side := range [...]struct{ kind, counter, what string }{
				{"cache_read", usageCacheRead, "Input tokens that a provider's cache gave."},
				{"cache_write", usageCacheWrite, "Input tokens that a provider's cache took."},
				{"reasoning", usageReasoning, "Output tokens of reasoning."},
			} {
				of := slices.Collect(func(yield func(metricdata.DataPoint[int64]) bool) {
					for _, p := range data.DataPoints {
						if has(p.Attributes, instrument.AttrTokenKind, side.kind) && !yield(p) {
							return
						}
					}
				})
				latest = append(latest, counterOf(side.counter, side.what, of, instrument.AttrTokenKind))
			}
		}
	}
	if keep || g == Both {
		latest = append([]metricdata.Metrics{m}, latest...)
	}
	return slices.DeleteFunc(latest, func(m metricdata.Metrics) bool { return m.Data == nil })
}

func every(attribute.Set) bool { return true }

// isInference tells whether a series is of calls of language models.
func isInference(s attribute.Set) bool {
	return !has(s, instrument.AttrOperation, instrument.OperationEmbeddings) && !has(s, instrument.AttrOperation, instrument.OperationRerank)
}

func has(s attribute.Set, key, value string) bool {
	v, ok := s.Value(attribute.Key(key))
	return ok && v.AsString() == value
}

// histogramOf gives the series of a histogram that are wanted under another name,
// without some attributes, which must be the same on all of them; no data if none are.
func histogramOf[N int64 | float64](m metricdata.Metrics, name string, data metricdata.Histogram[N], wanted func(attribute.Set) bool, without ...string) metricdata.Metrics {
	out := metricdata.Histogram[N]{Temporality: data.Temporality}
	for _, p := range data.DataPoints {
		if wanted(p.Attributes) {
			p.Attributes = less(p.Attributes, without)
			out.DataPoints = append(out.DataPoints, p)
		}
	}
	if len(out.DataPoints) == 0 {
		return metricdata.Metrics{Name: name, Data: nil}
	}
	return metricdata.Metrics{Name: name, Description: m.Description, Unit: m.Unit, Data: out}
}

// sums gives the sum of each series of a histogram of whole numbers.
func sums(h metricdata.Histogram[int64]) []metricdata.DataPoint[int64] {
	points := make([]metricdata.DataPoint[int64], 0, len(h.DataPoints))
	for _, p := range h.DataPoints {
		points = append(points, metricdata.DataPoint[int64]{Attributes: p.Attributes, StartTime: p.StartTime, Time: p.Time, Value: p.Sum})
	}
	return points
}

// counterOf makes a counter of tokens, without some attributes: series that then
// have the same are one.
func counterOf(name, description string, points []metricdata.DataPoint[int64], without ...string) metricdata.Metrics {
	if len(points) == 0 {
		return metricdata.Metrics{Name: name}
	}
	out := metricdata.Sum[int64]{Temporality: metricdata.CumulativeTemporality, IsMonotonic: true}
	at := map[attribute.Distinct]int{}
	for _, p := range points {
		set := less(p.Attributes, without)
		p.Attributes = attribute.NewSet(append(set.ToSlice(), attribute.String(attrModality, unknownModality))...)
		if i, ok := at[p.Attributes.Equivalent()]; ok {
			one := &out.DataPoints[i]
			more(&one.Value, p.Value)
			if p.StartTime.Before(one.StartTime) {
				one.StartTime = p.StartTime
			}
			continue
		}
		at[p.Attributes.Equivalent()] = len(out.DataPoints)
		p.Exemplars = nil
		out.DataPoints = append(out.DataPoints, p)
	}
	return metricdata.Metrics{Name: name, Description: description, Unit: "{token}", Data: out}
}

func less(s attribute.Set, without []string) attribute.Set {
	if len(without) == 0 {
		return s
	}
	kept, _ := s.Filter(func(kv attribute.KeyValue) bool { return !slices.Contains(without, string(kv.Key)) })
	return kept
}
