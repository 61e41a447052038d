package journal

import (
	"bytes"
	"hash/crc32"
	"testing"
)

// FuzzParseHead: what parses encodes to the bytes it came from.
func FuzzParseHead(f *testing.F) {
	h := head{
		length: 200, bodyCRC: 1, position: 96, salt: 2, seq: 3, itemsBefore: 4, admitted: 5, hash: [16]byte{6},
		check: 7, items: 8, decodedLen: 9, kind: Traces, encoding: Gzip,
		door: []byte("http"), project: []byte("p"), tenant: []byte("t"),
	}
	f.Add(h.append(nil))
	f.Add(marker[:])
	f.Fuzz(func(t *testing.T, b []byte) {
		seal(b)
		at := Position(0)
		if len(b) >= frameHeader {
			at = positionIn(b)
		}
		h, ok := parseHead(b, at, 0)
		if !ok {
			return
		}
		if got := h.append(nil); !bytes.Equal(got, b[:h.size()]) {
			t.Fatalf("%x parses and encodes to %x", b[:h.size()], got)
		}
		if _, ok := parseHead(b, at+1, 0); ok {
			t.Fatal("it parses at another position")
		}
		if _, ok := parseHead(b, at, h.salt+1); ok && h.salt+1 != 0 {
			t.Fatal("it parses with another salt")
		}
		if h.bodyLen() < 0 {
			t.Fatalf("body of %d bytes", h.bodyLen())
		}
	})
}

// seal gives b a valid checksum, which a fuzzer would not find.
func seal(b []byte) {
	if len(b) < frameHeader {
		return
	}
	copy(b, marker[:])
	size := frameHeader + int(b[88]) + int(b[89])<<8 + int(b[90]) + int(b[91])<<8 + int(b[92])
	if size > len(b) {
		return
	}
	sum := crc32.Checksum(b[8:size], castagnoli)
	b[4], b[5], b[6], b[7] = byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24)
}

func positionIn(b []byte) Position {
	var p Position
	for i := range 8 {
		p |= Position(b[16+i]) << (8 * i)
	}
	return p
}

func FuzzSegmentHead(f *testing.F) {
	h := segmentHead{base: 1, prevBase: 2, prevEnd: 3, prevLast: 4, seq: 5, items: 6, created: 7, salt: 8}
	f.Add(h.encode(), uint64(1))
	f.Fuzz(func(t *testing.T, b []byte, base uint64) {
		h, ok, err := parseSegmentHead(b, Position(base))
		if ok && (err != nil || h.base != Position(base)) {
			t.Fatalf("%+v, %v", h, err)
		}
		if again, valid, err := parseSegmentHead(h.encode(), h.base); ok && (!valid || err != nil || again != h) {
			t.Fatalf("%+v comes back as %+v", h, again)
		}
	})
}
