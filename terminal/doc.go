// Package terminal shows a running service to people in a terminal: live (Top), run
// by run (Tail), one run explained (Explain), and what is wrong with the set-up
// (Doctor).
//
// It is a client like any other and reads the documents of docs/api.md. What
// services sent is never trusted: control characters do not reach the terminal.
package terminal
