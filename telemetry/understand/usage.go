package understand

import (
	"math"

	"treq/telemetry"
)

// usage is what a span tells of tokens, -1 where it does not.
type usage struct {
	input, output, total             float64
	cacheRead, cacheWrite, reasoning float64
	// What the same place tells of cost, in dollars.
	cost, inputCost, outputCost float64
}

func newUsage() usage { return usage{-1, -1, -1, -1, -1, -1, -1, -1, -1} }

// told tells whether there is any count but zeros: a call without a single token
// is one whose usage nobody knew.
func (u *usage) told() bool { return u.input > 0 || u.output > 0 || u.total > 0 }

// mostTokens bounds a count of tokens: beyond it numbers are no longer exact.
const mostTokens = 1 << 53

// check refuses counts that are negative, no whole number, or too large.
func (u *usage) check(r *rejections) {
	for _, n := range [...]*float64{&u.input, &u.output, &u.total, &u.cacheRead, &u.cacheWrite, &u.reasoning} {
		if *n == -1 {
			continue
		}
		if !(*n >= 0 && *n <= mostTokens) || *n != math.Trunc(*n) {
			*n = -1
			r.count(badTokens)
		}
	}
}

// split gives the tokens by disjoint kinds; false if the usage is not known.
//
// Cached and reasoning tokens are subsets of input and output in every dialect
// read here that says so (semconv from 1.40, LangChain's usage), and additions
// where the numbers say so: the reading that matches a stated total wins, and a
// subset larger than its whole is an addition. docs/semantics.md, section 4.
func (u *usage) split() (t telemetry.Tokens, known bool) {
	if !u.told() {
		return t, false
	}
	in, out, total := whole(u.input), whole(u.output), whole(u.total)
	switch {
	case u.input < 0 && u.output < 0:
		return telemetry.Tokens{Unsplit: total}, true
	case u.input < 0:
		in = max(0, total-out)
	case u.output < 0:
		out = max(0, total-in)
	}
	read, write, think := whole(u.cacheRead), whole(u.cacheWrite), whole(u.reasoning)
	cache := read + write
	addCache, addThink := cache > in, think > out
	if u.input >= 0 && u.output >= 0 && u.total > 0 {
		for _, way := range [...]struct{ cache, think bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
			sum := in + out
			if way.cache {
				sum += cache
			}
			if way.think {
				sum += think
			}
			if sum == total && (way.cache || cache <= in) && (way.think || think <= out) {
				addCache, addThink = way.cache, way.think
				break
			}
		}
	}
	if !addCache {
		in -= cache
	}
	if !addThink {
		out -= think
	}
	t = telemetry.Tokens{Input: in, CacheRead: read, CacheWrite: write, Output: out, Reasoning: think}
	if t.Total() > mostTokens {
		return telemetry.Tokens{}, false
	}
	return t, true
}

func whole(n float64) int64 {
	if n < 0 {
		return 0
	}
	return int64(n)
}

// less gives t without u, kind by kind and never below zero. Where the kinds of
// the two do not match, so that the sum would not be the difference of the totals,
// it is told as input and output, or else as a total.
func less(t, u telemetry.Tokens) telemetry.Tokens {
	want := max(0, t.Total()-u.Total())
	d := telemetry.Tokens{
		Input: max(0, t.Input-u.Input), CacheRead: max(0, t.CacheRead-u.CacheRead),
		CacheWrite: max(0, t.CacheWrite-u.CacheWrite), Output: max(0, t.Output-u.Output),
		Reasoning: max(0, t.Reasoning-u.Reasoning), Unsplit: max(0, t.Unsplit-u.Unsplit),
	}
	if d.Total() == want {
		return d
	}
	in := max(0, t.Input+t.CacheRead+t.CacheWrite-u.Input-u.CacheRead-u.CacheWrite)
	out := max(0, t.Output+t.Reasoning-u.Output-u.Reasoning)
	if t.Unsplit == 0 && u.Unsplit == 0 && in+out == want {
		return telemetry.Tokens{Input: in, Output: out}
	}
	return telemetry.Tokens{Unsplit: want}
}
