package compress

import (
	"bytes"
	"encoding/binary"
	"io"
	"runtime"

	"treq/telemetry"
)

// Exceeds tells whether src, which may be the start of a body, already stands for
// more than limit bytes. It holds no more memory than a decoder's window, and what
// does not decode exceeds nothing.
func Exceeds(enc Encoding, src []byte, limit int64) bool {
	n, _ := count(enc, src, limit)
	return n > limit
}

// Size gives how many bytes src stands for, by decoding it to nowhere: it holds no
// more memory than a decoder's window. Errors are those of Decode.
func Size(enc Encoding, src []byte, limit int64) (int64, error) {
	n, err := count(enc, src, limit)
	if n > limit {
		return 0, tooLarge(limit)
	}
	if err != nil {
		return 0, invalid(enc, err)
	}
	return n, nil
}

// count decodes src until its end, an error or more than limit bytes.
func count(enc Encoding, src []byte, limit int64) (int64, error) {
	switch enc {
	case Identity:
		return int64(len(src)), nil
	case Gzip:
		r := gzipReaders.Get().(*gzipReader)
		defer func() {
			r.src.Reset(nil)
			gzipReaders.Put(r)
		}()
		r.src.Reset(src)
		if err := r.z.Reset(&r.src); err != nil {
			return 0, err
		}
		return length(&r.z, limit)
	case Deflate:
		open := openFlate
		if len(src) >= 2 && src[0]&0x0f == 8 && binary.BigEndian.Uint16(src)%31 == 0 {
			open = openZlib
		}
		z, err := open(bytes.NewReader(src))
		if err != nil {
			return 0, err
		}
		return length(z, limit)
	case Zstd:
		h, err := zstdHead(src)
		if err != nil {
			return 0, err
		}
		if h.HasFCS && h.FrameContentSize > uint64(limit) {
			return limit + 1, nil
		}
		zstdSlots <- struct{}{}
		r := zstdReaders.Get().(*zstdReader)
		defer func() {
			r.src.Reset(nil)
			zstdReaders.Put(r)
			<-zstdSlots
		}()
		r.src.Reset(src)
		if err := r.z.Reset(&r.src); err != nil {
			return 0, zstdFault(err)
		}
		n, err := length(r.z, limit)
		return n, zstdFault(err)
	}
	return 0, telemetry.Errorf(telemetry.Unsupported, "content encoding %d is not supported", enc)
}

func length(r io.Reader, limit int64) (n int64, err error) {
	window := NewBuffer(64 << 10)
	defer window.Release()
	b := window.B[:cap(window.B)]
	for n <= limit {
		k, err := r.Read(b)
		n += int64(k)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		// This may go on for long, and others have less to do.
		runtime.Gosched()
	}
	return n, nil
}
