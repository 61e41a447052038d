//go:build !linux

package server

// volatileStorage is only known on Linux.
func volatileStorage(string) string { return "" }
