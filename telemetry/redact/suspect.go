package redact

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Words of eight equal bytes, for looking at eight bytes at once.
const (
	each    = 0x0101010101010101
	highBit = 0x80 * each
	lowBits = 0x7f * each
	zeros   = '0' * each
)

const (
	// fewest is how many of eight bytes must be digits or capitals for a number to be
	// looked for: every one that is has as many in one place at least, however it lies.
	fewest = 3
	// shortestCode is the length of the shortest number with letters.
	shortestCode = 14
	// shortestNumber is how many digits the shortest number has, shortestAbroad the
	// shortest with a plus in front.
	shortestNumber, shortestAbroad = 10, 8
)

// suspect gives the first place from i on, and before end, whose eight bytes may
// belong to a number or key that is looked for; end if there is none. It looks at
// sixteen bytes at a time, so that clean text costs a few instructions for them. What
// it passes over holds none; what it stops at need not hold one. b may go on behind
// end; bytes behind it may be looked at too.
//
// Both are told by digits and capitals: numbers by many of them, also between long
// separators, keys by a run of ASCII around one.
func suspect(b []byte, i, end int) int {
	checked := 0
	for i < end {
		if i+16 <= len(b) {
			v, w := binary.LittleEndian.Uint64(b[i:i+8]), binary.LittleEndian.Uint64(b[i+8:i+16])
			if (middle(v)|middle(w))&highBit == 0 {
				i += 16
				continue
			}
		}
		at := min(i, len(b)-8)
		if at < 0 {
			return i
		}
		w := binary.LittleEndian.Uint64(b[at : at+8])
		a := w & lowBits
		telling := (^((a ^ zeros) + 0x76*each) | (a+0x3f*each)&^(a+0x25*each)) &^ w & highBit
		if telling != 0 {
			n := bits.OnesCount64(telling)
			if n >= fewest && numeric(b, at) || n >= 6 && bytes.Contains(b[max(0, at-24):min(len(b), at+40)], pemKey) {
				return i
			}
			// Six of the fourteen places of a number with letters lie in one word.
			if (n >= 6 || ((w-'-'*each)|w)&highBit == 0) && at+8 > checked-longestPrefix {
				var ok bool
				if checked, ok = key(b, at); ok {
					return i
				}
			}
		}
		i += 8
	}
	return end
}

// middle has the high bit set for bytes from '0' to '_', among which are digits and
// capitals; the other bits mean nothing.
func middle(w uint64) uint64 {
	a := w & lowBits
	return (a + 0x50*each) &^ (a + 0x20*each) &^ w
}

const (
	longestPrefix = 16
	aroundKey     = 64
)

// key tells whether the run of ASCII around the eight bytes at i may hold a key, by
// what its beginning looks like, or a number with letters, by its length; checked is
// how far that holds.
func key(b []byte, i int) (checked int, ok bool) {
	from, to := i, i+8
	for from > 0 && i-from < aroundKey && inRun(b[from-1]) {
		from--
	}
	for to < len(b) && to-i < aroundKey && inRun(b[to]) {
		to++
	}
	if to-from < shortestCode {
		return to, false
	}
	if from >= 2 && b[from-1] == ' ' && (b[from-2] == 'r' || b[from-2] == 'c') {
		return to, true // Bearer, Basic
	}
	streak := 0
	for k := from; k < to; k++ {
		c := b[k]
		if streak++; starts[c]&inNumber == 0 {
			streak = 0
		} else if streak == shortestCode {
			return to, true
		}
		if k+1 < to {
			pair := uint(c)<<8 | uint(b[k+1])
			if pairs[pair>>6]>>(pair&63)&1 != 0 && begins(b[k:]) {
				return to, true
			}
		}
	}
	return to, false
}

// inRun tells whether a byte is one of those that keys are made of, or close to them.
func inRun(c byte) bool { return '-' <= c && c < 0x80 }

// widestGap is the longest separator within a number, in bytes: one that JSON has escaped.
const widestGap = 6

// numeric tells whether there are as many digits around i as the shortest number
// has, with nothing between them but what may separate groups.
func numeric(b []byte, i int) bool {
	k := i
	for k < i+8 && !isDigit(b[k]) {
		k++
	}
	if k == i+8 {
		return false
	}
	// To the first digit of the chain, and from there to its last.
	from, gap := k, 0
	for j := k - 1; j >= 0 && k-j < 64 && gap <= widestGap; j-- {
		if isDigit(b[j]) {
			from, gap = j, 0
		} else if gap++; !separates(b[j]) {
			break
		}
	}
	n, least := 0, shortestNumber
	for j := from - 1; j >= 0 && j >= from-2; j-- {
		if b[j] == '+' {
			least = shortestAbroad
		}
	}
	gap = 0
	for j := from; j < len(b) && gap <= widestGap; j++ {
		c := b[j]
		if isDigit(c) {
			gap = 0
			if n++; n >= least {
				return true
			}
			continue
		}
		if c == '+' {
			least = shortestAbroad
		}
		if gap++; !separates(c) {
			if j >= i+8 {
				return false
			}
			n, least = 0, shortestNumber
		}
	}
	return false
}

// separates tells whether a byte may be a part of what separates two groups of digits.
func separates(c byte) bool { return starts[c]&inSeparator != 0 }

// nextAt gives the first place from i on of an at sign, bare or as URLs write it;
// end if there is none before it.
func nextAt(b []byte, i, end int) int {
	for from := i; from < end; {
		n := bytes.IndexByte(b[from:end], '%')
		if n < 0 {
			break
		}
		if from += n; from+2 < end && b[from+1] == '4' && b[from+2] == '0' {
			end = from
			break
		}
		from++
	}
	if n := bytes.IndexByte(b[i:end], '@'); n >= 0 {
		return i + n
	}
	return end
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isLetter(c byte) bool { return c|0x20-'a' <= 25 }

func isCapital(c byte) bool { return c-'A' <= 25 }

func isHex(c byte) bool { return isDigit(c) || c|0x20-'a' <= 5 }
