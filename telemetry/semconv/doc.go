// Package semconv names attributes: every name of every dialect and generation
// that instrumentations of language models speak, and what their values mean.
// It is the only package that names one, so that a rename upstream is a change
// of one line here.
//
// It also holds the small tables that go with the names: from the values that
// tell a span's kind to a Kind, and from the spellings of a provider to one.
// What is read first when several names are present is the business of package
// understand; see docs/semantics.md, section 2.
package semconv
