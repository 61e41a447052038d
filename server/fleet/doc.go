// Package fleet reads what all replicas counted together out of the Prometheus that
// they share, and asks the other replicas for runs that this one does not have
// (docs/architecture.md, section 6). It counts nothing itself.
package fleet
