package journal

import (
	"encoding/binary"
	"hash/crc32"
	"math"

	"treq/telemetry"
)

// A record on disk is a frame: a fixed header, the names, the body. All numbers
// are little endian.
//
//	 0  4  marker
//	 4  4  CRC32C of bytes 8 to the end of the names
//	 8  4  length of the frame
//	12  4  CRC32C of the body
//	16  8  position: a frame that was copied elsewhere is not valid there
//	24  8  the segment's salt: a body that contains a frame cannot pass for one
//	32  8  number of records before it in the journal
//	40  8  number of items before it in the journal
//	48  8  admitted, Unix nanoseconds
//	56 16  hash
//	72  8  check
//	80  4  items
//	84  4  length of the decompressed body, 0 if not told
//	88  2  length of the project
//	90  2  length of the tenant
//	92  1  length of the door
//	93  1  kind
//	94  1  encoding
//	95  1  zero
const (
	frameHeader = 96
	maxDoor     = 32
	maxName     = 1024
	maxHead     = frameHeader + maxDoor + 2*maxName
	// maxBody keeps lengths within 32 bits on every platform.
	maxBody = 512 << 20
)

// marker is no valid UTF-8, so that text never holds it.
var marker = [4]byte{0xf7, 'T', 'j', 0xfe}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// head is a frame without its body.
type head struct {
	length      uint32 // of the frame
	bodyCRC     uint32
	position    Position
	salt        uint64
	seq         uint64
	itemsBefore uint64
	admitted    int64
	hash        [16]byte
	check       uint64
	items       uint32
	decodedLen  uint32
	kind        Kind
	encoding    Encoding

	// The names alias the parsed bytes, or the entry they come from.
	door, project, tenant []byte
}

// size is the length of header and names.
func (h *head) size() int { return frameHeader + len(h.door) + len(h.project) + len(h.tenant) }

// bodyLen is the length of the body.
func (h *head) bodyLen() int { return int(h.length) - h.size() }

// append encodes the header and the names behind dst.
func (h *head) append(dst []byte) []byte {
	start := len(dst)
	le := binary.LittleEndian
	dst = append(dst, marker[:]...)
	dst = append(dst, 0, 0, 0, 0)
	dst = le.AppendUint32(dst, h.length)
	dst = le.AppendUint32(dst, h.bodyCRC)
	dst = le.AppendUint64(dst, uint64(h.position))
	dst = le.AppendUint64(dst, h.salt)
	dst = le.AppendUint64(dst, h.seq)
	dst = le.AppendUint64(dst, h.itemsBefore)
	dst = le.AppendUint64(dst, uint64(h.admitted))
	dst = append(dst, h.hash[:]...)
	dst = le.AppendUint64(dst, h.check)
	dst = le.AppendUint32(dst, h.items)
	dst = le.AppendUint32(dst, h.decodedLen)
	dst = le.AppendUint16(dst, uint16(len(h.project)))
	dst = le.AppendUint16(dst, uint16(len(h.tenant)))
	dst = append(dst, byte(len(h.door)), byte(h.kind), byte(h.encoding), 0)
	dst = append(dst, h.door...)
	dst = append(dst, h.project...)
	dst = append(dst, h.tenant...)
	le.PutUint32(dst[start+4:], crc32.Checksum(dst[start+8:], castagnoli))
	return dst
}

// parseHead reads the header and names at the start of b, which stand at position
// at. A salt of 0 accepts any. It reports false for anything that is not exactly
// what append wrote there.
func parseHead(b []byte, at Position, salt uint64) (head, bool) {
	if len(b) < frameHeader || [4]byte(b) != marker {
		return head{}, false
	}
	le := binary.LittleEndian
	h := head{
		length:      le.Uint32(b[8:]),
		bodyCRC:     le.Uint32(b[12:]),
		position:    Position(le.Uint64(b[16:])),
		salt:        le.Uint64(b[24:]),
		seq:         le.Uint64(b[32:]),
		itemsBefore: le.Uint64(b[40:]),
		admitted:    int64(le.Uint64(b[48:])),
		hash:        [16]byte(b[56:]),
		check:       le.Uint64(b[72:]),
		items:       le.Uint32(b[80:]),
		decodedLen:  le.Uint32(b[84:]),
		kind:        Kind(b[93]),
		encoding:    Encoding(b[94]),
	}
	project, tenant, door := int(le.Uint16(b[88:])), int(le.Uint16(b[90:])), int(b[92])
	if h.position != at || (salt != 0 && h.salt != salt) ||
		project > maxName || tenant > maxName || door > maxDoor || b[95] != 0 {
		return head{}, false
	}
	size := frameHeader + door + project + tenant
	if size > len(b) || int64(h.length) < int64(size) || int64(h.length) > int64(size)+maxBody ||
		crc32.Checksum(b[8:size], castagnoli) != le.Uint32(b[4:]) {
		return head{}, false
	}
	names := b[frameHeader:size:size]
	h.door, h.project, h.tenant = names[:door:door], names[door:door+project:door+project], names[door+project:]
	return h, true
}

// validate tells whether an entry can be stored.
func (e *Entry) validate() error {
	switch {
	case e.Kind == 0:
		return telemetry.Errorf(telemetry.Invalid, "entry has no kind")
	case len(e.Door) > maxDoor:
		return telemetry.Errorf(telemetry.Invalid, "door name is longer than %d bytes", maxDoor)
	case len(e.Project) > maxName:
		return telemetry.Errorf(telemetry.Invalid, "project is longer than %d bytes", maxName)
	case len(e.Tenant) > maxName:
		return telemetry.Errorf(telemetry.Invalid, "tenant is longer than %d bytes", maxName)
	case len(e.Body) > maxBody:
		return telemetry.Errorf(telemetry.TooLarge, "body is larger than %d bytes", maxBody)
	case int64(len(e.Decoded)) > math.MaxUint32:
		return telemetry.Errorf(telemetry.TooLarge, "decompressed body is larger than 4 GiB")
	}
	_, err := e.Encoding.coding()
	return err
}
