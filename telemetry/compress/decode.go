package compress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"treq/telemetry"
)

// maxRatio bounds how far a size that a body declares about itself is believed
// before anything is decoded: at most this many times the bytes that came.
const maxRatio = 64

// Decode appends the decoded src to dst and gives the extended slice. It aliases
// neither src nor, where it had to grow, dst.
//
// More than limit decoded bytes are an error of kind TooLarge, found while
// decompressing; what does not decode, is cut short, or has bytes behind its end
// is Invalid; an encoding unknown here is Unsupported. With an error the slice is
// dst as it came.
func Decode(dst []byte, enc Encoding, src []byte, limit int64) ([]byte, error) {
	var out []byte
	var err error
	switch enc {
	case Identity:
		if int64(len(src)) > limit {
			return dst, tooLarge(limit)
		}
		return append(dst, src...), nil
	case Gzip:
		out, err = decodeGzip(dst, src, limit)
	case Zstd:
		out, err = decodeZstd(dst, src, limit)
	case Deflate:
		out, err = decodeDeflate(dst, src, limit)
	default:
		err = telemetry.Errorf(telemetry.Unsupported, "content encoding %d is not supported", enc)
	}
	if err == nil {
		return out, nil
	}
	return dst, invalid(enc, err)
}

// invalid gives what a decoder says a kind, unless it has one.
func invalid(enc Encoding, err error) error {
	if _, ok := errors.AsType[*telemetry.Error](err); ok {
		return err
	}
	return &telemetry.Error{Kind: telemetry.Invalid, Message: "body is not valid " + enc.String(), Err: err}
}

func tooLarge(limit int64) *telemetry.Error {
	return telemetry.Errorf(telemetry.TooLarge, "body is larger than %d bytes when decompressed", limit)
}

// The pooled readers own the bytes.Reader they read from: the decoders take single
// bytes from it, and so leave alone what follows the stream.
type gzipReader struct {
	src bytes.Reader
	z   gzip.Reader
}

type flateReader struct {
	src bytes.Reader
	z   io.ReadCloser
}

var (
	gzipReaders  = sync.Pool{New: func() any { return new(gzipReader) }}
	flateReaders = sync.Pool{New: func() any { return new(flateReader) }}
	zlibReaders  = sync.Pool{New: func() any { return new(flateReader) }}
)

func decodeGzip(dst, src []byte, limit int64) ([]byte, error) {
	r := gzipReaders.Get().(*gzipReader)
	defer func() {
		r.src.Reset(nil)
		gzipReaders.Put(r)
	}()
	r.src.Reset(src)
	if err := r.z.Reset(&r.src); err != nil {
		return dst, err
	}
	var hint int64
	if len(src) >= 4 {
		hint = int64(binary.LittleEndian.Uint32(src[len(src)-4:]))
	}
	return readAll(dst, &r.z, limit, believable(hint, len(src)))
}

func decodeDeflate(dst, src []byte, limit int64) ([]byte, error) {
	wrapped := len(src) >= 2 && src[0]&0x0f == 8 && binary.BigEndian.Uint16(src)%31 == 0
	pool, open, reset := &flateReaders, openFlate, resetFlate
	if wrapped {
		pool, open, reset = &zlibReaders, openZlib, resetZlib
	}
	r := pool.Get().(*flateReader)
	defer func() {
		r.src.Reset(nil)
		pool.Put(r)
	}()
	r.src.Reset(src)
	var err error
	if r.z == nil {
		r.z, err = open(&r.src)
	} else {
		err = reset(r.z, &r.src)
	}
	if err != nil {
		return dst, err
	}
	out, err := readAll(dst, r.z, limit, believable(int64(len(src))*4, len(src)))
	if err == nil && r.src.Len() > 0 {
		return dst, errors.New("bytes behind the end of the stream")
	}
	return out, err
}

func openFlate(r io.Reader) (io.ReadCloser, error) { return flate.NewReader(r), nil }

func resetFlate(z io.ReadCloser, r io.Reader) error { return z.(flate.Resetter).Reset(r, nil) }

func openZlib(r io.Reader) (io.ReadCloser, error) { return zlib.NewReader(r) }

func resetZlib(z io.ReadCloser, r io.Reader) error { return z.(zlib.Resetter).Reset(r, nil) }

// believable gives how much room to make at first for a body of n bytes that
// says it holds declared.
func believable(declared int64, n int) int64 {
	return min(declared, int64(n)*maxRatio)
}

// readAll appends what r gives to dst, at most limit bytes. hint is how much to
// make room for at first.
func readAll(dst []byte, r io.Reader, limit, hint int64) ([]byte, error) {
	start := len(dst)
	// One byte more than allowed tells a body that fits from one that does not.
	most := start + int(min(limit, int64(^uint(0)>>1)-int64(start)-1)) + 1
	dst = grow(dst, start+int(min(hint, limit))+1, most)
	for {
		if len(dst) == cap(dst) {
			dst = grow(dst, max(2*cap(dst), 4096), most)
		}
		n, err := r.Read(dst[len(dst):min(cap(dst), most)])
		dst = dst[:len(dst)+n]
		if len(dst) >= most {
			return dst, tooLarge(limit)
		}
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}

func grow(dst []byte, want, most int) []byte {
	want = min(want, most)
	if want <= cap(dst) {
		return dst
	}
	grown := make([]byte, len(dst), want)
	copy(grown, dst)
	return grown
}
