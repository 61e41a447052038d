package pricing

import (
	_ "embed"
	"fmt"
	"sync"
)

//go:embed book.json
var bookJSON []byte

//go:embed additions.yaml
var additionsYAML []byte

// Embedded gives the book that this program was built with, made once.
func Embedded() *Book { return embedded() }

var embedded = sync.OnceValue(func() *Book {
	doc, source, err := parseBook(bookJSON)
	if err == nil {
		var b *Book
		if b, err = newBook(doc, []Source{source}, versionOf(doc.Date, "", bookJSON)); err == nil {
			if b, err = b.With("additions.yaml", additionsYAML); err == nil {
				return b
			}
		}
	}
	// The files are part of the program: a test reads them, and no input changes them.
	panic(fmt.Sprintf("pricing: the embedded book: %v", err))
})
