// Package e2e tests the built product from outside: it plays real clients, sinks
// and scrapers around a running process. The tests are its only content; what
// they stand on is in package e2etest.
package e2e
