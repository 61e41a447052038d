package compress

import "math/bits"

const (
	maxLiterals  = 288 // literals, the end of a block, and lengths
	maxDistances = 32
	maxCode      = 15 // bits of the longest code

	// How many bits are looked up at once; longer codes go on in a second table.
	literalBits  = 11
	distanceBits = 9
	codeBits     = 7
)

// An entry tells what a code stands for: in its low byte how many bits the code and
// what belongs to it take, in bits 8 to 11 how many of them are the code, from bit 16
// on the value.
const (
	entryLiteral = 1 << 31 // the value is a byte
	entryEnd     = 1 << 15 // of the block
	entryMore    = 1 << 14 // goes on in a table at the value, by as many bits as bits 8 to 11 tell
	entryBad     = 1 << 13 // stands for nothing

	entryOdd = entryEnd | entryMore | entryBad
)

// table finds entries by the next bits of a stream. Behind its first part are those in
// which longer codes go on: at most one for two symbols.
type table struct {
	entries [1<<literalBits + 1<<(maxCode-literalBits)*maxLiterals/2]uint32
}

// build makes the table of the codes that symbols of these lengths have, 0 for none.
// It is false for lengths that make no code, and for those that leave room for others,
// but for a single code of one bit and for none at all: what the slow twin takes.
func (t *table) build(lengths []uint8, first uint, meanings []uint32) bool {
	var counts [maxCode + 1]uint32
	for _, n := range lengths {
		counts[n]++
	}
	counts[0] = 0
	var next [maxCode + 1]uint32
	var longest uint
	code, symbols, space := uint32(0), uint32(0), uint32(0)
	for n := 1; n <= maxCode; n++ {
		code <<= 1
		next[n] = code
		code += counts[n]
		symbols += counts[n]
		space += counts[n] << (maxCode - n)
		if counts[n] > 0 {
			longest = uint(n)
		}
	}
	if space != 1<<maxCode && symbols > 0 && (symbols != 1 || longest != 1) {
		return false
	}
	whole := t.entries[:1<<first]
	for i := range whole {
		whole[i] = entryBad
	}
	behind := len(whole)
	for symbol, length := range lengths {
		if length == 0 {
			continue
		}
		n := uint(length)
		// Codes come with their highest bit first, everything else lowest first.
		reversed := int(bits.Reverse16(uint16(next[n])) >> (16 - n))
		next[n]++
		if n <= first {
			entry := meanings[symbol] + uint32(n)<<8 + uint32(n)
			for i := reversed; i < len(whole); i += 1 << n {
				whole[i] = entry
			}
			continue
		}
		at, more := reversed&(len(whole)-1), longest-first
		if whole[at] == entryBad {
			whole[at] = uint32(behind)<<16 | entryMore | uint32(more)<<8 | uint32(first)
			behind += 1 << more
		}
		rest := n - first
		entry := meanings[symbol] + uint32(rest)<<8 + uint32(rest)
		second := t.entries[whole[at]>>16:][:1<<more]
		for i := reversed >> first; i < len(second); i += 1 << rest {
			second[i] = entry
		}
	}
	return true
}

// What symbols stand for, without their codes (RFC 1951, 3.2.5).
var (
	literalEntries = func() (all [maxLiterals]uint32) {
		for i := range 256 {
			all[i] = entryLiteral | uint32(i)<<16
		}
		all[256] = entryEnd
		base := uint32(3)
		for i := range uint32(28) {
			extra := uint32(0)
			if i >= 8 {
				extra = i/4 - 1
			}
			all[257+i] = base<<16 | extra
			base += 1 << extra
		}
		all[285] = 258 << 16
		all[286], all[287] = entryBad, entryBad
		return all
	}()
	distanceEntries = func() (all [maxDistances]uint32) {
		base := uint32(1)
		for i := range uint32(30) {
			extra := uint32(0)
			if i >= 4 {
				extra = i/2 - 1
			}
			all[i] = base<<16 | extra
			base += 1 << extra
		}
		all[30], all[31] = entryBad, entryBad
		return all
	}()
	codeEntries = func() (all [len(codeOrder)]uint32) {
		for i := range all {
			all[i] = uint32(i) << 16
		}
		return all
	}()
)
