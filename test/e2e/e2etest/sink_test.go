package e2etest

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSinkAndLedger lets a sink take, refuse, reset and hang, and wants the
// ledger to tell what arrived from what did not.
func TestSinkAndLedger(t *testing.T) {
	t.Cleanup(CloseIdle)
	sink := NewSink(t)
	sink.Play(Sequence(Reply{}, Reply{Status: http.StatusServiceUnavailable}, Reply{Reset: true}, Reply{Hang: true}))
	traces, ledger := NewGenerator(1), NewLedger()
	taken := []bool{true, false, false, false, true}
	var sent []*Trace
	for i, want := range taken {
		one := traces.Trace(Question{Input: 2, Output: 1, Failed: i == 0}, time.Unix(1, 0))
		ledger.Issue(one)
		sent = append(sent, one)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if i == 3 {
			cancel() // would hang
		}
		err := Send(ctx, sink.URL()+"/v1/traces", Encoding{Compression: "gzip"}, Request("svc", one.Spans...))
		cancel()
		if (err == nil) != want {
			t.Fatalf("request %d: %v, taken should be %t", i, err, want)
		}
		if i == 3 {
			// The request may not have left: the script goes on with the next number.
			sink.Play(nil)
		}
		if err == nil {
			ledger.Ack(one.Spans)
		}
	}
	if n := ledger.Acked(); n != 2*SpansPerTrace {
		t.Errorf("%d spans are acknowledged, want %d", n, 2*SpansPerTrace)
	}
	if repeated := ledger.Check(t, sink); repeated != 0 {
		t.Errorf("%d spans repeated, want none", repeated)
	}
	want := Totals{Chats: 5, Failed: 1, RAGQueries: 5, NoResults: 5, Searches: 5, Calls: 5, Tokens: 15}
	if got := ledger.Totals(); got != want {
		t.Errorf("totals %+v, want %+v", got, want)
	}

	ledger.Ack(sent[1].Spans) // a lie: the sink answered 503
	if n := ledger.Missing(sink); n != SpansPerTrace {
		t.Errorf("%d spans are missing, want %d", n, SpansPerTrace)
	}
}

// TestSinkDown closes and opens a sink on the same address.
func TestSinkDown(t *testing.T) {
	t.Cleanup(CloseIdle)
	sink := NewSink(t)
	one := NewGenerator(2).Trace(Question{}, time.Unix(1, 0))
	send := func() error {
		return Send(t.Context(), sink.URL()+"/v1/traces", Encoding{}, Request("svc", one.Spans...))
	}
	sink.Down()
	if err := send(); err == nil {
		t.Error("a closed sink answered")
	}
	sink.Up()
	if err := errors.Join(send(), send()); err != nil {
		t.Error(err)
	}
	if d := sink.Delivered()[KeyOf(one.Spans[0])]; d.Times != 2 {
		t.Errorf("delivered %d times, want 2", d.Times)
	}
}

// TestEncodings wants every encoding to carry the same request.
func TestEncodings(t *testing.T) {
	one := NewGenerator(3).Trace(Question{Scores: []float64{0.5}}, time.Unix(1, 0))
	sizes := map[string]int{}
	for _, isJSON := range []bool{false, true} {
		for _, compression := range []string{"", "gzip", "zstd", "deflate"} {
			e := Encoding{JSON: isJSON, Compression: compression}
			body, header, err := e.Encode(Request("svc", one.Spans...))
			if err != nil {
				t.Fatalf("%v: %v", e, err)
			}
			if header.Get("Content-Encoding") != compression {
				t.Errorf("%v: headers %v", e, header)
			}
			sizes[e.String()] = len(body)
		}
	}
	if len(sizes) != 8 {
		t.Errorf("encodings have equal names: %v", sizes)
	}
	if _, err := Compress("br", 0, nil); err == nil {
		t.Error("an unknown coding was accepted")
	}
}
