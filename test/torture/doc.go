// Package torture holds the scorecard of RELIABILITY.md: every row does to the
// built product what must not hurt it, compares what came out with a ledger of
// what was acknowledged, and notes the figure it reached.
//
// The rows run small in make test. TORTURE=ci is the size of make torture,
// TORTURE=full that of a night.
package torture
