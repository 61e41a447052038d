package runs

import (
	"encoding/hex"

	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/understand"
)

// Counted is what a trace counted for, as the meter counts it: wrappers, repeated
// spans and parts of searches once.
type Counted struct {
	Chats      int   `json:"chats"`
	LLMCalls   int   `json:"llm_calls"`
	LLMTokens  int64 `json:"llm_tokens"`
	Searches   int   `json:"searches"`
	Embeddings int   `json:"embeddings"`
	Reranks    int   `json:"reranks"`
	ToolCalls  int   `json:"tool_calls"`
	// CostUSD is what the calls cost, as far as the cost of each is known.
	CostUSD float64 `json:"cost_usd"`

	cost int64 // in billionths of a dollar
}

// Explanation says what one span counted for, and why.
type Explanation struct {
	// Disposition is recorded, folded, not_genai, refused or duplicate: docs/semantics.md, section 4.
	Disposition string `json:"disposition"`
	// Reason is the word under which the span is counted, "" where the disposition
	// says it all; Why says the same in a sentence.
	Reason string `json:"reason"`
	Why    string `json:"why"`
	// Events are what the span is one of: chat, llm_call, retrieval, embedding,
	// rerank, tool_call. Empty for a span that is part of another's event.
	Events []string `json:"events"`
	// ChatSpanID is the entry of the chat that the span belongs to, PartOfSpanID the
	// search that it is a part of.
	ChatSpanID   string `json:"chat_span_id,omitempty"`
	PartOfSpanID string `json:"part_of_span_id,omitempty"`
	// Tokens are those that were counted for the span; null where none were.
	Tokens *Tokens `json:"tokens"`
	// CostUSD is what was counted as the call's cost, null where it is not known;
	// CostSource is reported, price_book or "".
	CostUSD    *float64 `json:"cost_usd"`
	CostSource string   `json:"cost_source,omitempty"`
	// Late spans came after what they belong to was counted.
	Late bool `json:"late,omitempty"`
}

// The classes of doors that spans come through, as the meter tells them apart.
const (
	doorOTLP = 1
	doorRuns = 2
)

// piece is what a record has of one trace, for the meter's engine to count.
func piece(rec *journal.Record, body []byte, trace [16]byte) understand.Record {
	door := uint8(doorOTLP)
	if rec.Kind == journal.Derived {
		door = doorRuns
	}
	return understand.Record{Admitted: rec.Admitted, Door: door, Body: sliceOf(body, trace)}
}

// explain says of the spans of one trace what they counted for, as if nothing
// further came, and adds that up.
func explain(rules understand.Config, c *collector, pieces []understand.Record) (*Counted, error) {
	explained, err := understand.ExplainTrace(rules, c.trace, pieces)
	if err != nil {
		return nil, err
	}
	counted := &Counted{}
	for i := range explained {
		x := &explained[i]
		s := c.byID[x.SpanID]
		if s == nil || s.Explanation != nil {
			counted.add(x, &Explanation{})
			continue // beyond what is shown, or told again
		}
		s.Explanation = &Explanation{
			Disposition: x.Disposition.String(), Reason: x.Reason, Why: x.Why, Events: []string{},
			ChatSpanID: spanText(x.Chat), PartOfSpanID: spanText(x.PartOf), Late: x.Late,
		}
		counted.add(x, s.Explanation)
	}
	return counted, nil
}

// add adds what a span counted for, and notes it in its explanation.
func (c *Counted) add(x *understand.SpanExplanation, e *Explanation) {
	note := func(n *int, event string) {
		*n++
		e.Events = append(e.Events, event)
	}
	call := func(m *telemetry.ModelCall) {
		if m.HasUsage {
			e.Tokens = tokensOf(m.Tokens)
		}
		if m.CostSource != telemetry.NoCost {
			e.CostUSD, e.CostSource = new(dollars(m.CostNanoUSD)), m.CostSource.String()
			c.cost += m.CostNanoUSD
			c.CostUSD = dollars(c.cost)
		}
	}
	if x.CountedChat != nil {
		note(&c.Chats, "chat")
	}
	if m := x.CountedLLMCall; m != nil {
		note(&c.LLMCalls, "llm_call")
		c.LLMTokens += m.Tokens.Total()
		call(&m.ModelCall)
	}
	if x.CountedRetrieval != nil {
		note(&c.Searches, "retrieval")
	}
	if m := x.CountedEmbedding; m != nil {
		note(&c.Embeddings, "embedding")
		call(&m.ModelCall)
	}
	if m := x.CountedRerank; m != nil {
		note(&c.Reranks, "rerank")
		call(&m.ModelCall)
	}
	if x.CountedTool != nil {
		note(&c.ToolCalls, "tool_call")
	}
}

func dollars(nano int64) float64 { return float64(nano) / 1e9 }

// spanText gives a span id as text, "" for none.
func spanText(id [8]byte) string {
	if id == ([8]byte{}) {
		return ""
	}
	return hex.EncodeToString(id[:])
}
