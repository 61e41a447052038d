// Package capacity answers how many replicas, how much disk and memory a load needs,
// from figures that were measured (docs/performance.md, docs/capacity.md). It is
// arithmetic: nothing is measured here.
package capacity
