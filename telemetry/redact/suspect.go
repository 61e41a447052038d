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
	// fewest is how many of eight bytes must be digits for a number to be looked for: every one that is has as many in one place at least, however it lies.
	fewest = 3
	// shortestCode is the length of the shortest number with letters.
	shortestCode = 14
	// shortestNumber is how many digits the shortest number has, shortestAbroad the
	// shortest with a plus in front.
	shortestNumber, shortestAbroad = 10, 8
)

// suspect gives the first place from i on, and before end, whose eight bytes may
// belong to a number or key that is looked for; end if there is none. It looks at
// sixteen bytes at a time, so that clean text costs a few instructions for them, and
// takes no branch that depends on them before it has a reason, so that text full of
// codes costs no more. What it passes over holds none; what it stops at need not hold
// one. b may go on behind end; bytes behind it may be looked at too.
//
// Numbers and keys are told by digits and capitals: numbers by many of them, also
// between long separators, keys by a run of ASCII around one. At signs are told by signs.
func suspect(b []byte, i, end int) int {
	checked := 0
	for i < end {
		if n := min(len(b)-i, end-i+15) &^ 15; n > 0 {
			i += skim(b[i : i+n])
		}
		if i >= end {
			break
		}
		at := min(i, len(b)-8)
		if at < 0 {
			return i
		}
		var stop bool
		if stop, checked = suspicious(b, at, checked); stop {
			return min(i, end)
		}
		i += 8
	}
	return end
}

// suspicious looks closer at the eight bytes at i. Up to checked no run holds a key.
func suspicious(b []byte, i, checked int) (bool, int) {
	w := binary.LittleEndian.Uint64(b[i : i+8])
	a := w & lowBits
	digits := digitBits(w)
	telling := digits | (a+0x3f*each)&^(a+0x25*each)&^w&highBit
	if telling == 0 {
		return false, checked
	}
	n := bits.OnesCount64(telling)
	if bits.OnesCount64(digits) >= fewest && (together(digits, a, w) || bytes.IndexByte(b[max(0, i-widestGap+1):i+8], '\\') >= 0) && !alone(b, i, digits) && numeric(b, i) || n >= 6 && bytes.Contains(b[max(0, i-24):min(len(b), i+40)], pemKey) {
		return true, checked
	}
	// Six of the fourteen places of a number with letters lie in one word.
	if (n < 6 && ((w-'-'*each)|w)&highBit != 0) || i+8 <= checked-longestPrefix {
		return false, checked
	}
	checked, found := key(b, i, n)
	return found, checked
}

// alone tells whether the digits of the eight bytes at i are less than a number and no
// others are near enough to belong to them.
func alone(b []byte, i int, digits uint64) bool {
	if bits.OnesCount64(digits) >= shortestAbroad || i < 8 || i+16 > len(b) {
		return false
	}
	return digitBits(binary.LittleEndian.Uint64(b[i-8:]))|digitBits(binary.LittleEndian.Uint64(b[i+8:])) == 0
}

// digitBits gives the high bits of the bytes that are digits.
func digitBits(w uint64) uint64 {
	return ^((w&lowBits ^ zeros) + 0x76*each) &^ w & highBit
}

// together tells whether enough of eight bytes' digits for a number have no letter
// between them; a is w without its high bits.
func together(digits, a, w uint64) bool {
	a |= 0x20 * each
	letters := (a + 0x1f*each) &^ (a + 0x05*each) &^ w & highBit
	at := bitOfEach(digits)<<8 | bitOfEach(letters)
	return enough[at>>6]>>(at&63)&1 != 0
}

// bitOfEach gives the high bits of eight bytes next to each other.
func bitOfEach(high uint64) uint64 { return high >> 7 * 0x0102040810204080 >> 56 }

// enough has a bit for each way in which digits and letters, eight bits of each, may
// lie in eight bytes: whether fewest digits have no letter between them.
var enough = func() (t [1 << 16 / 64]uint64) {
	for at := range 1 << 16 {
		n := 0
		for k := range 8 {
			if at>>k&1 != 0 {
				n = 0
			} else if n += at >> (8 + k) & 1; n == fewest {
				t[at>>6] |= 1 << (at & 63)
			}
		}
	}
	return t
}()

const (
	longestPrefix = 16
	aroundKey     = 64
)

// shortestKey is the length of the shortest key with its beginning.
const shortestKey = 20

// key tells whether the run of ASCII around the eight bytes at i, of which n are
// digits or capitals, may hold a key, by what its beginning looks like, or a number
// with letters, by its length; checked is how far that holds.
func key(b []byte, i, n int) (checked int, ok bool) {
	from, to := i, i+8
	for from > 0 && i-from < aroundKey && inRun(b[from-1]) {
		from--
	}
	for to < len(b) && to-i < aroundKey && inRun(b[to]) {
		to++
	}
	if n >= 6 && streak(b[from:to]) {
		return to, true
	}
	if to-from < shortestKey {
		return to, false
	}
	if from >= 2 && b[from-1] == ' ' && (b[from-2] == 'r' || b[from-2] == 'c') {
		return to, true // Bearer, Basic
	}
	last := uint(0)
	for k, c := range b[from:to] {
		pair := last<<8 | uint(c)
		if pairs[pair>>6]>>(pair&63)&1 != 0 && begins(b[from+k-1:]) {
			return to, true
		}
		last = uint(c)
	}
	return to, false
}

// streak tells whether a run has as many bytes of a number with letters in a row as one has.
func streak(run []byte) bool {
	n := 0
	for _, c := range run {
		if n++; starts[c]&inNumber == 0 {
			n = 0
		} else if n == shortestCode {
			return true
		}
	}
	return false
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
		} else if gap++; !separates(b, j) {
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
		if gap++; !separates(b, j) {
			if j >= i+8 {
				return false
			}
			n, least = 0, shortestNumber
		}
	}
	return false
}

// separates tells whether the byte at i may be a part of what separates two groups of
// digits: a mark, or within an escape such as \u2011.
func separates(b []byte, i int) bool {
	if starts[b[i]]&inSeparator != 0 {
		return true
	}
	return (b[i] == 'u' || isHex(b[i])) && escaped(b, i)
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isLetter(c byte) bool { return c|0x20-'a' <= 25 }

func isCapital(c byte) bool { return c-'A' <= 25 }

func isHex(c byte) bool { return isDigit(c) || c|0x20-'a' <= 5 }
