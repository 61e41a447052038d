package otlp

// The wire types of protobuf. Groups (3 and 4) are refused everywhere.
const (
	wireVarint = 0
	wireI64    = 1
	wireLen    = 2
	wireI32    = 5
)

// maxFieldNumber is the largest field number that protobuf allows.
const maxFieldNumber = 1<<29 - 1

// varint reads a varint at i and gives the position behind it, -1 if it is
// truncated or longer than 10 bytes.
func varint(b []byte, i int) (uint64, int) {
	if uint(i) < uint(len(b)) && b[i] < 0x80 {
		return uint64(b[i]), i + 1
	}
	return longVarint(b, i)
}

func longVarint(b []byte, i int) (uint64, int) {
	var v uint64
	for shift := uint(0); shift < 64; shift += 7 {
		if i >= len(b) {
			return 0, -1
		}
		c := b[i]
		i++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v, i
		}
	}
	return 0, -1
}

// chunk reads a length-delimited field at i and gives its content and the
// position behind it, -1 if it is truncated.
func chunk(b []byte, i int) ([]byte, int) {
	n, i := varint(b, i)
	if i < 0 || n > uint64(len(b)-i) {
		return nil, -1
	}
	return b[i : i+int(n)], i + int(n)
}

// fixed64 reads 8 bytes at i and gives the position behind them, -1 if truncated.
func fixed64(b []byte, i int) (uint64, int) {
	if len(b)-i < 8 {
		return 0, -1
	}
	b = b[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56, i + 8
}

// skip gives the position behind the field whose tag was just read, -1 if it is
// truncated, a group, of an impossible number, or known: known has the bits of
// the numbers that the caller reads, and meeting one here means that its wire
// type is wrong.
func skip(b []byte, i int, tag uint64, known uint32) int {
	number := tag >> 3
	if number == 0 || number > maxFieldNumber || (number < 32 && known>>number&1 != 0) {
		return -1
	}
	return skipWire(b, i, int(tag&7))
}

func skipWire(b []byte, i, wire int) int {
	switch wire {
	case wireVarint:
		_, i = varint(b, i)
	case wireI64:
		_, i = fixed64(b, i)
	case wireLen:
		_, i = chunk(b, i)
	case wireI32:
		if i += 4; i > len(b) {
			i = -1
		}
	default:
		i = -1
	}
	return i
}
