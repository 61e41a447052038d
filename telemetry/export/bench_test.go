package export

import (
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"

	"treq/telemetry/journal"
)

// nullTransport takes every request at once.
type nullTransport struct{}

func (nullTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, err
}

// endless is a cursor that gives one record n times and then nothing.
type endless struct {
	Cursor
	record *journal.Record
	left   int
	wake   chan struct{}
}

func (e *endless) TryNext() (*journal.Record, error) {
	if e.left == 0 {
		return nil, nil
	}
	e.left--
	e.record.Retain()
	return e.record, nil
}

func (e *endless) Wake() <-chan struct{} { return e.wake }

// BenchmarkForward forwards records of 512 spans of 1.2 KB to a transport that
// costs nothing. ns/span and allocs/span are what forwarding adds to a span.
func BenchmarkForward(b *testing.B) {
	const spans = 512
	specs := ids(1, spans)
	for i := range specs {
		specs[i].pad = 1120
	}
	plain := encode(b, specs)
	benchmarks := []struct {
		name        string
		compression Compression
		record      *journal.Record
	}{
		{"plain", None, &journal.Record{Encoding: journal.Identity, Body: plain}},
		{"gzip passed through", Gzip, &journal.Record{Encoding: journal.Gzip, Body: zip(b, plain)}},
		{"gzip made here", Gzip, &journal.Record{Encoding: journal.Identity, Body: plain}},
	}
	for _, bench := range benchmarks {
		b.Run(bench.name, func(b *testing.B) {
			r := bench.record
			r.Kind, r.Items, r.End = journal.Traces, spans, r.Position
			r.Project = "project"
			r.Retain()
			deps := Deps{
				Dir: filepath.Join(b.TempDir(), "data"), Transport: nullTransport{}, Logger: slog.New(slog.DiscardHandler),
				Open: func(string, journal.Position) (Cursor, error) {
					return &endless{Cursor: idle{}, record: r, wake: make(chan struct{})}, nil
				},
			}
			sink, err := New(Config{Name: "sink", Profile: "langsmith", Endpoint: "http://null.test", Compression: bench.compression}, deps)
			if err != nil {
				b.Fatal(err)
			}
			sink.pump.cursor.(*endless).left = b.N
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			b.ResetTimer()
			sink.Start()
			// Draining sends all there is before Stop returns.
			sink.grace = 1 << 40
			if err := sink.Stop(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			if sent := sink.Status().SentSpans; sent != int64(b.N)*spans {
				b.Fatalf("%d spans sent, want %d", sent, b.N*spans)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*spans), "ns/span")
		})
	}
}

// idle is a cursor of a journal that has nothing.
type idle struct{}

func (idle) TryNext() (*journal.Record, error)      { return nil, nil }
func (idle) Wake() <-chan struct{}                  { return nil }
func (idle) Position() journal.Position             { return 0 }
func (idle) Commit(journal.Position)                {}
func (idle) Expired() (records, items, lost uint64) { return 0, 0, 0 }
func (idle) Damaged() (records, items uint64)       { return 0, 0 }
func (idle) Close()                                 {}
