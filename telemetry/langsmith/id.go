package langsmith

import (
	"encoding/hex"

	"treq/telemetry"
)

// ID is the UUID of a run or a trace. The zero value is no id.
type ID [16]byte

// ParseID reads a UUID, with or without dashes, in any case. The error is of kind
// Unprocessable; the zero UUID is an error too, since it names nothing.
func ParseID(text string) (id ID, err error) {
	var packed [32]byte
	n := 0
	for i := range len(text) {
		if text[i] == '-' {
			continue
		}
		if n == len(packed) {
			n++
			break
		}
		packed[n] = text[i]
		n++
	}
	if n == len(packed) && len(text) <= 36 {
		if _, err := hex.Decode(id[:], packed[:]); err == nil && id != (ID{}) {
			return id, nil
		}
	}
	return ID{}, telemetry.Errorf(telemetry.Unprocessable, "%.64q is no UUID", text)
}

// String gives the UUID in lower case with dashes.
func (id ID) String() string {
	var b [36]byte
	hex.Encode(b[:8], id[:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:], id[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// SpanID is the span id that the SDK gives a run when it speaks OTLP: the first
// eight bytes. The UUIDs of newer SDKs begin with a time, so two runs of one trace
// may have the same; Tail tells them apart.
func (id ID) SpanID() [8]byte { return [8]byte(id[:8]) }

// Tail is the other half, by which LangSmith's backend knows a span's run.
func (id ID) Tail() [8]byte { return [8]byte(id[8:]) }
