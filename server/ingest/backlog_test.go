package ingest

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"treq/telemetry/compress"
	"treq/telemetry/journal"
	"treq/telemetry/otlp"
)

// A very large body waits until there is room behind the log, for a second at most.
func TestBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b backlog
		const big = 40 << 20
		enter := func() (in chan struct{}) {
			in = make(chan struct{})
			go func() {
				b.wait(big)
				close(in)
			}()
			synctest.Wait()
			return in
		}
		is := func(in chan struct{}) bool {
			synctest.Wait()
			select {
			case <-in:
				return true
			default:
				return false
			}
		}
		if !is(enter()) {
			t.Fatal("one waits for nobody")
		}
		first := b.add(big)
		second, third := enter(), enter()
		if is(second) || is(third) {
			t.Fatal("there is no room for two")
		}
		first()
		first()
		if !is(second) || !is(third) {
			t.Fatal("they wait for what has gone")
		}
		if b.bytes != 0 {
			t.Fatalf("%d bytes are left", b.bytes)
		}
		stuck := b.add(2 * big)
		late := enter()
		time.Sleep(backlogFor - time.Millisecond)
		if is(late) {
			t.Fatal("it does not wait for a reader that may be at work")
		}
		time.Sleep(time.Millisecond)
		if !is(late) {
			t.Fatal("it waits for one that is stuck")
		}
		stuck()
		if b.bytes != 0 {
			t.Fatalf("%d bytes are left", b.bytes)
		}
	})
}

// slowLog gives bytes back when it is told to.
type slowLog struct{ held []func() }

func (l *slowLog) Append(_ context.Context, e *journal.Entry) (journal.Receipt, error) {
	l.held = append(l.held, e.Release)
	return journal.Receipt{}, nil
}

// What a very large request holds counts until the log's readers have let it go, small
// ones do not wait for it, and all that it held comes back.
func TestVeryLargeRequestsCountBehindTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &slowLog{}
		i := New(Options{Log: log})
		post := func(text int) {
			t.Helper()
			body := spans(1, otlp.SpanData{
				TraceID: [16]byte{9}, SpanID: [8]byte{9}, Name: "n", Start: 1, End: 2,
				Attributes: []otlp.KV{otlp.Str("k", string(bytes.Repeat([]byte("x"), text)))},
			})
			r := httptest.NewRequest(http.MethodPost, "/v1/traces", bytes.NewReader(body))
			r.Header.Set("Content-Type", "application/x-protobuf")
			w := httptest.NewRecorder()
			if i.HTTP().ServeHTTP(w, r); w.Code != http.StatusOK {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		}
		behind := func() int64 {
			i.budget.behind.mu.Lock()
			defer i.budget.behind.mu.Unlock()
			return i.budget.behind.bytes
		}
		const size = compress.Pooled + 1<<20
		post(size)
		if n := behind(); n < size || n > size+1<<10 {
			t.Errorf("%d bytes count of a body of %d", n, size)
		}
		counted := behind()
		post(1 << 20)
		if n := behind(); n != counted {
			t.Errorf("%d bytes count with a small body, %d without", n, counted)
		}
		for _, release := range log.held {
			release()
		}
		if n := behind(); n != 0 {
			t.Errorf("%d bytes count when all is read", n)
		}
		if free, total := i.budget.free.Load(), i.budget.total.Load(); free != total {
			t.Errorf("%d free of %d", free, total)
		}
	})
}
