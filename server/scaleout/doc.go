// Package scaleout writes the files with which several replicas run as one service:
// gateways that keep a trace together, the replicas' settings, the Prometheus that
// adds them up (docs/architecture.md, section 6). It starts nothing.
package scaleout
