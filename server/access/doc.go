// Package access decides what a caller may do, from the token in the headers
// alone: a request without the right one is refused before its body is read.
// Tokens are kept as hashes and compared in constant time.
package access
