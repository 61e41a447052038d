package understand

import (
	"fmt"
	"math"

	"treq/telemetry"
	"treq/telemetry/otlp"
)

// Pricer says what a call costs whose span does not. It is asked by the engine's
// goroutine alone.
type Pricer interface {
	// Price sets CostNanoUSD, CostSource and UnpricedTokens of a call by all else
	// that it says.
	Price(*telemetry.ModelCall)
	// String names the prices, so that others are told from them: it is part of
	// what identifies the rules that totals were counted under.
	fmt.Stringer
}

// mostCost bounds what a span may say that its call cost, in dollars.
const mostCost = 1e6

// cost reads what the span says that the call cost, in nano-dollars; false if it
// says nothing. A cost of 0 says nothing: instrumentations write it for models
// that they have no price for.
func (r *Reader) cost(u *usage) (nano int64, told bool) {
	dollars := u.cost
	if r.has(fCostJSON) && dollars < 0 {
		told := newUsage()
		r.usageObject(fCostJSON, &told, false)
		dollars = told.total
	}
	if dollars < 0 && (u.inputCost >= 0 || u.outputCost >= 0) {
		dollars = max(0, u.inputCost) + max(0, u.outputCost)
	}
	if r.has(fCost) {
		n, ok := r.value[fCost].Number()
		if r.value[fCost].Type == otlp.Bool || !ok || !(n >= 0) {
			r.rejected.count(badCost)
			return 0, false
		}
		dollars = n
	}
	switch {
	case dollars == -1 || dollars == 0:
		return 0, false
	case !(dollars > 0 && dollars <= mostCost):
		r.rejected.count(badCost)
		return 0, false
	}
	return int64(math.Round(dollars * 1e9)), true
}

// price makes the event of each call of the fragment with what it cost: what its
// span says, else what the price book says. It comes after the calls have their usage.
func (s *settling) price() {
	s.events = s.events[:0]
	for i := range s.nodes {
		n := &s.nodes[i]
		if n.role != call && n.role != fallback {
			continue
		}
		n.event = int32(len(s.events))
		if cap(s.events) > len(s.events) {
			s.events = s.events[:n.event+1]
		} else {
			s.events = append(s.events, telemetry.LLMCall{})
		}
		m := &s.events[n.event].ModelCall
		s.modelCall(n, m)
		s.config.price(m)
		n.cost = m.CostNanoUSD
	}
}

// price prices a call whose cost nobody told.
func (c *Config) price(m *telemetry.ModelCall) {
	switch {
	case m.CostSource == telemetry.ReportedCost:
	case c.Pricer != nil:
		c.Pricer.Price(m)
	default:
		m.UnpricedTokens = m.Tokens.Total()
	}
}
