// Package history keeps what /metrics exposes over time, in an embedded Prometheus
// TSDB, and answers PromQL over it or over a remote server that speaks Prometheus's
// query API (docs/architecture.md, section 5).
//
// Prometheus's Go interfaces move from release to release; PromQL, the rule format
// and the files on disk do not. This package is where the product touches the former.
package history
