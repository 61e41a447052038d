package otlp

import (
	"bytes"
	"fmt"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// wideSpan is a span with n attributes, between which other fields stand.
func wideSpan(n int) []byte {
	var b []byte
	for i := range n {
		kv := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), fmt.Sprint("k", i))
		value := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "v")
		kv = protowire.AppendBytes(protowire.AppendTag(kv, 2, protowire.BytesType), value)
		b = protowire.AppendBytes(protowire.AppendTag(b, 9, protowire.BytesType), kv)
		if i%100 == 0 {
			b = protowire.AppendVarint(protowire.AppendTag(b, 6, protowire.VarintType), 2)
		}
	}
	return b
}

// A list wider than what is kept grows once, to what it needs.
func TestWideListsGrowOnce(t *testing.T) {
	for _, n := range []int{keep - 1, keep, keep + 1, 3 * keep, 20 * keep} {
		var s Scanner
		if !s.readSpan(wideSpan(n)) || len(s.span.Attributes) != n {
			t.Fatalf("%d attributes are read as %d", n, len(s.span.Attributes))
		}
		for i, a := range s.span.Attributes {
			if string(a.Key) != fmt.Sprint("k", i) {
				t.Fatalf("attribute %d of %d is %s", i, n, a.Key)
			}
		}
		if most := max(n, keep*5/4); cap(s.span.Attributes) > most {
			t.Errorf("%d attributes take a list for %d", n, cap(s.span.Attributes))
		}
	}
}

// Of a list that no instrumentation makes, the first are told and the rest is checked.
func TestVeryWideListsAreToldInPart(t *testing.T) {
	event := protowire.AppendBytes(protowire.AppendTag(nil, 11, protowire.BytesType), nil)
	// The value of an attribute that cannot be read: a text longer than its message.
	bad := protowire.AppendBytes(protowire.AppendTag(nil, 9, protowire.BytesType), []byte{2<<3 | 2, 2, 1<<3 | 2, 9})
	for _, n := range []int{MostListed, MostListed + 3} {
		body := append(wideSpan(n), bytes.Repeat(event, n)...)
		var s Scanner
		if !s.readSpan(body) {
			t.Fatalf("%d attributes are refused", n)
		}
		if got := len(s.span.Attributes); got != MostListed || string(s.span.Attributes[got-1].Key) != fmt.Sprint("k", got-1) || cap(s.span.Attributes) != got {
			t.Errorf("of %d attributes %d are told, in a list for %d", n, got, cap(s.span.Attributes))
		}
		if got := len(s.span.events); got != MostListed {
			t.Errorf("of %d events %d are told", n, got)
		}
		if s.readSpan(append(body, bad...)) {
			t.Errorf("a bad attribute behind %d is not seen", n)
		}
	}
}
