//go:build !unix

package main

// keepPrivate does nothing: there are no modes here.
func keepPrivate() {}
