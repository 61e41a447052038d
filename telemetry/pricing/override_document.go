package pricing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// document reads a whole override file.
func (p *parser) document(n *yaml.Node, doc *document) {
	p.mapping(n, "", fields{
		"date":   p.day(&doc.Date),
		"source": p.text(&doc.Source),
		"hosts":  p.texts(&doc.Hosts),
		"providers": func(n *yaml.Node, key string) {
			p.list(n, key, func(n *yaml.Node, key string) { p.provider(n, key, doc) })
		},
		"models": func(n *yaml.Node, key string) {
			p.list(n, key, func(n *yaml.Node, key string) { p.model(n, key, doc) })
		},
	})
}

func (p *parser) day(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		p.text(to)(n, key)
		if _, err := time.Parse(time.DateOnly, *to); err != nil {
			p.fault(n.Line, key, fmt.Sprintf("%q is no day such as 2026-01-31", *to))
			*to = ""
		}
	}
}

// provider reads what a file says of a provider. Its models may stand before it.
func (p *parser) provider(n *yaml.Node, key string, doc *document) {
	var d providerDoc
	p.mapping(n, key, fields{
		"id": p.lower(&d.ID), "aliases": p.texts(&d.Aliases), "fallback": p.texts(&d.Fallback),
		"match": p.clauses(&d.Match), "makes": p.clauses(&d.Makes), "tiers": p.tiers(&d.Tiers),
		"self_hosted": p.truth(&d.SelfHosted), "any_host": p.truth(&d.AnyHost),
	})
	if d.ID == "" {
		p.fault(n.Line, key+".id", "missing")
		return
	}
	if p.told[d.ID] {
		p.fault(n.Line, key+".id", d.ID+" is listed twice")
		return
	}
	p.told[d.ID] = true
	if at := doc.at(d.ID); at >= 0 {
		d.Models = doc.Providers[at].Models
		doc.Providers[at] = d
		return
	}
	doc.Providers = append(doc.Providers, d)
}

func (d *document) at(id string) int {
	return slices.IndexFunc(d.Providers, func(p providerDoc) bool { return p.ID == id })
}

// model reads a model and puts it with its provider.
func (p *parser) model(n *yaml.Node, key string, doc *document) {
	var m modelDoc
	var provider string
	p.mapping(n, key, fields{
		"provider": p.lower(&provider), "id": p.text(&m.ID), "aliases": p.texts(&m.Aliases), "note": p.text(&m.Note),
		"match": p.clauses(&m.Match), "tiers": p.tiers(&m.Tiers),
		"prices": func(n *yaml.Node, key string) {
			if n.Kind != yaml.SequenceNode {
				p.price(n, key, &m)
				return
			}
			p.list(n, key, func(n *yaml.Node, key string) { p.price(n, key, &m) })
		},
	})
	for name, missing := range map[string]bool{"provider": provider == "", "id": m.ID == "", "prices": len(m.Prices) == 0} {
		if missing {
			p.fault(n.Line, key+"."+name, "missing")
			return
		}
	}
	at := doc.at(provider)
	if at < 0 {
		at = len(doc.Providers)
		doc.Providers = append(doc.Providers, providerDoc{ID: provider})
	}
	of := &doc.Providers[at]
	if slices.ContainsFunc(of.Models, func(o modelDoc) bool { return strings.EqualFold(o.ID, m.ID) }) {
		p.fault(n.Line, key+".id", m.ID+" is listed twice")
		return
	}
	of.Models = append(of.Models, m)
}

func (p *parser) price(n *yaml.Node, key string, m *modelDoc) {
	var d priceDoc
	f := p.rates(&d.ratesDoc)
	f["from"] = p.day(&d.From)
	f["daily"] = p.text(&d.Daily)
	f["above"] = func(n *yaml.Node, key string) {
		p.list(n, key, func(n *yaml.Node, key string) {
			var s stepDoc
			f := p.rates(&s.ratesDoc)
			f["tokens"] = p.tokens(&s.Tokens)
			p.mapping(n, key, f)
			d.Above = append(d.Above, s)
		})
	}
	before := len(p.faults)
	p.mapping(n, key, f)
	if len(p.faults) == before && !slices.ContainsFunc(tolds(&d.ratesDoc), func(r *Rate) bool { return r != nil }) {
		p.fault(n.Line, key, "names no price: want input, cache_read, cache_write, output, reasoning or request")
	}
	if len(p.faults) == before {
		if _, err := d.compile(); err != nil {
			p.fault(n.Line, key, err.Error())
		}
	}
	m.Prices = append(m.Prices, d)
}

func tolds(d *ratesDoc) []*Rate {
	var all []*Rate
	for _, r := range d.each() {
		all = append(all, *r)
	}
	return all
}

func (p *parser) rates(d *ratesDoc) fields {
	f := fields{}
	for kind, name := range rateNames {
		to := d.each()[kind]
		f[name] = func(n *yaml.Node, key string) {
			text, ok := p.scalar(n, key)
			if !ok {
				return
			}
			rate, err := ParseRate(text)
			if err != nil {
				p.fault(n.Line, key, fmt.Sprintf("%q: %s", text, err))
			}
			*to = &rate
		}
	}
	return f
}

// rateNames are the keys of the rates in files.
var rateNames = [rateKinds]string{"input", "cache_read", "cache_write", "output", "reasoning", "request"}

func (p *parser) tokens(to *int64) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		text, ok := p.scalar(n, key)
		if !ok {
			return
		}
		var err error
		if *to, err = strconv.ParseInt(text, 10, 64); err != nil || *to <= 0 {
			p.fault(n.Line, key, fmt.Sprintf("%q is no number of tokens", text))
		}
	}
}

func (p *parser) tiers(to *map[string]int) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		*to = map[string]int{}
		p.mapping(n, key, fields{"*": func(n *yaml.Node, key string) {
			text, ok := p.scalar(n, key)
			if !ok {
				return
			}
			percent, err := percentOf(text)
			if err != nil {
				p.fault(n.Line, key, err.Error())
			}
			(*to)[strings.ToLower(key[strings.LastIndexByte(key, '.')+1:])] = percent
		}})
	}
}

// clauses reads a list of rules any of which may hold.
func (p *parser) clauses(to *[]Clause) func(*yaml.Node, string) {
	return func(n *yaml.Node, key string) {
		p.list(n, key, func(n *yaml.Node, key string) {
			if c, ok := p.clause(n, key, 0); ok {
				*to = append(*to, c)
			}
		})
	}
}

// maxNesting bounds rules inside rules.
const maxNesting = 8

func (p *parser) clause(n *yaml.Node, key string, depth int) (c Clause, ok bool) {
	before := len(p.faults)
	nested := func(to *[]Clause) func(*yaml.Node, string) {
		return func(n *yaml.Node, key string) {
			if depth >= maxNesting {
				p.fault(n.Line, key, "nested too deep")
				return
			}
			p.list(n, key, func(n *yaml.Node, key string) {
				if c, ok := p.clause(n, key, depth+1); ok {
					*to = append(*to, c)
				}
			})
		}
	}
	p.mapping(n, key, fields{
		"equals": p.text(&c.Equals), "starts_with": p.text(&c.StartsWith), "ends_with": p.text(&c.EndsWith),
		"contains": p.text(&c.Contains), "regex": p.text(&c.Regex), "or": nested(&c.Or), "and": nested(&c.And),
	})
	if len(p.faults) == before && len(n.Content) != 2 {
		p.fault(n.Line, key, "want one of equals, starts_with, ends_with, contains, regex, or, and")
	}
	if len(p.faults) == before {
		if _, err := compile(&c); err != nil {
			p.fault(n.Line, key, err.Error())
		}
	}
	return c, len(p.faults) == before
}
