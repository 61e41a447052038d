package pricing

import "treq/telemetry"

// maxFound bounds the names that a Finder remembers.
const maxFound = 4096

// Finder finds models in a book and remembers what it found: a model that was
// looked for before costs one look into a table and no allocation. It is not safe
// for concurrent use.
type Finder struct {
	book  *Book
	found map[key]*Match
	// latest has what was asked for of late, by a few bytes of the model's name:
	// services ask for the same few models again and again.
	latest [16]struct {
		key   key
		match *Match
	}
}

type key struct{ provider, model string }

// NewFinder makes a finder in a book.
func NewFinder(b *Book) *Finder { return &Finder{book: b, found: map[key]*Match{}} }

// Book gives the book.
func (f *Finder) Book() *Book { return f.book }

// Find is Book.Find.
func (f *Finder) Find(provider, model string) Match { return *f.find(provider, model) }

// find gives what stays as it is.
func (f *Finder) find(provider, model string) *Match {
	k := key{provider, model}
	at := len(model)
	if at > 0 {
		at += int(model[at/2]) + int(model[at-1])
	}
	latest := &f.latest[at%len(f.latest)]
	if latest.match != nil && latest.key == k {
		return latest.match
	}
	m, ok := f.found[k]
	if !ok {
		made := f.book.Find(provider, model)
		m = &made
		if len(f.found) >= maxFound {
			clear(f.found)
		}
		f.found[k] = m
	}
	latest.key, latest.match = k, m
	return m
}

// Cost prices what a call used by the model that answered, else by the one that
// was asked.
func (f *Finder) Cost(provider, responseModel, requestModel string, u *Usage) (Cost, Match) {
	m := f.matched(provider, responseModel, requestModel)
	return m.cost(u), *m
}

func (f *Finder) matched(provider, responseModel, requestModel string) *Match {
	m := f.find(provider, responseModel)
	if m.model == nil && requestModel != responseModel {
		m = f.find(provider, requestModel)
	}
	return m
}

// Price sets what a call cost by the book, and the tokens that the book has no
// price for. A call that failed is billed for what it used, not for being made.
func (f *Finder) Price(c *telemetry.ModelCall) {
	u := Usage{Tokens: c.Tokens, At: c.Start, Tier: c.ServiceTier}
	if c.Outcome == telemetry.Succeeded {
		u.Requests = 1
	}
	cost := f.matched(c.Provider, c.ResponseModel, c.RequestModel).cost(&u)
	c.CostNanoUSD, c.CostSource, c.UnpricedTokens = cost.NanoUSD, telemetry.NoCost, cost.Unpriced.Total()
	if cost.Priced {
		c.CostSource = telemetry.BookCost
	}
}

// String names the book's version.
func (f *Finder) String() string { return "prices " + f.book.Version() }
