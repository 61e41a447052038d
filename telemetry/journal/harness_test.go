package journal_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"treq/telemetry/compress"
	"treq/telemetry/journal"
)

// sample makes the i-th entry of every test: its content follows from i alone, so
// that whoever reads it back can tell whether it is unaltered.
func sample(i uint64) *journal.Entry {
	rng := rand.New(rand.NewPCG(i, 7))
	text := binary.BigEndian.AppendUint64(nil, i)
	for range rng.IntN(40) {
		text = append(text, bytes.Repeat([]byte{byte('a' + rng.IntN(26))}, 1+rng.IntN(80))...)
	}
	e := &journal.Entry{
		Kind: journal.Kind(1 + i%4), Door: []string{"http", "grpc", "api"}[i%3], Items: uint32(i%7 + 1),
		Hash: [16]byte{1}, Check: i * 3, Project: "project", Body: text,
	}
	binary.BigEndian.PutUint64(e.Hash[8:], i)
	if i%2 == 0 {
		e.Tenant = "tenant"
	}
	if i%5 == 0 {
		e.Encoding, e.Body, e.Decoded = journal.Gzip, compress.AppendGzip(nil, text, 1), text
	}
	return e
}

// identify gives which sample a record is, and fails the test if it is none or was
// altered.
func identify(t testing.TB, r *journal.Record) uint64 {
	t.Helper()
	data, err := r.Data()
	if err != nil || len(data) < 8 {
		t.Fatalf("record at %d: data %d bytes, %v", r.Position, len(data), err)
	}
	i := binary.BigEndian.Uint64(data)
	want := sample(i)
	plain := want.Decoded
	if plain == nil {
		plain = want.Body
	}
	if r.Kind != want.Kind || r.Door != want.Door || r.Items != want.Items || r.Hash != want.Hash ||
		r.Check != want.Check || r.Project != want.Project || r.Tenant != want.Tenant ||
		r.Encoding != want.Encoding || !bytes.Equal(r.Body, want.Body) || !bytes.Equal(data, plain) {
		t.Fatalf("record at %d is an altered sample %d", r.Position, i)
	}
	return i
}

// readAll reads with c until the tail, identifies every record and gives the
// samples' numbers by position.
func readAll(t testing.TB, c *journal.Cursor) map[uint64]journal.Position {
	t.Helper()
	got := make(map[uint64]journal.Position)
	var last *journal.Record
	for {
		r, err := c.TryNext()
		if err != nil {
			t.Fatalf("TryNext: %v", err)
		}
		if r == nil {
			return got
		}
		if last != nil && (r.Position < last.End || r.Admitted.Before(last.Admitted)) {
			t.Fatalf("record at %d, %v after one that ends at %d, %v", r.Position, r.Admitted, last.End, last.Admitted)
		}
		i := identify(t, r)
		if at, twice := got[i]; twice {
			t.Fatalf("sample %d is at %d and at %d", i, at, r.Position)
		}
		got[i] = r.Position
		last = r
		r.Release()
	}
}

func open(t testing.TB, dir string, o journal.Options) *journal.Journal {
	t.Helper()
	j, err := journal.Open(context.Background(), dir, quiet(o))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { closeJournal(t, j) })
	return j
}

func closeJournal(t testing.TB, j *journal.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func quiet(o journal.Options) journal.Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func cursor(t testing.TB, j *journal.Journal, name string, from journal.Position, essential bool) *journal.Cursor {
	t.Helper()
	c, err := j.NewCursor(name, from, essential)
	if err != nil {
		t.Fatalf("NewCursor: %v", err)
	}
	return c
}

func appendSample(t testing.TB, j *journal.Journal, i uint64) journal.Receipt {
	t.Helper()
	r, err := j.Append(context.Background(), sample(i))
	if err != nil {
		t.Fatalf("Append %d: %v", i, err)
	}
	return r
}

// handClock is moved by hand; the journal's goroutines read it at any time. The zero
// value stands at 1,700,000,000 s.
type handClock struct{ moved atomic.Int64 }

func (c *handClock) now() time.Time { return time.Unix(1_700_000_000, c.moved.Load()) }

func (c *handClock) add(d time.Duration) { c.moved.Add(int64(d)) }
