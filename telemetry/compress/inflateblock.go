package compress

import "encoding/binary"

const (
	// While as much as this is left of both, a turn of the loop looks at no end: two
	// refills of eight bytes, and three literals, the longest match and the
	// word that is written over its end.
	roomIn  = 16
	roomOut = 3 + 258 + wordSize

	wordSize = 8
)

// block decodes the codes of a block, by the tables, to its end.
func (f *inflater) block() bool {
	in, out := f.in, f.out
	at, made, bits, count := f.at, f.made, f.bits, f.count
	literals, distances := &f.literals.entries, &f.distances.entries
	for len(in)-at >= roomIn && len(out)-made >= roomOut {
		// At least 56 bits are there now; those above count are the same that the next
		// refill brings again.
		bits |= binary.LittleEndian.Uint64(in[at:]) << (count & 63)
		at += int(63-count) >> 3
		count |= 56
		entry := literals[bits&(1<<literalBits-1)]
		if entry&entryLiteral != 0 {
			out[made] = byte(entry >> 16)
			made++
			bits >>= entry & 63
			count -= uint(entry & 63)
			entry = literals[bits&(1<<literalBits-1)]
			if entry&entryLiteral != 0 {
				out[made] = byte(entry >> 16)
				made++
				bits >>= entry & 63
				count -= uint(entry & 63)
				entry = literals[bits&(1<<literalBits-1)]
				if entry&entryLiteral != 0 {
					out[made] = byte(entry >> 16)
					made++
					bits >>= entry & 63
					count -= uint(entry & 63)
					continue
				}
			}
			// A length and a distance take 48 bits at most.
			bits |= binary.LittleEndian.Uint64(in[at:]) << (count & 63)
			at += int(63-count) >> 3
			count |= 56
		}
		if entry&entryOdd != 0 {
			if entry&entryMore != 0 {
				bits >>= literalBits
				count -= literalBits
				entry = literals[uint64(entry>>16)+bits&(1<<(entry>>8&15)-1)]
			}
			if entry&entryLiteral != 0 {
				out[made] = byte(entry >> 16)
				made++
				bits >>= entry & 63
				count -= uint(entry & 63)
				continue
			}
			if entry&entryOdd != 0 {
				if entry&entryEnd == 0 {
					return false
				}
				bits >>= entry & 63
				count -= uint(entry & 63)
				f.at, f.made, f.bits, f.count = at, made, bits&(1<<count-1), count
				return true
			}
		}
		length := int(entry>>16) + int(bits&(1<<(entry&63)-1)>>(entry>>8&15))
		bits >>= entry & 63
		count -= uint(entry & 63)

		entry = distances[bits&(1<<distanceBits-1)]
		if entry&entryOdd != 0 {
			if entry&entryMore != 0 {
				bits >>= distanceBits
				count -= distanceBits
				entry = distances[uint64(entry>>16)+bits&(1<<(entry>>8&15)-1)]
			}
			if entry&entryOdd != 0 {
				return false
			}
		}
		distance := int(entry>>16) + int(bits&(1<<(entry&63)-1)>>(entry>>8&15))
		bits >>= entry & 63
		count -= uint(entry & 63)
		if distance > made {
			return false
		}
		if distance >= wordSize {
			// What is written beyond the match is written over by what follows.
			to := out[made : made+length+wordSize]
			from := out[made-distance:]
			for i := 0; i < length; i += wordSize {
				binary.LittleEndian.PutUint64(to[i:], binary.LittleEndian.Uint64(from[i:]))
			}
			made += length
			continue
		}
		for end := made + length; made < end; made++ {
			out[made] = out[made-distance]
		}
	}
	f.at, f.made, f.bits, f.count = at, made, bits&(1<<count-1), count
	return f.rest()
}

// rest decodes what is near an end of in or out, code by code.
func (f *inflater) rest() bool {
	for {
		entry, ok := f.entry(&f.literals, literalBits)
		switch {
		case !ok:
			return false
		case entry&entryLiteral != 0:
			if f.made == len(f.out) {
				return false
			}
			f.drop(uint(entry & 63))
			f.out[f.made] = byte(entry >> 16)
			f.made++
			continue
		case entry&entryEnd != 0:
			f.drop(uint(entry & 63))
			return true
		}
		length := f.value(entry)
		if entry, ok = f.entry(&f.distances, distanceBits); !ok {
			return false
		}
		distance := f.value(entry)
		if distance > f.made || length > len(f.out)-f.made {
			return false
		}
		for end := f.made + length; f.made < end; f.made++ {
			f.out[f.made] = f.out[f.made-distance]
		}
	}
}

// entry gives what the next code stands for, with all bits there that it takes; false
// if there are fewer, or if it is no code.
func (f *inflater) entry(t *table, first uint) (uint32, bool) {
	_ = f.need(48) // at the end of in there are fewer
	entry := t.entries[f.bits&(1<<first-1)]
	if entry&entryMore != 0 {
		if f.count < first {
			return 0, false
		}
		f.drop(first)
		entry = t.entries[uint64(entry>>16)+f.bits&(1<<(entry>>8&15)-1)]
	}
	return entry, entry&entryBad == 0 && uint(entry&63) <= f.count
}

// value takes a length or a distance.
func (f *inflater) value(entry uint32) int {
	n := int(entry>>16) + int(f.bits&(1<<(entry&63)-1)>>(entry>>8&15))
	f.drop(uint(entry & 63))
	return n
}
