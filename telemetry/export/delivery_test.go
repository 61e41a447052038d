package export

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/gzip"

	"treq/telemetry/journal"
)

// sinkTest runs f in synctest's time with a journal and a backend.
func sinkTest(t *testing.T, f func(t *testing.T, stand *stand, b *backend)) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t)
		f(t, newStand(t, journal.Options{}), b)
	})
}

func settleFor(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// One bad span costs one span, wherever it stands, and the rest is sent once.
func TestRefusedSpanIsFoundAlone(t *testing.T) {
	for _, code := range []int{400, 422} {
		for _, bad := range [][]uint64{{1}, {57}, {100}, {3, 4, 99}} {
			sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
				specs := ids(1, 100)
				for _, id := range bad {
					specs[id-1].bad = true
				}
				b.respond = refuseBad(code)
				for chunk := range slices.Chunk(specs, 30) {
					stand.spans(chunk)
				}
				sink := stand.sink(b, Config{})
				settleFor(time.Second)
				n := int64(len(bad))
				checkAccount(t, sink, account{Admitted: 100, Sent: 100 - n, Dead: n})
				b.checkTaken(100, bad...)
				var buried []uint64
				for _, letter := range readLetters(t, stand, "sink") {
					for _, span := range decode(t, letter.Payload) {
						buried = append(buried, span.id)
					}
					if letter.Status != code {
						t.Errorf("letter has status %d, want %d", letter.Status, code)
					}
				}
				if !slices.Equal(buried, bad) {
					t.Errorf("buried %v, want %v", buried, bad)
				}
			})
		}
	}
}

// A sink that refuses everything is not asked about every span.
func TestRefusingAllIsNotTakenApart(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		specs := ids(1, 2000)
		for i := range 1000 {
			specs[i].bad = true
		}
		b.respond = refuseBad(400)
		stand.spans(specs)
		sink := stand.sink(b, Config{})
		settleFor(time.Second)
		checkAccount(t, sink, account{Admitted: 2000, Sent: 1000, Dead: 1000})
		if n := len(b.got()); n > 3*refusedAlone {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestTooLargeIsSplit(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		specs := ids(1, 100)
		specs[41].pad = 5000
		for chunk := range slices.Chunk(specs, 40) {
			stand.spans(chunk)
		}
		b.respond = func(w http.ResponseWriter, r *http.Request) {
			p := postOf(r)
			if len(p.spans) > 9 || slices.ContainsFunc(p.spans, func(s spanSpec) bool { return s.pad > 0 }) {
				w.WriteHeader(413)
				return
			}
			w.WriteHeader(200)
		}
		sink := stand.sink(b, Config{})
		settleFor(time.Second)
		checkAccount(t, sink, account{Admitted: 100, Sent: 99, Dead: 1})
		b.checkTaken(100, 42)
	})
}

// A record larger than a request may be is split before it is sent.
func TestLargeRecordIsSplitBeforeItIsSent(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		specs := ids(1, 6)
		for i := range specs {
			specs[i].pad = MaxRequestBytes / 4
		}
		stand.append(journal.Entry{Items: 6, Encoding: journal.Gzip, Body: zip(t, encode(t, specs))})
		sink := stand.sink(b, Config{})
		settleFor(time.Second)
		checkAccount(t, sink, account{Admitted: 6, Sent: 6})
		b.checkTaken(6)
		if posts := b.got(); len(posts) != 2 {
			t.Errorf("%d posts, want 2", len(posts))
		}
	})
}

// A sink too slow for a batch gets smaller ones, and all of it in the end.
func TestTimeoutsSplit(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		b.respond = func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(time.Duration(len(postOf(r).spans)) * time.Second):
				w.WriteHeader(200)
			case <-r.Context().Done():
			}
		}
		stand.spans(ids(1, 16))
		sink := stand.sink(b, Config{Timeout: 10500 * time.Millisecond})
		settleFor(5 * time.Minute)
		checkAccount(t, sink, account{Admitted: 16, Sent: 16})
		b.checkTaken(16)
		if posts := b.got(); len(posts) != timeoutsToSplit+2 {
			t.Errorf("%d posts, want %d", len(posts), timeoutsToSplit+2)
		}
	})
}

func TestGzipPassesThrough(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		body := zip(t, encode(t, ids(1, 20)))
		sink := stand.sink(b, Config{})
		stand.append(journal.Entry{Items: 20, Encoding: journal.Gzip, Body: body})
		settleFor(time.Second)
		checkAccount(t, sink, account{Admitted: 20, Sent: 20})
		posts := b.got()
		if len(posts) != 1 || !bytes.Equal(posts[0].raw, body) {
			t.Error("the client's bytes were not passed on")
		}
	})
}

// Records of every encoding share a batch, whichever way it is sent.
func TestMixedEncodings(t *testing.T) {
	for _, compression := range []Compression{Gzip, None} {
		sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
			stand.append(journal.Entry{Items: 10, Encoding: journal.Gzip, Body: zip(t, encode(t, ids(1, 10)))})
			stand.spans(ids(11, 10))
			stand.append(journal.Entry{Items: 10, Encoding: journal.Gzip, Body: append(zip(t, encode(t, ids(21, 5))), zip(t, encode(t, ids(26, 5)))...)})
			sink := stand.sink(b, Config{Compression: compression})
			settleFor(time.Second)
			checkAccount(t, sink, account{Admitted: 30, Sent: 30})
			b.checkTaken(30)
			posts := b.got()
			if len(posts) != 1 {
				t.Fatalf("%d posts, want 1", len(posts))
			}
			if got, want := posts[0].header.Get("Content-Encoding"), map[Compression]string{Gzip: "gzip"}[compression]; got != want {
				t.Errorf("Content-Encoding is %q, want %q", got, want)
			}
		})
	}
}

// A record that does not decompress costs itself only.
func TestBrokenRecord(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		stand.spans(ids(1, 10))
		stand.append(journal.Entry{Items: 7, Encoding: journal.Zstd, Body: []byte("no zstd at all")})
		stand.spans(ids(11, 10))
		sink := stand.sink(b, Config{})
		settleFor(time.Second)
		checkAccount(t, sink, account{Admitted: 27, Sent: 20, Dead: 7})
		b.checkTaken(20)
		if letters := readLetters(t, stand, "sink"); len(letters) != 1 || letters[0].Encoding != "raw" || string(letters[0].Payload) != "no zstd at all" {
			t.Errorf("letters are %+v", letters)
		}
	})
}

// Only traces are forwarded, and the position passes what is not.
func TestOtherKindsArePassed(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		sink := stand.sink(b, Config{})
		for _, kind := range []journal.Kind{journal.Metrics, journal.Logs, journal.Posts} {
			stand.append(journal.Entry{Kind: kind, Items: 5, Body: []byte("other")})
		}
		stand.append(journal.Entry{Items: 0, Body: []byte("\x0a\x00")})
		settleFor(2 * time.Second)
		checkAccount(t, sink, account{})
		if n := len(b.got()); n != 0 {
			t.Errorf("%d posts", n)
		}
		kept, _, err := loadState(sink.statePath)
		if err != nil || kept.Position != stand.j.Durable() {
			t.Errorf("position on disk is %d, want %d (%v)", kept.Position, stand.j.Durable(), err)
		}
	})
}

func TestBatches(t *testing.T) {
	tests := []struct {
		name    string
		config  Config
		records int
		posts   []int // spans in each
	}{
		{"all at once", Config{}, 10, []int{100}},
		{"by spans", Config{BatchSpans: 30}, 10, []int{30, 30, 30, 10}},
		{"a record larger than a batch", Config{BatchSpans: 3}, 3, []int{10, 10, 10}},
		{"by bytes", Config{BatchBytes: 3 << 10}, 6, []int{20, 20, 20}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
				for i := range test.records {
					specs := ids(1+10*i, 10)
					specs[0].pad = 500
					stand.spans(specs)
				}
				stand.sink(b, test.config)
				settleFor(time.Second)
				var posts []int
				for _, p := range b.got() {
					posts = append(posts, len(p.spans))
				}
				if !slices.Equal(posts, test.posts) {
					t.Errorf("posts of %v spans, want %v", posts, test.posts)
				}
				b.checkTaken(10 * test.records)
			})
		})
	}
}

// With little traffic a span waits for the delay and no longer.
func TestDelay(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		stand.sink(b, Config{Delay: 500 * time.Millisecond})
		start := time.Now()
		stand.spans(ids(1, 1))
		time.Sleep(300 * time.Millisecond)
		stand.spans(ids(2, 1))
		settleFor(time.Second)
		posts := b.got()
		if len(posts) != 1 || len(posts[0].spans) != 2 || posts[0].at.Sub(start) != 500*time.Millisecond {
			t.Errorf("posts are %+v", posts)
		}
	})
}

// What cannot even be buried stays.
func TestDeadLettersThatCannotBeWritten(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		b.respond = status(415)
		path := filepath.Join(stand.dir, "sinks", "sink.dead")
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
		stand.spans(ids(1, 5))
		sink := stand.sink(b, Config{})
		settleFor(time.Minute)
		checkAccount(t, sink, account{Admitted: 5, Queue: 5})
		if s := sink.Status(); s.State != Retrying {
			t.Errorf("state is %s", s.State)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		settleFor(2 * time.Minute)
		checkAccount(t, sink, account{Admitted: 5, Dead: 5})
		if n := len(readLetters(t, stand, "sink")); n != 1 {
			t.Errorf("%d letters, want 1", n)
		}
	})
}

// An outage is no span's fault, however long.
func TestServerErrorOverAll(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		b.script = times(1, status(413))
		b.script = append(b.script, ok)
		b.respond = status(500)
		stand.spans(ids(1, 4))
		sink := stand.sink(b, Config{Profile: "langsmith"})
		settleFor(6 * time.Hour)
		checkAccount(t, sink, account{Admitted: 4, Sent: 2, Queue: 2})
		b.mu.Lock()
		b.respond = ok
		b.mu.Unlock()
		settleFor(2 * time.Minute)
		checkAccount(t, sink, account{Admitted: 4, Sent: 4})
		b.checkTaken(4)
	})
}

// tardy is a transport that answers before it has read the body, as HTTP allows.
type tardy struct{ got chan []byte }

func (d tardy) RoundTrip(r *http.Request) (*http.Response, error) {
	go func() {
		time.Sleep(time.Second)
		content, _ := io.ReadAll(r.Body)
		_ = r.Body.Close()
		d.got <- content
	}()
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// The memory of a body is not used again while the transport still reads it.
func TestBodyIsLentUntilClosed(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, _ *backend) {
		transport := tardy{got: make(chan []byte, 2)}
		stand.spans(ids(1, 5))
		stand.spans(ids(6, 5))
		sink, err := New(Config{Name: "sink", Endpoint: "http://backend.test", BatchSpans: 5}, stand.deps(transport))
		if err != nil {
			t.Fatal(err)
		}
		sink.pump.first = 5
		sink.Start()
		settleFor(10 * time.Second)
		stop(t, sink)
		for _, first := range []int{1, 6} {
			z, err := gzip.NewReader(bytes.NewReader(<-transport.got))
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			if got := decode(t, content); !slices.Equal(got, ids(first, 5)) {
				t.Errorf("got %+v, want spans from %d", got, first)
			}
		}
	})
}
