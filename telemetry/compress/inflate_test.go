package compress

import (
	"bytes"
	stdflate "compress/flate"
	stdgzip "compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
)

// texts are bodies of every nature: what repeats near and far, what does not, little and much.
func texts() map[string][]byte {
	r := rand.New(rand.NewPCG(5, 6))
	noise := make([]byte, 70_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	words := strings.Fields("gen_ai.operation.name chat http.route /chat server.address o que faz a válvula de alívio quando a pressão passa")
	var prose bytes.Buffer
	for prose.Len() < 150_000 {
		fmt.Fprint(&prose, words[r.IntN(len(words))], " ", strconv36(r))
	}
	mixed := slices.Concat(prose.Bytes()[:70_000], noise[:50_000], bytes.Repeat([]byte{0}, 100_000), prose.Bytes()[:70_000])
	skewed := make([]byte, 100_000) // the rarest bytes have the longest codes
	for i := range skewed {
		skewed[i] = byte(min(r.ExpFloat64()*6, 255))
	}
	all := map[string][]byte{
		"prose": prose.Bytes(), "noise": noise, "zeros": make([]byte, 100_000), "mixed": mixed, "skewed": skewed,
		"one byte": {7}, "far": slices.Concat(noise[:32768], noise[:32768]), "next to": bytes.Repeat([]byte("ab"), 500),
	}
	for period := range 12 {
		all[fmt.Sprint("period ", period+1)] = bytes.Repeat(noise[:period+1], 5000/(period+1))
	}
	for _, n := range []int{2, 3, 17, 257, 258, 259, 265, 280, 281, 300} {
		all[fmt.Sprint("short ", n)] = prose.Bytes()[:n]
		all[fmt.Sprint("same ", n)] = bytes.Repeat([]byte{'x'}, n)
	}
	return all
}

func strconv36(r *rand.Rand) string { return fmt.Sprintf("%x", r.Uint32()>>(8*r.IntN(4))) }

// members are a text as several compressors write it.
func members(t testing.TB, text []byte) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	write := func(name string, open func(io.Writer) (io.WriteCloser, error)) {
		var out bytes.Buffer
		w, err := open(&out)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		all[name] = out.Bytes()
	}
	for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, 1, 6, 9} {
		write(fmt.Sprint("klauspost ", level), func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, level) })
		write(fmt.Sprint("standard ", level), func(w io.Writer) (io.WriteCloser, error) { return stdgzip.NewWriterLevel(w, level) })
	}
	return all
}

// TestInflatesWhatCompressorsWrite decodes every text of every compressor at once, and
// leaves alone what is before it.
func TestInflatesWhatCompressorsWrite(t *testing.T) {
	for name, text := range texts() {
		for how, member := range members(t, text) {
			if int64(len(text)) > believable(int64(len(text)), len(member)) {
				continue // for its slow twin
			}
			dst := []byte("before")
			got, ok := inflateMember(dst, member, int64(len(text)))
			if !ok || !bytes.Equal(got, append(dst, text...)) {
				t.Errorf("%s, %s: not decoded as it is", name, how)
			}
			if _, ok := inflateMember(dst, member, int64(len(text))-1); ok {
				t.Errorf("%s, %s: decoded beyond the limit", name, how)
			}
		}
	}
}

// TestInflatesOnlyWhatIsWhole changes, cuts and prolongs members: what is decoded at
// once is what was there, or the slow twin decides and refuses it.
func TestInflatesOnlyWhatIsWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	text := texts()["prose"][:3000]
	for how, member := range members(t, text) {
		for cut := range len(member) {
			if _, ok := inflateMember(nil, member[:cut], 1<<20); ok {
				t.Fatalf("%s: decoded %d bytes of %d", how, cut, len(member))
			}
		}
		for range 500 {
			mutant := bytes.Clone(member)
			for range 1 + r.IntN(3) {
				mutant[r.IntN(len(mutant))] ^= 1 << r.IntN(8)
			}
			if got, ok := inflateMember(nil, mutant, 1<<20); ok && !bytes.Equal(got, text) {
				t.Fatalf("%s: %x became something else", how, mutant)
			}
		}
		two := slices.Concat(member, member)
		got, err := Decode(nil, Gzip, two, 1<<20)
		if err != nil || !bytes.Equal(got, slices.Concat(text, text)) {
			t.Errorf("%s: two members are not their texts together: %v", how, err)
		}
		if _, err := Decode(nil, Gzip, append(bytes.Clone(member), 0), 1<<20); err == nil {
			t.Errorf("%s: a byte behind the end is taken", how)
		}
	}
}

// agree holds a deflate stream to its slow twin: what is decoded at once is what the
// library makes of it, and what it makes of a stream is decoded at once.
func agree(t *testing.T, stream []byte) {
	t.Helper()
	source := bytes.NewReader(stream)
	want, err := io.ReadAll(io.LimitReader(stdflate.NewReader(source), 1<<20))
	left := source.Len()
	f := new(inflater)
	for _, size := range []int{len(want), len(want) + 1, 300, max(len(want)-1, 0)} {
		f.in, f.out, f.at, f.bits, f.count = stream, make([]byte, size), 0, 0, 0
		ok := f.stream()
		good := err == nil && left == 0 && size == len(want)
		if ok != good && len(want) < 1<<20 {
			t.Fatalf("%x as %d bytes: decoded: %v; the library gives %d bytes, %v, and leaves %d", stream, size, ok, len(want), err, left)
		}
		if ok && !bytes.Equal(f.out, want) {
			t.Fatalf("%x became something else", stream)
		}
	}
}

func FuzzInflate(f *testing.F) {
	for name, text := range texts() {
		for how, member := range members(f, text[:min(len(text), 2000)]) {
			if !strings.HasPrefix(how, "standard") || strings.HasPrefix(name, "period") {
				f.Add(member[gzipHead : len(member)-gzipTail])
			}
		}
	}
	f.Add([]byte{0x03, 0x00})                         // nothing, in the fixed code
	f.Add([]byte{0x01, 0x00, 0x00, 0xff, 0xff})       // nothing, stored
	f.Add([]byte{0x4b, 0x04, 0xe2, 0x4f, 0x00, 0x00}) // a match before the beginning
	f.Fuzz(agree)
}

// TestInflateAgreesWithTheLibrary flips bits where codes are told.
func TestInflateAgreesWithTheLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, name := range []string{"prose", "skewed", "period 3", "short 259"} {
		text := texts()[name]
		for _, member := range members(t, text[:min(len(text), 4000)]) {
			stream := member[gzipHead : len(member)-gzipTail]
			agree(t, stream)
			for range 150 {
				mutant := bytes.Clone(stream)
				mutant[r.IntN(min(len(mutant), 80))] ^= 1 << r.IntN(8)
				agree(t, mutant)
			}
		}
	}
}

// TestChecksumIsLookedAt makes a member that decodes, of another text than its
// checksum is of.
func TestChecksumIsLookedAt(t *testing.T) {
	text := texts()["prose"][:500]
	member := AppendGzip(nil, text, 1)
	binary.LittleEndian.PutUint32(member[len(member)-gzipTail:], crc32.ChecksumIEEE(text)+1)
	if _, ok := inflateMember(nil, member, 1<<20); ok {
		t.Error("decoded")
	}
	if _, err := Decode(nil, Gzip, member, 1<<20); err == nil {
		t.Error("taken")
	}
}

func BenchmarkGzip(b *testing.B) {
	text := texts()["prose"]
	member := AppendGzip(nil, text, 1)
	dst := make([]byte, 0, len(text)+1)
	b.Run("at once", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := inflateMember(dst, member, 1<<20); !ok {
				b.Fatal("not decoded")
			}
		}
	})
	b.Run("as a stream", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decodeGzipStream(dst, member, 1<<20); err != nil {
				b.Fatal(err)
			}
		}
	})
}
