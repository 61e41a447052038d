package compress

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"

	"treq/telemetry"
)

const (
	// maxWindow is the largest window RFC 9659 lets a sender use over HTTP. A
	// streaming decoder allocates about twice the window that a frame declares.
	maxWindow = 8 << 20
	// maxInPlaceWindow bounds frames that declare their size: those decode straight
	// into their destination and need no window.
	maxInPlaceWindow = 1 << 30
)

type zstdReader struct {
	src bytes.Reader
	z   *zstd.Decoder
}

var (
	// zstdSlots holds as many streaming decoders at work as there are processors:
	// more would not be faster and each may hold a window.
	zstdSlots   = make(chan struct{}, runtime.GOMAXPROCS(0))
	zstdReaders = sync.Pool{New: func() any { return &zstdReader{z: newZstd(maxWindow, false)} }}
	zstdInPlace = sync.Pool{New: func() any { return newZstd(maxInPlaceWindow, true) }}
)

func newZstd(window uint64, capLimit bool) *zstd.Decoder {
	z, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(window),
		zstd.WithDecodeAllCapLimit(capLimit),
		zstd.WithDecodeBuffersBelow(0))
	if err != nil {
		panic("compress: constant zstd options refused: " + err.Error())
	}
	return z
}

func decodeZstd(dst, src []byte, limit int64) ([]byte, error) {
	h, err := zstdHead(src)
	if err != nil {
		return dst, err
	}
	if h.HasFCS && h.FrameContentSize > uint64(limit) {
		return dst, tooLarge(limit)
	}
	size := int64(h.FrameContentSize)
	believed := h.HasFCS && size == believable(size, len(src))
	if believed {
		out, err := decodeZstdInPlace(dst, src, int(size))
		if !errors.Is(err, zstd.ErrDecoderSizeExceeded) {
			return out, err
		}
		// More frames follow than the first one's size told.
	}
	return decodeZstdStream(dst, src, limit)
}

// zstdHead reads the header of the first frame.
func zstdHead(src []byte) (h zstd.Header, err error) {
	if err = h.Decode(src); errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, zstd.ErrMagicMismatch) {
		err = errors.New("no zstd frame")
	}
	return h, err
}

func decodeZstdInPlace(dst, src []byte, size int) ([]byte, error) {
	start := len(dst)
	dst = grow(dst, start+size, start+size)
	z := zstdInPlace.Get().(*zstd.Decoder)
	defer zstdInPlace.Put(z)
	return z.DecodeAll(src, dst[:start:start+size])
}

func decodeZstdStream(dst, src []byte, limit int64) ([]byte, error) {
	zstdSlots <- struct{}{}
	r := zstdReaders.Get().(*zstdReader)
	defer func() {
		r.src.Reset(nil)
		zstdReaders.Put(r)
		<-zstdSlots
	}()
	r.src.Reset(src)
	if err := r.z.Reset(&r.src); err != nil {
		return dst, err
	}
	out, err := readAll(dst, r.z, limit, int64(len(src)))
	return out, zstdFault(err)
}

// zstdFault gives a refusal of the decoder for want of a larger window a kind.
func zstdFault(err error) error {
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return &telemetry.Error{
			Kind:    telemetry.TooLarge,
			Message: "zstd window is larger than 8 MiB (RFC 9659)",
			Err:     err,
		}
	}
	return err
}
