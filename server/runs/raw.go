package runs

import (
	"encoding/json"

	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// mostAttribute bounds one attribute of a document, in bytes; the content among them
// is shown in full as input and output.
const mostAttribute = 4 << 10

// attributes gives all that a span says of itself, as far as there is room for it.
func (c *collector) attributes(sp *otlp.Span) map[string]json.RawMessage {
	if len(sp.Attributes) == 0 {
		return nil
	}
	all := make(map[string]json.RawMessage, len(sp.Attributes))
	for i := range sp.Attributes {
		if c.room <= 0 {
			break
		}
		a := &sp.Attributes[i]
		key, _ := shorten(string(a.Key[:min(len(a.Key), mostID)]), mostID)
		all[key] = rawOf(a.Value, min(c.room, mostAttribute))
		c.room -= len(key) + len(all[key])
	}
	return all
}

// rawOf gives a value as JSON; one that is too long, or that JSON has no word for, as
// a text of its beginning.
func rawOf(v otlp.Value, most int) json.RawMessage {
	if v.Type != otlp.String {
		w := writer{most: most}
		w.value(v)
		if b := []byte(w.b.String()); !w.full() && json.Valid(b) {
			return b
		}
	}
	b, err := json.Marshal(textOf(v, most).Text)
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}

// stack gives the stack of the first exception that a span tells of, else what kind
// it was and what it said.
func (c *collector) stack(sp *otlp.Span) (stack string) {
	sp.EachEvent(func(e *otlp.Event) bool {
		if string(e.Name) != semconv.EventException {
			return true
		}
		most := min(c.room, mostText)
		if stack, _ = shorten(string(attribute(e.Attributes, semconv.ExceptionStacktrace)), most); stack == "" {
			stack, _ = shorten(string(attribute(e.Attributes, semconv.ExceptionType))+": "+
				string(attribute(e.Attributes, semconv.ExceptionMessage)), most)
		}
		c.room -= len(stack)
		return false
	})
	return stack
}

// sum fills in what a run used, cost and was given, of the spans of its tree.
func (s *Summary) sum(tree []*Span, judgements []Judged) {
	var tokens int64
	var cost float64
	var see func(list []*Span)
	see = func(list []*Span) {
		for _, sp := range list {
			if e := sp.Explanation; e != nil {
				for _, event := range e.Events {
					switch {
					case event == "llm_call" && e.Tokens != nil:
						tokens += e.Tokens.Total
						s.Tokens = &tokens
					case event == "retrieval" && sp.Documents != nil && sp.Documents.TopSimilarity != nil:
						if top := *sp.Documents.TopSimilarity; s.Similarity == nil || top < *s.Similarity {
							s.Similarity = &top
						}
					}
					if event == "llm_call" && s.Model == "" && sp.Model != nil {
						if s.Model = sp.Model.ResponseModel; s.Model == "" {
							s.Model = sp.Model.RequestModel
						}
					}
				}
				if e.CostUSD != nil {
					cost += *e.CostUSD
					s.CostUSD = &cost
				}
			}
			see(sp.Children)
		}
	}
	see(tree)
	for i := range judgements {
		if j := &judgements[i]; j.Score != nil && (j.SpanID == "" || len(tree) > 0 && j.RunID != "" && j.SpanID == tree[0].SpanID) {
			s.Feedback = j.Score
		}
	}
}
