package otlp

import "encoding/binary"

func appendVarint(dst []byte, v uint64) []byte { return binary.AppendUvarint(dst, v) }

func appendTag(dst []byte, number uint32, wire uint8) []byte {
	return binary.AppendUvarint(dst, uint64(number)<<3|uint64(wire))
}

func appendNumber(dst []byte, number uint32, v uint64) []byte {
	return appendVarint(appendTag(dst, number, wireVarint), v)
}

func appendFixed64(dst []byte, number uint32, v uint64) []byte {
	return binary.LittleEndian.AppendUint64(appendTag(dst, number, wireI64), v)
}

func appendText[T string | []byte](dst []byte, number uint32, text T) []byte {
	dst = appendVarint(appendTag(dst, number, wireLen), uint64(len(text)))
	return append(dst, text...)
}

// openMessage appends a tag and room for a length of width bytes. The message
// that follows is ended by closeMessage with the position that openMessage gives.
func openMessage(dst []byte, number uint32, width int) (opened []byte, at int) {
	dst = appendTag(dst, number, wireLen)
	at = len(dst)
	for range width {
		dst = append(dst, 0)
	}
	return dst, at
}

// closeMessage writes the length of the message that starts width bytes behind at,
// moving the message if its length takes more or fewer bytes than were reserved.
func closeMessage(dst []byte, at, width int) []byte {
	n := len(dst) - at - width
	if n < 0x80 && width == 1 {
		dst[at] = byte(n)
		return dst
	}
	need := varintSize(uint64(n))
	for range need - width {
		dst = append(dst, 0)
	}
	copy(dst[at+need:], dst[at+width:at+width+n])
	dst = dst[:at+need+n]
	binary.PutUvarint(dst[at:at+need], uint64(n))
	return dst
}

func varintSize(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}
