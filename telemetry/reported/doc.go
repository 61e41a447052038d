// Package reported keeps the metrics that services send themselves: the last
// value of every series, delta sums added up, histograms of both kinds. They are
// exposed under their own names with a prefix and never added to what is
// measured from events (docs/semantics.md, section 5).
package reported
