package pricing

import "strings"

// Basis says on what ground a price holds for a call, from firm to weak.
type Basis uint8

// The grounds.
const (
	// NotFound is the zero value: the book has no price.
	NotFound Basis = iota
	// Listed models are in the list of the provider that the call names.
	Listed
	// Borrowed prices are those of a provider whose models this one resells, or
	// of another name of the same maker.
	Borrowed
	// Maker prices are those of who makes the model, where the call names no
	// provider that the book knows.
	Maker
	// Host prices are those of the first service that lists the model, where
	// neither provider nor maker is known.
	Host
)

// String gives the ground in one word.
func (b Basis) String() string {
	return [...]string{"none", "listed", "borrowed", "maker", "host"}[min(b, Host)]
}

// Match is a model found in the book. The zero value is none.
type Match struct {
	// Provider and Model are the book's ids.
	Provider, Model string
	Basis           Basis
	// Name is the spelling that matched, and Rule how it did.
	Name, Rule string

	model *model
}

// Found tells whether there is a model.
func (m Match) Found() bool { return m.model != nil }

// Cost prices what a call used. Without a model everything is unpriced.
func (m Match) Cost(u Usage) Cost { return m.cost(&u) }

func (m *Match) cost(u *Usage) Cost {
	if m.model == nil {
		return Cost{Unpriced: nonNegative(u.Tokens)}
	}
	return m.model.cost(u)
}

// Find looks for a model of a provider, either as spans tell them; see
// docs/semantics.md, section 4. It searches: use a Finder where calls are many.
func (b *Book) Find(provider, model string) Match {
	names := spellings(model)
	if len(names) == 0 {
		return Match{}
	}
	known := b.named(provider)
	for _, p := range known {
		if p.doc.SelfHosted {
			return Match{}
		}
	}
	if m := b.among(known, names, Listed); m.Found() || len(known) > 0 && !known[0].doc.AnyHost {
		return m
	}
	// gateways write the provider in front: groq/llama-3.1-8b-instant.
	if host, rest, ok := strings.Cut(names[0], "/"); ok {
		if prefixed := b.named(host); len(prefixed) > 0 {
			if m := b.among(prefixed, spellings(rest), Listed); m.Found() {
				return m
			}
		}
	}
	return b.anywhere(names)
}

// named gives the providers that go by a name: one, or all that are routed to.
func (b *Book) named(name string) []*provider {
	name = strings.ToLower(strings.TrimSpace(name))
	if name == "" {
		return nil
	}
	if p := b.byName[name]; p != nil {
		return []*provider{p}
	}
	var found []*provider
	for _, p := range b.providers {
		if first(p.match, name) != nil {
			return []*provider{p}
		}
		if strings.HasPrefix(p.doc.ID, name+"_") {
			found = append(found, p)
		}
	}
	return found
}

// among looks for the names in the lists of some providers, then in those that
// these borrow from.
func (b *Book) among(providers []*provider, names []string, basis Basis) Match {
	for _, p := range providers {
		if m := p.find(names, basis); m.Found() {
			return m
		}
		// openai/gpt-4o at openai, bedrock/us.anthropic.… at Amazon.
		for _, name := range names {
			prefix, rest, ok := strings.Cut(name, "/")
			if ok && len(b.named(prefix)) == 1 && b.named(prefix)[0] == p {
				if m := p.find(spellings(rest), basis); m.Found() {
					return m
				}
			}
		}
	}
	for _, p := range providers {
		for _, f := range p.fallback {
			for _, name := range names {
				if m := f.provider.find([]string{f.prefix + name}, Borrowed); m.Found() {
					return m
				}
			}
		}
	}
	return Match{}
}

// anywhere looks for a model whose provider is not known: with its maker, then
// by its exact name, by its name without a vendor's prefix, and at last by any rule.
func (b *Book) anywhere(names []string) Match {
	for _, name := range names {
		for _, p := range b.makers {
			if first(p.makes, name) != nil {
				if m := b.among([]*provider{p}, names, Maker); m.Found() {
					return m
				}
			}
		}
	}
	for _, look := range [...]func(*provider, string) Match{(*provider).exact, (*provider).short, (*provider).ruled} {
		for _, name := range names {
			for _, p := range b.hosts {
				if m := look(p, name); m.Found() {
					m.Basis = Host
					return m
				}
			}
		}
	}
	return Match{}
}

// find looks for the names in a provider's list.
func (p *provider) find(names []string, basis Basis) Match {
	for _, name := range names {
		for _, look := range [...]func(*provider, string) Match{(*provider).exact, (*provider).ruled} {
			if m := look(p, name); m.Found() {
				m.Basis = basis
				return m
			}
		}
	}
	for _, name := range names {
		if m := p.short(name); m.Found() {
			m.Basis = basis
			return m
		}
	}
	return Match{}
}

func (p *provider) match1(m *model, name, rule string) Match {
	return Match{Provider: p.doc.ID, Model: m.doc.ID, Name: name, Rule: rule, model: m}
}

// exact finds a model by its id or an alias.
func (p *provider) exact(name string) Match {
	m := p.names[name]
	if m == nil {
		return Match{}
	}
	if strings.EqualFold(m.doc.ID, name) {
		return p.match1(m, name, "id")
	}
	return p.match1(m, name, "alias")
}

// short finds a model whose name without a vendor's prefix is this one's.
func (p *provider) short(name string) Match {
	name = baseName(name)
	if m := p.base[name]; m != nil {
		return p.match1(m, name, "name without the vendor")
	}
	if m := p.names[name]; m != nil {
		return p.match1(m, name, "name without the vendor")
	}
	return Match{}
}

// ruled finds the first model one of whose rules matches.
func (p *provider) ruled(name string) Match {
	for _, m := range p.models {
		if c := first(m.match, name); c != nil {
			return p.match1(m, name, c.String())
		}
	}
	return Match{}
}
