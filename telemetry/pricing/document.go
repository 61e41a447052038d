package pricing

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// document is a price book as it is written.
type document struct {
	Date      string        `json:"date"`
	Source    string        `json:"source"`
	Hosts     []string      `json:"hosts"`
	Providers []providerDoc `json:"providers"`
}

type providerDoc struct {
	ID      string   `json:"id"`
	Aliases []string `json:"aliases"`
	// Match are rules on names of the provider, Makes those on names of models
	// that are its own.
	Match []Clause `json:"match"`
	Makes []Clause `json:"makes"`
	// Fallback are the providers whose prices hold for models this one does not
	// list; "other/prefix/" looks for the model with that prefix there.
	Fallback []string `json:"fallback"`
	// Tiers are service tiers in percent of the listed price.
	Tiers map[string]int `json:"tiers"`
	// SelfHosted providers have no price: their models run on one's own machines.
	SelfHosted bool `json:"self_hosted"`
	// AnyHost says that services of others go by this name, because they speak its protocol.
	AnyHost bool       `json:"any_host"`
	Models  []modelDoc `json:"models"`
}

type modelDoc struct {
	ID      string         `json:"id"`
	Aliases []string       `json:"aliases"`
	Match   []Clause       `json:"match"`
	Tiers   map[string]int `json:"tiers"`
	Prices  []priceDoc     `json:"prices"`
	Note    string         `json:"note"`
}

type priceDoc struct {
	ratesDoc
	From  string    `json:"from"`  // 2006-01-02
	Daily string    `json:"daily"` // 00:30-16:30, UTC
	Above []stepDoc `json:"above"`
}

type stepDoc struct {
	ratesDoc
	Tokens int64 `json:"tokens"`
}

type ratesDoc struct {
	Input      *Rate `json:"input"`
	CacheRead  *Rate `json:"cache_read"`
	CacheWrite *Rate `json:"cache_write"`
	Output     *Rate `json:"output"`
	Reasoning  *Rate `json:"reasoning"`
	Request    *Rate `json:"request"`
}

// each are the rates in the order of their kinds.
func (d *ratesDoc) each() [rateKinds]**Rate {
	return [...]**Rate{&d.Input, &d.CacheRead, &d.CacheWrite, &d.Output, &d.Reasoning, &d.Request}
}

// compile completes the rates: a step starts from the ones below it, what is not
// listed of the cache is billed as input, and reasoning as output.
func (d *ratesDoc) compile(below *rates) rates {
	r := *below
	for kind, told := range d.each() {
		if *told != nil {
			r[kind] = **told
		}
	}
	return r
}

func (r rates) completed() rates {
	for kind, otherwise := range map[int]int{rateCacheRead: rateInput, rateCacheWrite: rateInput, rateReasoning: rateOutput} {
		if r[kind] == unknown {
			r[kind] = r[otherwise]
		}
	}
	return r
}

func (d *priceDoc) compile() (price, error) {
	p := price{from: math.MinInt64}
	if d.From != "" {
		day, err := time.Parse(time.DateOnly, d.From)
		if err != nil {
			return p, fmt.Errorf("from: %q is no day such as 2026-01-31", d.From)
		}
		p.from = day.Unix()
	}
	if d.Daily != "" {
		begin, end, _ := strings.Cut(d.Daily, "-")
		var err1, err2 error
		p.begin, err1 = clock(begin)
		p.end, err2 = clock(end)
		if err1 != nil || err2 != nil || p.begin == p.end {
			return p, fmt.Errorf("daily: %q are no hours such as 00:30-16:30", d.Daily)
		}
	}
	base := d.ratesDoc.compile(&rates{unknown, unknown, unknown, unknown, unknown, unknown})
	p.steps = []step{{0, base.completed()}}
	above := int64(0)
	for i := range d.Above {
		s := &d.Above[i]
		if s.Tokens <= above {
			return p, fmt.Errorf("above: numbers of tokens must grow from step to step")
		}
		above, base = s.Tokens, s.ratesDoc.compile(&base)
		p.steps = append(p.steps, step{above, base.completed()})
	}
	return p, nil
}

// clock reads hours and minutes as seconds of a day.
func clock(text string) (int32, error) {
	t, err := time.Parse("15:04", text)
	return int32(t.Hour()*3600 + t.Minute()*60), err
}

// merge lays another document over this one: what it says of a provider is added
// or replaces what was said, its models come before those that are there and take
// the place of those of the same name.
func (d *document) merge(over *document) {
	d.Providers = slices.Clone(d.Providers)
	if len(over.Hosts) > 0 {
		d.Hosts = over.Hosts
	}
	for i := range over.Providers {
		o := &over.Providers[i]
		at := slices.IndexFunc(d.Providers, func(p providerDoc) bool { return p.ID == o.ID })
		if at < 0 {
			d.Providers = append(d.Providers, *o)
			continue
		}
		p := &d.Providers[at]
		p.Aliases = append(slices.Clone(p.Aliases), o.Aliases...)
		p.Match = append(slices.Clone(p.Match), o.Match...)
		p.Makes = append(slices.Clone(p.Makes), o.Makes...)
		p.Fallback = append(slices.Clone(o.Fallback), p.Fallback...)
		p.SelfHosted = p.SelfHosted || o.SelfHosted
		p.AnyHost = p.AnyHost || o.AnyHost
		if len(o.Tiers) > 0 {
			tiers := maps.Clone(o.Tiers)
			for name, percent := range p.Tiers {
				if _, replaced := tiers[name]; !replaced {
					tiers[name] = percent
				}
			}
			p.Tiers = tiers
		}
		models := slices.Clone(o.Models)
		for _, m := range p.Models {
			if !slices.ContainsFunc(o.Models, func(n modelDoc) bool { return strings.EqualFold(n.ID, m.ID) }) {
				models = append(models, m)
			}
		}
		p.Models = models
	}
}

// percentOf checks a service tier's share of the listed price.
func percentOf(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1000 {
		return 0, fmt.Errorf("want percent of the listed price, 0 to 1000")
	}
	return n, nil
}
