package compress_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"testing"

	"github.com/klauspost/compress/zstd"

	"treq/telemetry"
	"treq/telemetry/compress"
)

// What a body stands for is known from its start, whole or not.
func TestExceeds(t *testing.T) {
	const size = 1 << 20
	for enc, open := range map[compress.Encoding]func(io.Writer) io.WriteCloser{
		compress.Gzip:    func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		compress.Deflate: func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
		compress.Zstd: func(w io.Writer) io.WriteCloser {
			z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
			if err != nil {
				t.Fatal(err)
			}
			return z
		},
	} {
		var body bytes.Buffer
		w := open(&body)
		for range size / 1024 {
			if _, err := w.Write(make([]byte, 1024)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		whole := body.Bytes()
		for _, c := range []struct {
			src   []byte
			limit int64
			want  bool
		}{
			{whole, size, false},
			{whole, size - 1, true},
			{whole[:len(whole)-5], size / 2, true},
			{whole[:4], size, false},
			{nil, 0, false},
			{[]byte("neither this nor that"), 0, false},
		} {
			if got := compress.Exceeds(enc, c.src, c.limit); got != c.want {
				t.Errorf("%v: %d bytes exceed %d: %v", enc, len(c.src), c.limit, got)
			}
			// Size says what Decode would.
			out, want := compress.Decode(nil, enc, c.src, c.limit)
			n, err := compress.Size(enc, c.src, c.limit)
			if n != int64(len(out)) || telemetry.KindOf(err) != telemetry.KindOf(want) || (err == nil) != (want == nil) {
				t.Errorf("%v: size of %d bytes is %d, %v; decoded %d, %v", enc, len(c.src), n, err, len(out), want)
			}
		}
	}
	if compress.Exceeds(compress.Identity, make([]byte, 5), 5) || !compress.Exceeds(compress.Identity, make([]byte, 6), 5) {
		t.Error("plain bytes")
	}
}
