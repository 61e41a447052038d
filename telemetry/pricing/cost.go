package pricing

import (
	"math"
	"math/bits"

	"treq/telemetry"
)

// Usage is what a call used.
type Usage struct {
	// Tokens by disjoint kinds. Negative counts are taken for 0.
	Tokens telemetry.Tokens
	// Requests is the number of requests that answered, 1 for a call that did;
	// some services bill each.
	Requests int64
	// At is when the call began, Unix nanoseconds; it decides between dated prices
	// and those of a time of day. 0 is unknown: then the book's newest price holds.
	At int64
	// Tier is the service tier that answered, "" if nobody told.
	Tier string
}

// Cost is what a call cost by the book. The zero value is that of an unknown
// model without usage.
type Cost struct {
	// NanoUSD is in billionths of a dollar, rounded half up once for the whole
	// call, never negative, saturated at the largest int64.
	NanoUSD int64
	// Priced tells whether the book had a price for any of what was used; a price
	// of 0 is one.
	Priced bool
	// PricedTokens are those that NanoUSD covers.
	PricedTokens int64
	// Unpriced are the tokens that it does not, by kind.
	Unpriced telemetry.Tokens
}

// The kinds of rate.
const (
	rateInput = iota
	rateCacheRead
	rateCacheWrite
	rateOutput
	rateReasoning
	rateRequest
	rateKinds
)

// rates are the prices of one model under one condition.
type rates [rateKinds]Rate

// step are the rates from above a number of input tokens on.
type step struct {
	above int64
	rates rates
}

// price holds from a day on, or within hours of each day.
type price struct {
	from       int64 // Unix seconds; math.MinInt64 is always
	begin, end int32 // seconds of the UTC day; begin == end is all day
	steps      []step
}

// applies tells whether the price holds at a time in Unix seconds.
func (p *price) applies(at int64) bool {
	if at < p.from {
		return false
	}
	if p.begin == p.end {
		return true
	}
	const day = 86400
	clock := int32(((at % day) + day) % day)
	if p.begin < p.end {
		return p.begin <= clock && clock < p.end
	}
	return clock >= p.begin || clock < p.end
}

// priceAt gives the last price that applies, else the first.
func (m *model) priceAt(at int64) *price {
	if len(m.prices) > 1 {
		seconds := int64(math.MaxInt64)
		if at > 0 {
			seconds = at / 1e9
		}
		for i := len(m.prices) - 1; i > 0; i-- {
			if p := &m.prices[i]; p.applies(seconds) && (at > 0 || p.begin == p.end) {
				return p
			}
		}
	}
	return &m.prices[0]
}

// ratesFor gives the rates of a call with so many input tokens: the whole call is
// billed by the step that its input passed.
func (p *price) ratesFor(input int64) *rates {
	r := &p.steps[0].rates
	for i := 1; i < len(p.steps) && input > p.steps[i].above; i++ {
		r = &p.steps[i].rates
	}
	return r
}

// costs prices what was used.
func (m *model) cost(u *Usage) Cost {
	t := nonNegative(u.Tokens)
	percent, known := m.percent(u.Tier)
	if !known {
		return Cost{Unpriced: t}
	}
	r := m.priceAt(u.At).ratesFor(saturated(t.Input, t.CacheRead, t.CacheWrite))
	var c Cost
	var sum wide
	charge := func(n int64, rate Rate, left *int64) {
		switch {
		case n == 0:
		case rate < 0:
			*left = n
		default:
			sum.add(uint64(n), uint64(rate)*percent)
			c.Priced = true
			c.PricedTokens = saturated(c.PricedTokens, n)
		}
	}
	charge(t.Input, r[rateInput], &c.Unpriced.Input)
	charge(t.CacheRead, r[rateCacheRead], &c.Unpriced.CacheRead)
	charge(t.CacheWrite, r[rateCacheWrite], &c.Unpriced.CacheWrite)
	charge(t.Output, r[rateOutput], &c.Unpriced.Output)
	charge(t.Reasoning, r[rateReasoning], &c.Unpriced.Reasoning)
	charge(t.Unsplit, r.unsplit(), &c.Unpriced.Unsplit)
	if r[rateRequest] >= 0 && u.Requests > 0 {
		sum.add(uint64(u.Requests), uint64(r[rateRequest])*percent)
		c.Priced = true
	}
	c.NanoUSD = sum.dividedBy(100 * 1_000_000)
	return c
}

// unsplit is the rate of tokens of which only a total was told: known where input
// and output cost the same, or where there is no output to bill.
func (r *rates) unsplit() Rate {
	if r[rateOutput] == unknown || r[rateOutput] == r[rateInput] {
		return r[rateInput]
	}
	return unknown
}

// saturated adds what is not negative.
func saturated(of ...int64) int64 {
	var sum uint64
	for _, n := range of {
		sum = min(sum+uint64(n), math.MaxInt64)
	}
	return int64(sum)
}

func nonNegative(t telemetry.Tokens) telemetry.Tokens {
	return telemetry.Tokens{
		Input: max(0, t.Input), CacheRead: max(0, t.CacheRead), CacheWrite: max(0, t.CacheWrite),
		Output: max(0, t.Output), Reasoning: max(0, t.Reasoning), Unsplit: max(0, t.Unsplit),
	}
}

// wide is an unsigned sum of 128 bits. Seven products of 2^63 and 100 times
// maxRate stay below 2^122.
type wide struct{ high, low uint64 }

func (w *wide) add(n, rate uint64) {
	high, low := bits.Mul64(n, rate)
	var carry uint64
	w.low, carry = bits.Add64(w.low, low, 0)
	w.high, _ = bits.Add64(w.high, high, carry)
}

// dividedBy rounds half up and saturates.
func (w wide) dividedBy(by uint64) int64 {
	low, carry := bits.Add64(w.low, by/2, 0)
	high := w.high + carry
	if high >= by {
		return math.MaxInt64
	}
	quotient, _ := bits.Div64(high, low, by)
	return int64(min(quotient, math.MaxInt64))
}
