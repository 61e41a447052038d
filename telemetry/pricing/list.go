package pricing

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Prices are what a model costs under one condition, in dollars a million; see
// Rate. A rate is negative where the book has none.
type Prices struct {
	// From is the day from which they hold, zero for always.
	From time.Time
	// Daily are the hours of the day (UTC) in which they hold, "" for all.
	Daily string
	// Above is the number of input tokens above which they hold.
	Above                                                     int64
	Input, CacheRead, CacheWrite, Output, Reasoning, Requests Rate
}

// Listing is a model of the book.
type Listing struct {
	Provider, Model string
	Aliases         []string
	// Note is what an override file says about it.
	Note string
	// Prices in the order of the book: the last whose condition holds applies,
	// within it the last step that the input passed.
	Prices []Prices
}

// List gives the models whose provider/id or an alias contains the filter,
// without case, by provider and id; all for "".
func (b *Book) List(filter string) []Listing {
	filter = strings.ToLower(filter)
	found := []Listing{}
	for _, p := range b.providers {
		for _, m := range p.models {
			if strings.Contains(strings.ToLower(p.doc.ID+"/"+m.doc.ID), filter) ||
				slices.ContainsFunc(m.doc.Aliases, func(a string) bool { return strings.Contains(a, filter) }) {
				found = append(found, m.listing())
			}
		}
	}
	slices.SortStableFunc(found, func(x, y Listing) int {
		return cmp.Or(cmp.Compare(x.Provider, y.Provider), cmp.Compare(x.Model, y.Model))
	})
	return found
}

func (m *model) listing() Listing {
	l := Listing{Provider: m.provider.doc.ID, Model: m.doc.ID, Aliases: slices.Clone(m.doc.Aliases), Note: m.doc.Note}
	for i := range m.prices {
		d := &m.doc.Prices[i]
		from, _ := time.Parse(time.DateOnly, d.From)
		for _, s := range m.prices[i].steps {
			l.Prices = append(l.Prices, Prices{
				From: from, Daily: d.Daily, Above: s.above,
				Input: s.rates[rateInput], CacheRead: s.rates[rateCacheRead], CacheWrite: s.rates[rateCacheWrite],
				Output: s.rates[rateOutput], Reasoning: s.rates[rateReasoning], Requests: s.rates[rateRequest],
			})
		}
	}
	return l
}

// Explanation is how a lookup went.
type Explanation struct {
	Match
	// Listing is what was found; zero if nothing was.
	Listing Listing
	// Current is the price that holds at the time of asking for little input.
	Current Prices
	// SelfHosted tells that the provider has no prices because it bills none.
	SelfHosted bool
	// Suggestions are models of the book with similar names, as provider/id, where
	// nothing was found.
	Suggestions []string
}

// Explain finds a model and says how.
func (b *Book) Explain(provider, name string, now time.Time) Explanation {
	e := Explanation{Match: b.Find(provider, name)}
	if e.Found() {
		e.Listing = e.model.listing()
		e.Current = e.Listing.Prices[e.model.currentIndex(now)]
		return e
	}
	for _, p := range b.named(provider) {
		e.SelfHosted = e.SelfHosted || p.doc.SelfHosted
	}
	e.Suggestions = b.similar(name)
	return e
}

// currentIndex gives the place in the listing of the first step of the price at a time.
func (m *model) currentIndex(now time.Time) (at int) {
	current := m.priceAt(now.UnixNano())
	for i := range m.prices {
		if &m.prices[i] == current {
			return at
		}
		at += len(m.prices[i].steps)
	}
	return 0
}

// similar gives up to five models whose names share the most pieces of three
// letters with a name.
func (b *Book) similar(name string) []string {
	const most = 5
	wanted := pieces(name)
	if len(wanted) == 0 {
		return nil
	}
	type scored struct {
		name  string
		score float64
	}
	var all []scored
	for _, p := range b.providers {
		for _, m := range p.models {
			has := pieces(baseName(m.doc.ID))
			shared := 0
			for piece := range wanted {
				if has[piece] {
					shared++
				}
			}
			if score := 2 * float64(shared) / float64(len(wanted)+len(has)); score >= 0.4 {
				all = append(all, scored{p.doc.ID + "/" + m.doc.ID, score})
			}
		}
	}
	slices.SortFunc(all, func(x, y scored) int {
		return cmp.Or(cmp.Compare(y.score, x.score), cmp.Compare(x.name, y.name))
	})
	var names []string
	for _, s := range all[:min(most, len(all))] {
		names = append(names, s.name)
	}
	return names
}

func pieces(name string) map[string]bool {
	name = "^" + strings.ToLower(baseName(name)) + "$"
	found := map[string]bool{}
	for i := 0; i+3 <= len(name); i++ {
		found[name[i:i+3]] = true
	}
	return found
}
