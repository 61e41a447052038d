// Package enrich adds to spans what a backend would miss: names that a backend reads
// for what a span says under names that it does not. It only ever adds, save that a
// document's metadata take in its score, and a request that misses nothing comes back
// as the very bytes it was.
package enrich
