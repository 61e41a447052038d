// Package treqenrich is a Collector processor that adds to spans what a backend
// would miss of them, by the rules of package enrich of the product.
package treqenrich
