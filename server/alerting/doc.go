// Package alerting evaluates the objectives with Prometheus's rule engine and
// keeps the state of alerts through restarts. What it finds goes to a Notifier.
package alerting
