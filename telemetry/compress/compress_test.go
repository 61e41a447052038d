package compress_test

import (
	"bytes"
	"compress/flate"
	stdgzip "compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"

	"treq/telemetry"
	"treq/telemetry/compress"
)

// texts are contents of every size class that matters to the decoders.
func texts() map[string][]byte {
	return map[string][]byte{
		"empty": {},
		"short": []byte("hello"),
		"spans": bytes.Repeat([]byte("span attributes, much alike; "), 3000),
		"long":  bytes.Repeat([]byte("0123456789abcdef"), 1<<17),
	}
}

// encoded gives the ways in which clients send text.
func encoded(t testing.TB, text []byte) map[string]struct {
	compress.Encoding
	body []byte
} {
	t.Helper()
	through := func(make func(io.Writer) io.WriteCloser, texts ...[]byte) []byte {
		var b bytes.Buffer
		for _, text := range texts {
			w := make(&b)
			if _, err := w.Write(text); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		return b.Bytes()
	}
	gz := func(w io.Writer) io.WriteCloser { return stdgzip.NewWriter(w) }
	zl := func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }
	raw := func(w io.Writer) io.WriteCloser {
		f, err := flate.NewWriter(w, 6)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	streamed := func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithZeroFrames(true))
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	whole, err := zstd.NewWriter(nil, zstd.WithZeroFrames(true))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = whole.Close() }()
	half := len(text) / 2
	type sent = struct {
		compress.Encoding
		body []byte
	}
	return map[string]sent{
		"identity":          {compress.Identity, text},
		"gzip":              {compress.Gzip, through(gz, text)},
		"gzip, two members": {compress.Gzip, through(gz, text[:half], text[half:])},
		"our gzip":          {compress.Gzip, compress.AppendGzip(nil, text, 1)},
		"zstd":              {compress.Zstd, whole.EncodeAll(text, nil)},
		"zstd, streamed":    {compress.Zstd, through(streamed, text)},
		"zstd, two frames":  {compress.Zstd, whole.EncodeAll(text[half:], whole.EncodeAll(text[:half], nil))},
		"zstd, mixed":       {compress.Zstd, append(through(streamed, text[:half]), whole.EncodeAll(text[half:], nil)...)},
		"zlib":              {compress.Deflate, through(zl, text)},
		"raw deflate":       {compress.Deflate, through(raw, text)},
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for size, text := range texts() {
		for name, sent := range encoded(t, text) {
			t.Run(size+"/"+name, func(t *testing.T) {
				t.Parallel()
				limit := int64(len(text))
				for round := range 3 {
					got, err := compress.Decode([]byte("before"), sent.Encoding, sent.body, limit)
					if err != nil || string(got) != "before"+string(text) {
						t.Fatalf("round %d: %d bytes, %v", round, len(got), err)
					}
				}
				if len(text) > 0 {
					got, err := compress.Decode([]byte("before"), sent.Encoding, sent.body, limit-1)
					if telemetry.KindOf(err) != telemetry.TooLarge || string(got) != "before" {
						t.Errorf("one byte over the limit: %d bytes, %v", len(got), err)
					}
				}
				if sent.Encoding == compress.Identity {
					return
				}
				for _, cut := range []int{0, 1, len(sent.body) / 2, len(sent.body) - 1} {
					// Half of two empty members or frames is a whole one.
					if got, err := compress.Decode(nil, sent.Encoding, sent.body[:cut], limit); err == nil && len(text) > 0 && bytes.Equal(got, text) {
						t.Errorf("cut to %d of %d bytes it still decodes", cut, len(sent.body))
					} else if err != nil && telemetry.KindOf(err) != telemetry.Invalid {
						t.Errorf("cut to %d bytes: %v", cut, err)
					}
				}
				behind := append(bytes.Clone(sent.body), "behind"...)
				if _, err := compress.Decode(nil, sent.Encoding, behind, limit); telemetry.KindOf(err) != telemetry.Invalid {
					t.Errorf("with bytes behind its end: %v", err)
				}
			})
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]compress.Encoding{
		"": compress.Identity, "identity": compress.Identity, "gzip": compress.Gzip, " GZip ": compress.Gzip,
		"x-gzip": compress.Gzip, "zstd": compress.Zstd, "deflate": compress.Deflate,
	} {
		if got, err := compress.Parse(name); got != want || err != nil {
			t.Errorf("%q: %v, %v", name, got, err)
		}
	}
	for _, name := range []string{"br", "gzip, zstd", "snappy", strings.Repeat("x", 1<<20)} {
		if _, err := compress.Parse(name); telemetry.KindOf(err) != telemetry.Unsupported || len(err.Error()) > 200 {
			t.Errorf("%.20q: %v", name, err)
		}
	}
	for _, e := range []compress.Encoding{compress.Identity, compress.Gzip, compress.Zstd, compress.Deflate} {
		if got, err := compress.Parse(e.String()); got != e || err != nil {
			t.Errorf("%v: %v, %v", e, got, err)
		}
	}
	if _, err := compress.Decode(nil, 7, nil, 1); telemetry.KindOf(err) != telemetry.Unsupported {
		t.Errorf("unknown number: %v", err)
	}
}

// bombs are small bodies that stand for n bytes of zeros each.
func bombs(t testing.TB, n int64) map[string]struct {
	compress.Encoding
	body []byte
} {
	t.Helper()
	var gz, zl, zs bytes.Buffer
	g, z := stdgzip.NewWriter(&gz), zlib.NewWriter(&zl)
	s, err := zstd.NewWriter(&zs, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(8<<20))
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range n >> 20 {
		for _, w := range []io.Writer{g, z, s} {
			if _, err := w.Write(zeros); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []io.Closer{g, z, s} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	type sent = struct {
		compress.Encoding
		body []byte
	}
	return map[string]sent{
		"gzip": {compress.Gzip, gz.Bytes()}, "zlib": {compress.Deflate, zl.Bytes()}, "zstd": {compress.Zstd, zs.Bytes()},
	}
}

// A bomb allocates no more than its limit by doubling, and, for zstd, a window,
// and many at once are refused one like the other.
func TestBombs(t *testing.T) {
	const limit, window = 1 << 20, 32 << 20
	for name, bomb := range bombs(t, 64<<20) {
		refused := func() {
			if got, err := compress.Decode(nil, bomb.Encoding, bomb.body, limit); telemetry.KindOf(err) != telemetry.TooLarge || got != nil {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		refused()
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 3*limit+window {
			t.Errorf("%s: a bomb of %d bytes allocated %d MiB", name, len(bomb.body), got>>20)
		}
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(refused)
		}
		wg.Wait()
	}
}

// A header that lies about sizes costs nothing.
func TestLyingHeaders(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body []byte
		want telemetry.Kind
	}{
		"says 4 EiB":           {[]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x40, 1, 0, 0}, telemetry.TooLarge},
		"says 32 MiB, holds 0": {[]byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 2, 1, 0, 0}, telemetry.TooLarge},
		"window of 128 MiB":    {[]byte{0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3, 1, 0, 0}, telemetry.TooLarge},
		"window of 2 TiB":      {[]byte{0x28, 0xb5, 0x2f, 0xfd, 0, 31 << 3, 1, 0, 0}, telemetry.TooLarge},
		"wants a dictionary":   {[]byte{0x28, 0xb5, 0x2f, 0xfd, 1, 0x58, 7, 1, 0, 0}, telemetry.Invalid},
	} {
		if _, err := compress.Decode(nil, compress.Zstd, c.body, 64<<20); err == nil || telemetry.KindOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAppendGzip(t *testing.T) {
	t.Parallel()
	text := texts()["spans"]
	for _, level := range []int{-5, 0, 1, 6, 9, 20} {
		out := compress.AppendGzip([]byte("before"), text, level)
		if !bytes.HasPrefix(out, []byte("before")) {
			t.Fatalf("level %d lost what was there", level)
		}
		r, err := stdgzip.NewReader(bytes.NewReader(out[6:]))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, text) {
			t.Errorf("level %d: %d bytes, %v", level, len(got), err)
		}
	}
}

func TestBuffer(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 4096, 4097, 1 << 20, 8<<20 + 1} {
		b := compress.NewBuffer(size)
		if len(b.B) != 0 || cap(b.B) < size {
			t.Errorf("size %d: len %d, cap %d", size, len(b.B), cap(b.B))
		}
		b.B = append(b.B, make([]byte, size)...)
		b.Retain()
		b.Release()
		if b.B == nil {
			t.Errorf("size %d: given back while somebody has it", size)
		}
		b.Release()
	}
	b := compress.NewBuffer(8<<20 + 1)
	b.Release()
	defer func() {
		if recover() == nil {
			t.Error("one Release too many does not panic")
		}
	}()
	b.Release()
}

// FuzzDecode: whatever comes, no panic, no more than the limit, dst kept, an error
// of a fitting kind; and what decodes, decodes to the same within its own size.
func FuzzDecode(f *testing.F) {
	for _, sent := range encoded(f, texts()["short"]) {
		f.Add(byte(sent.Encoding), sent.body, uint16(100))
	}
	f.Add(byte(compress.Zstd), []byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x40, 1, 0, 0}, uint16(9))
	f.Fuzz(func(t *testing.T, enc byte, body []byte, limit uint16) {
		e := compress.Encoding(enc % 4)
		got, err := compress.Decode([]byte("dst"), e, body, int64(limit))
		if !bytes.HasPrefix(got, []byte("dst")) || len(got) > int(limit)+3 {
			t.Fatalf("%d bytes, limit %d", len(got), limit)
		}
		if err != nil {
			if kind := telemetry.KindOf(err); kind != telemetry.Invalid && kind != telemetry.TooLarge {
				t.Fatalf("%v: %v", e, err)
			}
			return
		}
		again, err := compress.Decode(nil, e, body, int64(len(got)-3))
		if err != nil || !bytes.Equal(again, got[3:]) {
			t.Fatalf("within its own size: %v", err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	text := bytes.Repeat([]byte("span attributes, much alike; "), 75<<10/29)
	for name, sent := range encoded(b, text) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			dst := make([]byte, 0, 2*len(text))
			for b.Loop() {
				if _, err := compress.Decode(dst, sent.Encoding, sent.body, 64<<20); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendGzip(b *testing.B) {
	text := make([]byte, 0, 80<<10)
	for i := 0; len(text) < 75<<10; i++ {
		text = fmt.Appendf(text, `{"key":"attribute.%d","value":%d},`, i%97, i*7919)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	dst := make([]byte, 0, 2*len(text))
	for b.Loop() {
		compress.AppendGzip(dst, text, 1)
	}
}
