package pricing

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"
)

// Book is a price book. It never changes and is safe for concurrent use.
type Book struct {
	doc     document
	sources []Source
	version string

	providers []*provider
	byName    map[string]*provider // ids and aliases in lower case
	makers    []*provider          // providers with rules on names of models
	hosts     []*provider          // all, in the order in which a model without a provider is looked for
}

// Source is a file that the book was made from.
type Source struct {
	Name string
	// Date is the day the prices were taken, zero if the file does not say.
	Date time.Time
	// Models is how many the file lists.
	Models int
}

// provider is a service that bills for models.
type provider struct {
	doc      *providerDoc
	match    []rule
	makes    []rule
	fallback []fallback
	names    map[string]*model // ids and aliases in lower case
	base     map[string]*model // the same without a vendor's prefix, where only one has it
	models   []*model
}

// fallback is a provider whose prices hold for another's models.
type fallback struct {
	provider *provider
	prefix   string
}

// model is what a provider bills by one set of prices.
type model struct {
	doc      *modelDoc
	provider *provider
	match    []rule
	prices   []price
}

// newBook compiles a document.
func newBook(doc document, sources []Source, version string) (*Book, error) {
	b := &Book{doc: doc, sources: sources, version: version, byName: map[string]*provider{}}
	for i := range b.doc.Providers {
		p, err := newProvider(&b.doc.Providers[i])
		if err != nil {
			return nil, fmt.Errorf("provider %s: %w", b.doc.Providers[i].ID, err)
		}
		b.providers = append(b.providers, p)
	}
	for _, p := range b.providers {
		if taken, ok := b.byName[p.doc.ID]; ok && taken.doc.ID == p.doc.ID {
			return nil, fmt.Errorf("provider %s: listed twice", p.doc.ID)
		}
		b.byName[p.doc.ID] = p
		for _, alias := range p.doc.Aliases {
			if taken, ok := b.byName[alias]; ok && taken != p {
				return nil, fmt.Errorf("provider %s: alias %s is also %s", p.doc.ID, alias, taken.doc.ID)
			}
			b.byName[alias] = p
		}
		if len(p.makes) > 0 {
			b.makers = append(b.makers, p)
		}
	}
	if err := b.linkFallbacks(); err != nil {
		return nil, err
	}
	return b, b.orderHosts()
}

func (b *Book) linkFallbacks() error {
	for _, p := range b.providers {
		for _, text := range p.doc.Fallback {
			name, prefix, _ := strings.Cut(text, "/")
			other := b.byName[name]
			if other == nil {
				return fmt.Errorf("provider %s: fallback: no provider is called %s", p.doc.ID, name)
			}
			p.fallback = append(p.fallback, fallback{other, prefix})
		}
	}
	return nil
}

// orderHosts puts makers first, then the hosts that the document names, then the
// others in its order, those that only route to others last.
func (b *Book) orderHosts() error {
	b.hosts = slices.Clone(b.makers)
	for _, name := range b.doc.Hosts {
		p := b.byName[name]
		if p == nil {
			return fmt.Errorf("hosts: no provider is called %s", name)
		}
		b.hosts = append(b.hosts, p)
	}
	for _, routes := range []bool{false, true} {
		for _, p := range b.providers {
			if strings.HasPrefix(p.doc.ID, routePrefix) == routes && !slices.Contains(b.hosts, p) {
				b.hosts = append(b.hosts, p)
			}
		}
	}
	return nil
}

// routePrefix begins the ids of the services that Hugging Face routes to.
const routePrefix = "huggingface_"

func newProvider(doc *providerDoc) (p *provider, err error) {
	p = &provider{doc: doc, names: map[string]*model{}, base: map[string]*model{}}
	if p.match, err = compileAll(doc.Match); err != nil {
		return nil, fmt.Errorf("match: %w", err)
	}
	if p.makes, err = compileAll(doc.Makes); err != nil {
		return nil, fmt.Errorf("makes: %w", err)
	}
	for i := range doc.Models {
		m := &model{doc: &doc.Models[i], provider: p}
		if err := m.compile(); err != nil {
			return nil, fmt.Errorf("model %s: %w", m.doc.ID, err)
		}
		p.models = append(p.models, m)
	}
	// Ids come before all aliases: every model is found by its own.
	for _, m := range p.models {
		p.name(m.doc.ID, m)
	}
	for _, m := range p.models {
		for _, alias := range m.doc.Aliases {
			p.name(alias, m)
		}
	}
	return p, nil
}

// name notes a name of a model; the first model that has a name keeps it.
func (p *provider) name(name string, m *model) {
	name = strings.ToLower(name)
	if p.names[name] == nil {
		p.names[name] = m
	}
	if short := baseName(name); short != name {
		if other, taken := p.base[short]; taken && other != m {
			m = nil
		}
		p.base[short] = m
	}
}

func (m *model) compile() (err error) {
	if m.match, err = compileAll(m.doc.Match); err != nil {
		return err
	}
	if len(m.doc.Prices) == 0 {
		return fmt.Errorf("no prices")
	}
	for i := range m.doc.Prices {
		p, err := m.doc.Prices[i].compile()
		if err != nil {
			return err
		}
		m.prices = append(m.prices, p)
	}
	return nil
}

// percent gives a service tier's share of the listed price, false if the book
// does not know the tier: its price is not the listed one then, but another.
func (m *model) percent(tier string) (uint64, bool) {
	switch tier {
	case "", "default", "standard", "auto", "on_demand", "on-demand":
		return 100, true
	}
	for _, tiers := range [...]map[string]int{m.doc.Tiers, m.provider.doc.Tiers} {
		if percent, ok := tiers[tier]; ok {
			return uint64(percent), true
		}
	}
	return 0, false
}

// Version names the book's content: the day of its data and a hash of all files
// that it was made from. Two books of one version price alike.
func (b *Book) Version() string { return b.version }

// Date is the day on which the prices of the embedded book were taken.
func (b *Book) Date() time.Time { return b.sources[0].Date }

// Age is how long ago that was.
func (b *Book) Age(now time.Time) time.Duration { return now.Sub(b.Date()) }

// Sources lists what the book was made from, overrides last.
func (b *Book) Sources() []Source { return slices.Clone(b.sources) }

// versionOf hashes the files of a book.
func versionOf(date, previous string, data []byte) string {
	h := fnv.New64a()
	h.Write([]byte(previous))
	h.Write(data)
	return date + "." + hex.EncodeToString(h.Sum(nil)[:4])
}

// parseBook reads a document as the generator writes it.
func parseBook(data []byte) (document, Source, error) {
	var doc document
	if err := json.Unmarshal(data, &doc); err != nil {
		return doc, Source{}, err
	}
	date, err := time.Parse(time.DateOnly, doc.Date)
	if err != nil {
		return doc, Source{}, fmt.Errorf("date: %w", err)
	}
	return doc, Source{doc.Source, date, doc.models()}, nil
}

func (d *document) models() (n int) {
	for i := range d.Providers {
		n += len(d.Providers[i].Models)
	}
	return n
}
