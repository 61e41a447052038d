// Package treqredact is a Collector processor that takes personal numbers,
// addresses, telephone numbers, cards, keys and, if wanted, all content out of
// traces, logs and metrics, by the rules of package redact of the product.
package treqredact
