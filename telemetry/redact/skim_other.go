//go:build !amd64 || purego

package redact

import (
	"encoding/binary"
	"math/bits"
)

// skim gives how many bytes of b, whose length is a multiple of sixteen, lie before the
// first eight that are telling; all if none are. It takes no branch that depends on them before
// it has a reason, so that text full of codes costs no more.
func skim(b []byte) int {
	for i := 0; i+16 <= len(b); i += 16 {
		v, w := telling(binary.LittleEndian.Uint64(b[i:])), telling(binary.LittleEndian.Uint64(b[i+8:]))
		if v >= fewest {
			return i
		}
		if w >= fewest {
			return i + 8
		}
	}
	return len(b)
}

// telling gives fewest or more for eight bytes that must be looked at closer: those
// with as many from '0' to 'Z', among which are digits and capitals, and those with
// one of them that may lie within a key, since all eight may.
func telling(w uint64) uint64 {
	a := w & lowBits
	n := uint64(bits.OnesCount64((a + 0x50*each) &^ (a + 0x25*each) &^ w & highBit))
	out := ((w - '-'*each) | w) & highBit // 0 if all may lie within a key
	return n + ((out-1)&^out)>>63*(fewest-1)
}
