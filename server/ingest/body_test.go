package ingest

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/iotest"

	"treq/telemetry"
	"treq/telemetry/compress"
)

func newLease(bytes int64) *lease {
	b := &budget{}
	b.resize(bytes)
	return &lease{b: b}
}

func TestReadBody(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB
	const limit = 4 << 20
	tests := []struct {
		name     string
		r        io.Reader
		declared int64
		budget   int64
		want     int // length, -1: an error
		kind     telemetry.Kind
	}{
		{"nothing announced", bytes.NewReader(nil), 0, limit, 0, 0},
		{"nothing", bytes.NewReader(nil), -1, limit, 0, 0},
		{"little", bytes.NewReader(content[:100]), 100, limit, 100, 0},
		{"little, length not announced", bytes.NewReader(content[:100]), -1, limit, 100, 0},
		{"byte by byte", iotest.OneByteReader(bytes.NewReader(content[:5000])), -1, limit, 5000, 0},
		{"as much as may be", bytes.NewReader(content), limit, limit, limit, 0},
		{"as much as may be, length not announced", bytes.NewReader(content), -1, limit + 1, limit, 0},
		{"just what is made ready", bytes.NewReader(content[:cautiousRead]), -1, limit, cautiousRead, 0},
		{"more than is trusted", bytes.NewReader(content[:firstRead+1]), firstRead + 1, limit, firstRead + 1, 0},
		{"one too many", io.MultiReader(bytes.NewReader(content), bytes.NewReader(content[:1])), -1, limit + 1, -1, telemetry.TooLarge},
		{"announced too many", bytes.NewReader(content), limit + 1, limit, -1, telemetry.TooLarge},
		{"less than announced", bytes.NewReader(content[:10]), 11, limit, -1, telemetry.Invalid},
		{"much less than announced", bytes.NewReader(content[:firstRead]), limit, limit, -1, telemetry.Invalid},
		{"a broken connection", iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(content))), 100, limit, -1, telemetry.Unavailable},
		{"no room at all", bytes.NewReader(content), limit, firstRead - 1, -1, telemetry.Unavailable},
		{"no room for the rest", bytes.NewReader(content), limit, limit - 1, -1, telemetry.Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLease(tt.budget)
			b, err := readBody(tt.r, compress.Identity, tt.declared, limit, l)
			if l.held+l.b.free.Load() != tt.budget {
				t.Errorf("%d held, %d free of %d", l.held, l.b.free.Load(), tt.budget)
			}
			if tt.want < 0 {
				if err == nil || telemetry.KindOf(err) != tt.kind {
					t.Errorf("%v, want kind %d", err, tt.kind)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer b.Release()
			if !bytes.Equal(b.B, content[:tt.want]) {
				t.Errorf("%d bytes, want %d", len(b.B), tt.want)
			}
		})
	}
}

// A body that may become very large moves into its last buffer at once, while the
// lease still grows with what came.
func TestVeryLargeBodiesMoveOnce(t *testing.T) {
	const size, limit = compress.Pooled + 1<<20, 64 << 20
	content := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	for _, declared := range []int64{size, -1} {
		l := newLease(limit + 1)
		b, err := readBody(bytes.NewReader(content), compress.Identity, declared, limit, l)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.B, content) {
			t.Errorf("announced as %d: %d other bytes", declared, len(b.B))
		}
		b.Release()
	}
	l := newLease(limit + 1)
	first := compress.NewBuffer(4 << 20)
	first.B = append(first.B, content[:4<<20]...)
	b, room, err := enlarge(first, 4<<20, -1, limit, l)
	if err != nil || room != 16<<20 || cap(b.B) <= limit || l.held != room-4<<20 {
		t.Fatalf("room for %d in %d bytes, %d held, %v", room, cap(b.B), l.held, err)
	}
	at := &b.B[0]
	b, room, err = enlarge(b, room, -1, limit, l)
	if err != nil || room != 64<<20 || &b.B[0] != at || l.held != room-4<<20 {
		t.Errorf("room for %d, %d held, moved: %t, %v", room, l.held, &b.B[0] != at, err)
	}
	b.Release()
}

// An announced length takes no memory before bytes come.
func TestAnnouncedLengthIsNotTrusted(t *testing.T) {
	for taken, want := range map[int64]int64{0: firstRead, 600 << 20: cautiousRead} {
		l := newLease(1 << 30)
		l.b.free.Add(-taken)
		seen := int64(0)
		r := readerFunc(func([]byte) (int, error) {
			seen = l.held
			return 0, errors.New("gone")
		})
		if _, err := readBody(r, compress.Identity, 64<<20, 64<<20, l); err == nil || seen != want {
			t.Errorf("with %d taken, %d bytes held before the first came: %v", taken, seen, err)
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestDecompressPaysForWhatItHolds(t *testing.T) {
	small, wide := bytes.Repeat([]byte("span "), 1000), bytes.Repeat([]byte{0}, 1<<20)
	tests := []struct {
		name string
		enc  compress.Encoding
		src  []byte
		want []byte
	}{
		{"gzip", compress.Gzip, gzipped(small), small},
		{"gzip of several members", compress.Gzip, append(gzipped(small), gzipped(small[:9])...), append(bytes.Clone(small), small[:9]...)},
		{"gzip that is denser than usual", compress.Gzip, gzipped(wide), wide},
		{"zstd", compress.Zstd, zstded(small), small},
		{"zstd that is denser than usual", compress.Zstd, zstded(wide), wide},
		{"deflate", compress.Deflate, deflated(small), small},
		{"deflate that is denser than usual", compress.Deflate, deflated(wide), wide},
	}
	for _, tt := range tests {
		l := newLease(10 << 20)
		b, err := decompress(tt.enc, tt.src, 2<<20, l)
		if err != nil || !bytes.Equal(b.B, tt.want) || l.held != int64(len(tt.want)) {
			t.Errorf("%s: %v, %d held", tt.name, err, l.held)
			continue
		}
		b.Release()
	}
	l := newLease(1<<20 - 1)
	if _, err := decompress(compress.Gzip, gzipped(wide), 2<<20, l); telemetry.KindOf(err) != telemetry.Unavailable || l.held != 0 {
		t.Errorf("more than the budget: %v, %d held", err, l.held)
	}
	if _, err := decompress(compress.Gzip, gzipped(wide), 1<<19, l); telemetry.KindOf(err) != telemetry.TooLarge || l.held != 0 {
		t.Errorf("more than the limit: %v, %d held", err, l.held)
	}
}

func TestSizeHint(t *testing.T) {
	text := func(n int) []byte { // compresses about three times
		b := make([]byte, 0, n)
		for len(b) < n {
			b = strconv.AppendInt(b, int64(len(b))*2654435761%1000003, 10)
		}
		return b[:n]
	}
	for _, n := range []int{300, 5000, 70000, 1 << 20} {
		for enc, src := range map[compress.Encoding][]byte{compress.Gzip: gzipped(text(n)), compress.Zstd: zstded(text(n))} {
			if got := sizeHint(enc, src); got != int64(n) {
				t.Errorf("%v of %d bytes: %d", enc, n, got)
			}
		}
	}
	for _, src := range [][]byte{nil, {1}, bytes.Repeat([]byte{255}, 40), gzipped(make([]byte, 1<<20))} {
		for _, enc := range []compress.Encoding{compress.Gzip, compress.Zstd, compress.Deflate} {
			if got, want := sizeHint(enc, src), int64(max(len(src), 512)*usualRatio); got != want {
				t.Errorf("%v of %d odd bytes: %d, want %d", enc, len(src), got, want)
			}
		}
	}
}

// A bomb costs the limit, however much it stands for, and many at once cost the budget.
func TestBombsAreBounded(t *testing.T) {
	const limit = 1 << 20
	zeros := make([]byte, 32<<20)
	for name, bomb := range map[string][]byte{"gzip": gzipped(zeros), "zstd": zstded(zeros), "deflate": deflated(zeros)} {
		if len(bomb) > limit {
			t.Fatalf("%s: %d bytes", name, len(bomb))
		}
		log := &fakeLog{}
		i := New(Options{Log: log, MaxRequestBytes: limit, InflightBytes: 3 * limit})
		i.budget.free.Store(3 * limit)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		const bombs = 16
		var senders sync.WaitGroup
		for range bombs {
			senders.Go(func() {
				w := call(i, "/v1/traces", bomb, "Content-Type", protobuf, "Content-Encoding", name)
				if w.Code != 413 && w.Code != 503 {
					t.Errorf("%s: %d", name, w.Code)
				}
			})
		}
		senders.Wait()
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > bombs*6*limit {
			t.Errorf("%s: %d MiB were taken for %d bombs in all", name, took>>20, bombs)
		}
		if i.budget.free.Load() != 3*limit || len(log.entries) != 0 {
			t.Errorf("%s: %d bytes free, %d entries", name, i.budget.free.Load(), len(log.entries))
		}
	}
}

// A bomb is known by its first part: the rest is not even read.
func TestBombIsKnownByItsStart(t *testing.T) {
	i := New(Options{Log: &fakeLog{}, MaxRequestBytes: 1 << 20})
	bomb := bytes.NewReader(gzipped(make([]byte, 1<<30)))
	l := &lease{b: &i.budget}
	_, err := readBody(bomb, compress.Gzip, -1, 1<<20, l)
	if read := bomb.Size() - int64(bomb.Len()); telemetry.KindOf(err) != telemetry.TooLarge || read > 2*suspicious {
		t.Errorf("%d of %d bytes were read: %v", read, bomb.Size(), err)
	}
}

// Memory is the budget's: what does not fit waits outside, and is told to come again.
func TestBudgetIsForAllRequests(t *testing.T) {
	body := spans(200)
	i := New(Options{Log: &fakeLog{}})
	i.budget.free.Store(int64(len(body)) - 1)
	w := call(i, "/v1/traces", body, "Content-Type", protobuf)
	checkStatus(t, w, 503, 14, false)
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	i.budget.free.Store(int64(len(body)))
	if w := call(i, "/v1/traces", body, "Content-Type", protobuf); w.Code != 200 {
		t.Errorf("with room: %d", w.Code)
	}
	if n := i.Stats()[0].Refused["no_room"]; n != 1 {
		t.Errorf("%d refused", n)
	}
}

// A buffer that lies about with room for all of a body is used from the beginning, while
// the lease still grows with what came.
func TestBodiesDoNotMoveWhereThereIsRoom(t *testing.T) {
	const size = 3 << 20
	content := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	// The pool may drop what it is given; not always.
	for range 100 {
		used := compress.NewBuffer(size)
		at := &used.B[:1][0]
		used.Release()
		l := newLease(64 << 20)
		first, same := int64(-1), false
		r := bytes.NewReader(content)
		b, err := readBody(readerFunc(func(p []byte) (int, error) {
			if first < 0 {
				first, same = l.held, &p[0] == at
			}
			return r.Read(p)
		}), compress.Identity, size, 64<<20, l)
		if err != nil || first != firstRead || l.held != size || !bytes.Equal(b.B, content) {
			t.Fatalf("%d held before the first byte came, %d at the end; %v", first, l.held, err)
		}
		b.Release()
		if same {
			return
		}
	}
	t.Error("no body was read into the buffer at hand")
}
