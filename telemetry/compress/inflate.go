package compress

import (
	"encoding/binary"
	"hash/crc32"
	"sync"
)

// A body is whole in memory, and so is what it stands for: what it repeats is found in
// what is there already, no window is kept beside it, and bits are taken eight bytes
// at a time. That is twice as fast as a decoder of streams. Its slow twin decides
// wherever something is not as it usually is, so that nothing is refused or taken by
// this one alone, and the checksum proves what it made.

// The parts of a gzip member around its deflate stream (RFC 1952).
const (
	gzipHead = 10
	gzipTail = 8
)

// inflateMember appends to dst what src holds, if src is one plain gzip member that
// says truly how much that is, at most limit bytes and within maxRatio. If not, dst is
// as it came, and nothing is said about src.
func inflateMember(dst, src []byte, limit int64) ([]byte, bool) {
	if len(src) < gzipHead+gzipTail || src[0] != 0x1f || src[1] != 0x8b || src[2] != 8 || src[3] != 0 {
		return dst, false
	}
	tail := src[len(src)-gzipTail:]
	size := int64(binary.LittleEndian.Uint32(tail[4:]))
	if size == 0 || size > limit || size > believable(size, len(src)) {
		return dst, false
	}
	start := len(dst)
	whole := grow(dst, start+int(size), start+int(size))[:start+int(size)]
	f := inflaters.Get().(*inflater)
	defer inflaters.Put(f)
	f.in, f.out, f.at, f.bits, f.count = src[gzipHead:len(src)-gzipTail], whole[start:], 0, 0, 0
	ok := f.stream()
	f.in, f.out = nil, nil
	if !ok || crc32.ChecksumIEEE(whole[start:]) != binary.LittleEndian.Uint32(tail) {
		return dst, false
	}
	return whole, true
}

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

// inflater decodes a deflate stream (RFC 1951) in memory. One that was made is ready;
// it serves one stream after the other.
type inflater struct {
	in, out []byte
	at      int    // what was taken of in
	bits    uint64 // taken and not used, the next lowest
	count   uint   // of the bits that count; those above are of in at at, or zero
	made    int    // of out

	lengths   [maxLiterals + maxDistances]uint8
	literals  table
	distances table
}

// stream decodes all of in to all of out, and tells whether that was just so.
func (f *inflater) stream() bool {
	f.made = 0
	for {
		if !f.need(3) {
			return false
		}
		last, kind := f.bits&1 != 0, f.bits>>1&3
		f.drop(3)
		var ok bool
		switch kind {
		case 0:
			ok = f.stored()
		case 1:
			ok = f.fixed() && f.block()
		case 2:
			ok = f.dynamic() && f.block()
		}
		if !ok {
			return false
		}
		if last {
			// Whole bytes that were taken and not used are no part of the stream.
			return f.made == len(f.out) && f.at-int(f.count/8) == len(f.in)
		}
	}
}

// need takes bytes until n bits, at most 48, are there; false at the end of in.
func (f *inflater) need(n uint) bool {
	for f.count < n {
		if f.at == len(f.in) {
			return false
		}
		f.bits |= uint64(f.in[f.at]) << f.count
		f.at++
		f.count += 8
	}
	return true
}

func (f *inflater) drop(n uint) {
	f.bits >>= n
	f.count -= n
}

// stored copies a block that is not compressed.
func (f *inflater) stored() bool {
	f.at -= int(f.count / 8)
	f.bits, f.count = 0, 0
	if len(f.in)-f.at < 4 {
		return false
	}
	n := int(binary.LittleEndian.Uint16(f.in[f.at:]))
	if n^0xffff != int(binary.LittleEndian.Uint16(f.in[f.at+2:])) {
		return false
	}
	f.at += 4
	if n > len(f.in)-f.at || n > len(f.out)-f.made {
		return false
	}
	copy(f.out[f.made:], f.in[f.at:f.at+n])
	f.at += n
	f.made += n
	return true
}

// fixed makes the tables that the format gives.
func (f *inflater) fixed() bool {
	for i := range f.lengths[:maxLiterals] {
		switch {
		case i < 144, i >= 280:
			f.lengths[i] = 8
		case i < 256:
			f.lengths[i] = 9
		default:
			f.lengths[i] = 7
		}
	}
	for i := range maxDistances {
		f.lengths[maxLiterals+i] = 5
	}
	return f.literals.build(f.lengths[:maxLiterals], literalBits, literalEntries[:]) &&
		f.distances.build(f.lengths[maxLiterals:], distanceBits, distanceEntries[:])
}

// codeOrder is the order in which a dynamic block tells the lengths of the codes that
// its lengths are told in.
var codeOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamic reads the tables of a block.
func (f *inflater) dynamic() bool {
	if !f.need(14) {
		return false
	}
	literals, distances, codes := int(f.bits&31)+257, int(f.bits>>5&31)+1, int(f.bits>>10&15)+4
	f.drop(14)
	if literals > 286 || distances > 30 {
		return false
	}
	clear(f.lengths[:len(codeOrder)])
	for _, code := range codeOrder[:codes] {
		if !f.need(3) {
			return false
		}
		f.lengths[code] = uint8(f.bits & 7)
		f.drop(3)
	}
	if !f.distances.build(f.lengths[:len(codeOrder)], codeBits, codeEntries[:]) {
		return false
	}
	for i := 0; i < literals+distances; {
		// At the end of in there may be fewer bits than the longest code takes.
		_ = f.need(14)
		entry := f.distances.entries[f.bits&(1<<codeBits-1)]
		n := uint(entry & 0xff)
		if entry&entryBad != 0 || n > f.count {
			return false
		}
		f.drop(n)
		symbol := entry >> 16
		if symbol < 16 {
			f.lengths[i] = uint8(symbol)
			i++
			continue
		}
		// Repeat the last length, or zero.
		times, extra, value := 3, uint(2), uint8(0)
		switch symbol {
		case 16:
			if i == 0 {
				return false
			}
			value = f.lengths[i-1]
		case 17:
			extra = 3
		case 18:
			times, extra = 11, 7
		}
		if f.count < extra {
			return false
		}
		times += int(f.bits & (1<<extra - 1))
		f.drop(extra)
		if times > literals+distances-i {
			return false
		}
		for range times {
			f.lengths[i] = value
			i++
		}
	}
	return f.lengths[256] != 0 && // an end is needed
		f.literals.build(f.lengths[:literals], literalBits, literalEntries[:]) &&
		f.distances.build(f.lengths[literals:literals+distances], distanceBits, distanceEntries[:])
}
