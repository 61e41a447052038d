// Package promapi speaks Prometheus's HTTP query API over the history, so that
// Grafana, promtool and every other client of it can ask this process: the same
// parameters, the same documents, the same errors.
package promapi
