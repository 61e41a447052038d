//go:build unix

package main

import "syscall"

// keepPrivate lets whatever the process makes from now on be its owner's alone, also
// what libraries make with modes of their own (docs/architecture.md, section 2).
func keepPrivate() { syscall.Umask(0o077) }
