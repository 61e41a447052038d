// Package pricing says what a model call costs by list price: an embedded, dated
// price book, the rules by which a provider and a model are found in it, and
// integer arithmetic that loses nothing.
//
// The book is made from genai-prices (see NOTICE) and from additions.yaml, which
// holds what that source does not: spellings of providers, discounts by service
// tier, and a few models. A file may override both. Nothing is fetched at run time.
//
// What a call costs is specified in docs/semantics.md, sections 2.5 and 4: a model
// without a price has no cost, and its tokens are unpriced, never free.
package pricing
