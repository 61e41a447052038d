// Package objective reads what is wanted of the numbers, targets and alerts, and
// compiles it to Prometheus rules: recording rules for what documents and
// dashboards read, and alerting rules. The same rules are evaluated in process
// and printed for a Prometheus server.
package objective
