package compress

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Exceeds tells whether src, which may be the start of a body, already stands for
// more than limit bytes. It holds no more memory than a decoder's window, and what
// does not decode exceeds nothing.
func Exceeds(enc Encoding, src []byte, limit int64) bool {
	switch enc {
	case Gzip:
		r := gzipReaders.Get().(*gzipReader)
		defer func() {
			r.src.Reset(nil)
			gzipReaders.Put(r)
		}()
		r.src.Reset(src)
		return r.z.Reset(&r.src) == nil && longer(&r.z, limit)
	case Deflate:
		open := openFlate
		if len(src) >= 2 && src[0]&0x0f == 8 && binary.BigEndian.Uint16(src)%31 == 0 {
			open = openZlib
		}
		z, err := open(bytes.NewReader(src))
		return err == nil && longer(z, limit)
	case Zstd:
		var h zstd.Header
		if h.Decode(src) == nil && h.HasFCS && h.FrameContentSize > uint64(limit) {
			return true
		}
		zstdSlots <- struct{}{}
		r := zstdReaders.Get().(*zstdReader)
		defer func() {
			r.src.Reset(nil)
			zstdReaders.Put(r)
			<-zstdSlots
		}()
		r.src.Reset(src)
		return r.z.Reset(&r.src) == nil && longer(r.z, limit)
	}
	return int64(len(src)) > limit
}

func longer(r io.Reader, limit int64) bool {
	window := NewBuffer(64 << 10)
	defer window.Release()
	b := window.B[:cap(window.B)]
	for n := int64(0); n <= limit; {
		k, err := r.Read(b)
		n += int64(k)
		if err != nil {
			return n > limit
		}
	}
	return true
}
