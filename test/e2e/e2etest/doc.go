// Package e2etest runs the built product as a process and surrounds it with what
// end-to-end tests need: clients that speak OTLP in every encoding, a sink that
// misbehaves by script, and a ledger that knows what was acknowledged.
//
// Everything it opens is on loopback, and every wait is bounded. A test waits for
// a state, never for a time.
package e2etest
