package ingest

import (
	"encoding/binary"
	"errors"
	"io"

	"treq/telemetry"
	"treq/telemetry/compress"
)

const (
	// firstRead is how far an announced length is trusted before any byte came;
	// cautiousRead the same while room is scarce, so that thousands of senders that drip leave
	// room for those that don't, and what is made ready for a body that announces no length.
	firstRead    = 1 << 20
	cautiousRead = 64 << 10

	// usualRatio is how well a body is taken to be compressed that does not say.
	usualRatio = 8
	// suspicious is how much of a compressed body may come before it is looked at
	// whether it stands for too much already: a bomb is known by its first part.
	suspicious = 256 << 10

	// roomy is from where on a body that may become very large has all the room it may
	// need.
	roomy = 4 << 20

	// largeRoom is from where on bodies are decoded by few at a time, unproven from
	// where on one is decoded to nowhere first, so that no bomb gets a buffer.
	largeRoom = 1 << 20
	unproven  = 16 << 20

	// decodedAtOnce is what large bodies that are being decoded, read as JSON or
	// checked hold together.
	decodedAtOnce = 32 << 20

	// believedRatio is the most that a body is believed to stand for on its word.
	believedRatio = 64
)

var errShort = telemetry.Errorf(telemetry.Invalid, "the body ended before its announced length")

func tooLarge(limit int64) error {
	return telemetry.Errorf(telemetry.TooLarge, "the request is larger than %d bytes", limit)
}

// readBody reads a body of at most limit bytes, decoded or not. declared is its
// announced length, -1 if none was. The caller releases the buffer.
func readBody(r io.Reader, enc compress.Encoding, declared, limit int64, l *lease) (*compress.Buffer, error) {
	if declared > limit {
		return nil, tooLarge(limit)
	}
	room := min(declared, firstRead)
	switch {
	case declared < 0 || l.b.scarce():
		room = cautious(declared)
	case enc != compress.Identity && l.b.busy():
		room = min(declared, suspicious)
	}
	if err := l.grow(room); err != nil {
		return nil, err
	}
	b := bodyBuffer(room, declared)
	for {
		n, err := io.ReadFull(r, b.B[len(b.B):room])
		b.B = b.B[:len(b.B)+n]
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			if int64(len(b.B)) >= declared {
				return b, nil
			}
			err = errShort
		case err == nil && int64(len(b.B)) == declared:
			return b, nil
		case err == nil && enc != compress.Identity && len(b.B) >= suspicious && l.exceeds(enc, b.B, limit):
			err = tooLarge(limit)
		case err == nil:
			b, room, err = enlarge(b, room, declared, limit, l)
		}
		if err != nil {
			b.Release()
			return nil, bodyError(err)
		}
	}
}

// bodyBuffer gives a buffer for a body's beginning: one that has room for the rest too
// where such a one lies about unused, which saves what came first from being copied.
func bodyBuffer(room, declared int64) *compress.Buffer {
	if declared > room {
		if b := compress.FreeBuffer(int(declared)); b != nil {
			return b
		}
	}
	return compress.NewBuffer(int(room))
}

func cautious(declared int64) int64 {
	if declared < 0 {
		return cautiousRead
	}
	return min(declared, cautiousRead)
}

// enlarge makes four times the room, since what announced much has by now sent
// a part of it. One byte above the limit is enough to see that it is passed. A body
// that may become very large moves but once: room that nothing was written to costs
// no memory.
func enlarge(b *compress.Buffer, room, declared, limit int64, l *lease) (*compress.Buffer, int64, error) {
	if room > limit {
		return b, room, tooLarge(limit)
	}
	most := limit + 1
	if declared >= 0 {
		most = min(most, declared)
	}
	next := min(room*4, most)
	size := next
	if veryLarge(most) && next > roomy {
		size = most
	}
	if int64(cap(b.B)) < size && veryLarge(size) {
		l.b.behind.wait(size)
	}
	if err := l.grow(next - room); err != nil {
		return b, room, err
	}
	if int64(cap(b.B)) >= next {
		return b, next, nil
	}
	larger := compress.NewBuffer(int(size))
	larger.B = append(larger.B, b.B...)
	b.Release()
	return larger, next, nil
}

// bodyError gives a broken connection a kind: what did not arrive was not
// kept, whatever broke it.
func bodyError(err error) error {
	if _, ok := errors.AsType[*telemetry.Error](err); ok {
		return err
	}
	return &telemetry.Error{Kind: telemetry.Unavailable, Message: "the body could not be read", Err: err}
}

// decompress gives what src stands for, at most limit bytes of it. The lease pays
// for what the body says it holds, or usually would. Of one that turns out larger,
// or says that it is huge, the bytes are counted before they get a buffer, so that
// none is larger than what is in it and a bomb gets none. A large body takes its
// turn, which ends with the lease's rest.
func decompress(enc compress.Encoding, src []byte, limit int64, l *lease) (*compress.Buffer, error) {
	room := min(sizeHint(enc, src), limit)
	if room <= unproven {
		b, err := decompressInto(room, enc, src, l)
		if telemetry.KindOf(err) != telemetry.TooLarge || room == limit {
			return b, err
		}
	}
	size, err := l.size(enc, src, limit)
	if err != nil {
		return nil, err
	}
	return decompressInto(size, enc, src, l)
}

// decompressInto gives what src stands for, at most room bytes of it.
func decompressInto(room int64, enc compress.Encoding, src []byte, l *lease) (*compress.Buffer, error) {
	// Before anything is held: those that wait would take the room of others.
	l.turn(room)
	if err := l.grow(room); err != nil {
		l.rest()
		return nil, err
	}
	b := compress.NewBuffer(int(room) + 1)
	out, err := compress.Decode(b.B, enc, src, room)
	if err != nil {
		b.Release()
		l.rest()
		l.shrink(room)
		return nil, err
	}
	b.B = out
	l.shrink(room - int64(len(out)))
	return b, nil
}

// sizeHint guesses how many bytes src holds. A gzip member says so at its end,
// a zstd frame often at its start; what they say is believed within reason.
func sizeHint(enc compress.Encoding, src []byte) int64 {
	n := int64(len(src))
	told := int64(0)
	switch {
	case enc == compress.Gzip && n >= 4:
		told = int64(binary.LittleEndian.Uint32(src[n-4:]))
	case enc == compress.Zstd && n >= 18: // a frame header is no longer
		told = zstdSize(src)
	}
	if told > 0 && told >= n/2 && told <= n*believedRatio {
		return told
	}
	return max(n, 512) * usualRatio
}

// zstdSize reads the content size of RFC 8878's frame header, 0 if it is not told.
func zstdSize(src []byte) int64 {
	descriptor := src[4]
	single := descriptor >> 5 & 1
	at := 6 - single + [...]byte{0, 1, 2, 4}[descriptor&3]
	switch descriptor >> 6 {
	case 0:
		if single == 1 {
			return int64(src[at])
		}
		return 0
	case 1:
		return int64(binary.LittleEndian.Uint16(src[at:])) + 256
	case 2:
		return int64(binary.LittleEndian.Uint32(src[at:]))
	}
	return int64(min(binary.LittleEndian.Uint64(src[at:]), 1<<62))
}
