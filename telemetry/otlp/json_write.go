package otlp

import "encoding/binary"

// What is appended goes through methods that leave the slice's pointer where it is:
// a store of it costs more than the byte that was appended, whenever garbage is being
// collected meanwhile, and the compiler leaves the store out of an append in place
// and of a cut from the front only.

// room makes sure that n bytes fit behind what is written.
func (t *transcoder) room(n int) {
	if cap(t.dst)-len(t.dst) < n {
		t.dst = append(t.dst, make([]byte, n)...)[:len(t.dst)]
	}
}

// tag appends the tag of a field.
func (t *transcoder) tag(number uint32, wire uint8) { t.varint(uint64(number)<<3 | uint64(wire)) }

func (t *transcoder) varint(v uint64) {
	for ; v >= 0x80; v >>= 7 {
		t.dst = append(t.dst, byte(v)|0x80)
	}
	t.dst = append(t.dst, byte(v))
}

func (t *transcoder) fixed64(v uint64) {
	t.room(8)
	at := len(t.dst)
	t.dst = t.dst[:at+8]
	binary.LittleEndian.PutUint64(t.dst[at:], v)
}

// open appends a tag and room for a length of width bytes. The message that follows
// is ended by shut with the position that open gives.
func (t *transcoder) open(number uint32, width int) (at int) {
	t.tag(number, wireLen)
	at = len(t.dst)
	for range width {
		t.dst = append(t.dst, 0)
	}
	return at
}

// shut writes the length of a message, and moves the message where its length takes
// more or fewer bytes than were reserved.
func (t *transcoder) shut(at, width int) {
	n := len(t.dst) - at - width
	switch {
	case width == 1 && n < 0x80:
		t.dst[at] = byte(n)
	case width == 2 && n >= 0x80 && n < 0x4000:
		t.dst[at], t.dst[at+1] = byte(n)|0x80, byte(n>>7)
	default:
		t.dst = closeMessage(t.dst, at, width)
	}
}

// put writes a varint to b and gives how many bytes it takes.
func put(b []byte, v uint64) int {
	i := 0
	for ; v >= 0x80; v >>= 7 {
		b[i] = byte(v) | 0x80
		i++
	}
	b[i] = byte(v)
	return i + 1
}
