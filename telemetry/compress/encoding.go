// Package compress decodes request bodies within limits and compresses what
// goes out. Decoding counts bytes while it decompresses, so that a small body
// that stands for a huge one costs no more than the limit.
//
// All functions are safe for concurrent use. Readers and writers are pooled.
package compress

import (
	"strings"

	"treq/telemetry"
)

// Encoding is a content coding of HTTP or gRPC. The zero value is Identity.
type Encoding uint8

// The encodings.
const (
	Identity Encoding = iota
	Gzip              // RFC 1952, one or more members
	Zstd              // RFC 8878, one or more frames, windows up to 8 MiB as RFC 9659 asks
	Deflate           // RFC 1950 as HTTP means it, or bare RFC 1951 as some clients send it
)

// Supported names the codings that Parse knows, as an Accept-Encoding header lists them.
const Supported = "gzip, zstd, deflate, identity"

// Parse gives the encoding of a Content-Encoding or grpc-encoding value; case and
// surrounding space don't matter, "" is Identity. Other names, and lists of more
// than one coding, are errors of kind Unsupported.
func Parse(name string) (Encoding, error) {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "", "identity":
		return Identity, nil
	case "gzip", "x-gzip":
		return Gzip, nil
	case "zstd":
		return Zstd, nil
	case "deflate":
		return Deflate, nil
	}
	return Identity, telemetry.Errorf(telemetry.Unsupported,
		"content encoding %.40q is not supported; send %s", name, Supported)
}

// String gives the coding's name.
func (e Encoding) String() string {
	return [...]string{"identity", "gzip", "zstd", "deflate"}[e&3]
}
