package ingest

import (
	"encoding/binary"
	"errors"
	"io"

	"treq/telemetry"
	"treq/telemetry/compress"
)

const (
	// firstRead is how far an announced length is trusted before any byte came,
	// unannounced how much is made ready for a body that announces none.
	firstRead   = 1 << 20
	unannounced = 64 << 10

	// usualRatio is how well a body is taken to be compressed that does not say.
	usualRatio = 8
)

var errShort = telemetry.Errorf(telemetry.Invalid, "the body ended before its announced length")

func tooLarge(limit int64) error {
	return telemetry.Errorf(telemetry.TooLarge, "the request is larger than %d bytes", limit)
}

// readBody reads a body of at most limit bytes. declared is its announced
// length, -1 if none was. The caller releases the buffer.
func readBody(r io.Reader, declared, limit int64, l *lease) (*compress.Buffer, error) {
	if declared > limit {
		return nil, tooLarge(limit)
	}
	room := min(declared, firstRead)
	if declared < 0 {
		room = unannounced
	}
	if err := l.grow(room); err != nil {
		return nil, err
	}
	b := compress.NewBuffer(int(room))
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
		case err == nil:
			b, room, err = enlarge(b, room, declared, limit, l)
		}
		if err != nil {
			b.Release()
			return nil, bodyError(err)
		}
	}
}

// enlarge makes four times the room, since what announced much has by now sent
// a part of it. One byte above the limit is enough to see that it is passed.
func enlarge(b *compress.Buffer, room, declared, limit int64, l *lease) (*compress.Buffer, int64, error) {
	if room > limit {
		return b, room, tooLarge(limit)
	}
	next := min(room*4, limit+1)
	if declared >= 0 {
		next = min(next, declared)
	}
	if err := l.grow(next - room); err != nil {
		return b, room, err
	}
	larger := compress.NewBuffer(int(next))
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

// decompress gives what src stands for, at most limit bytes of it. The lease
// pays for what the body says it holds, or usually would; one that turns out
// larger is decoded anew once the lease has paid for the limit.
func decompress(enc compress.Encoding, src []byte, limit int64, l *lease) (*compress.Buffer, error) {
	first := min(sizeHint(enc, src), limit)
	for {
		if err := l.grow(first); err != nil {
			return nil, err
		}
		b := compress.NewBuffer(int(first) + 1)
		out, err := compress.Decode(b.B, enc, src, first)
		if err == nil {
			b.B = out
			l.shrink(first - int64(len(out)))
			return b, nil
		}
		b.Release()
		l.shrink(first)
		if telemetry.KindOf(err) != telemetry.TooLarge || first == limit {
			return nil, err
		}
		first = limit
	}
}

// sizeHint guesses how many bytes src holds; a gzip member says so at its end.
func sizeHint(enc compress.Encoding, src []byte) int64 {
	n := int64(len(src))
	if enc == compress.Gzip && n >= 4 {
		if told := int64(binary.LittleEndian.Uint32(src[n-4:])); told >= n/2 && told <= n*64 {
			return told
		}
	}
	return n * usualRatio
}
