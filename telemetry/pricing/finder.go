package pricing

// maxFound bounds the names that a Finder remembers.
const maxFound = 4096

// Finder finds models in a book and remembers what it found: a model that was
// looked for before costs one look into a table and no allocation. It is not safe
// for concurrent use.
type Finder struct {
	book  *Book
	found map[key]Match
}

type key struct{ provider, model string }

// NewFinder makes a finder in a book.
func NewFinder(b *Book) *Finder { return &Finder{book: b, found: map[key]Match{}} }

// Book gives the book.
func (f *Finder) Book() *Book { return f.book }

// Find is Book.Find.
func (f *Finder) Find(provider, model string) Match {
	k := key{provider, model}
	if m, ok := f.found[k]; ok {
		return m
	}
	m := f.book.Find(provider, model)
	if len(f.found) >= maxFound {
		clear(f.found)
	}
	f.found[k] = m
	return m
}

// Price prices a call: by the model that answered, else by the one that was asked.
func (f *Finder) Price(provider, responseModel, requestModel string, u Usage) (Cost, Match) {
	m := f.Find(provider, responseModel)
	if !m.Found() && requestModel != responseModel {
		m = f.Find(provider, requestModel)
	}
	return m.Cost(u), m
}
