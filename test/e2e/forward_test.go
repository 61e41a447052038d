package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"treq/test/e2e/e2etest"
)

// sinkConfig is the configuration of sinks by name.
func sinkConfig(sinks map[string]string) string {
	var b strings.Builder
	b.WriteString(quick + "sinks:\n")
	for name, url := range sinks {
		fmt.Fprintf(&b, "  - name: %s\n    endpoint: %s/v1/traces\n    delay: 20ms\n    timeout: 2s\n", name, url)
	}
	return b.String()
}

// deliver sends n traces, each in a request of its own, and notes them.
func deliver(t *testing.T, s *e2etest.Server, ledger *e2etest.Ledger, n int) []*e2etest.Trace {
	t.Helper()
	traces := e2etest.NewGenerator(uint64(time.Now().UnixNano()))
	encodings := []e2etest.Encoding{{}, {Compression: "gzip"}, {JSON: true}, {Compression: "zstd"}}
	var sent []*e2etest.Trace
	for i := range n {
		one := traces.Trace(e2etest.Question{Input: 10, Output: 5, Scores: []float64{0.5}}, time.Now().Add(-time.Second))
		ledger.Issue(one)
		if err := e2etest.Send(t.Context(), s.URL("/v1/traces"), encodings[i%len(encodings)], e2etest.Request("svc", one.Spans...)); err != nil {
			t.Fatal(err)
		}
		ledger.Ack(one.Spans)
		sent = append(sent, one)
	}
	return sent
}

// wantSettled waits until a sink has everything but dead spans, and its account
// in GET /monitoring/sinks closes.
func wantSettled(t *testing.T, s *e2etest.Server, name string, admitted, dead int64) e2etest.SinkStatus {
	t.Helper()
	want := e2etest.SinkStatus{Name: name, Admitted: admitted, Sent: admitted - dead, DeadLettered: dead}
	var got e2etest.SinkStatus
	e2etest.Eventually(t, 90*time.Second, func() error {
		got = s.Sink(name)
		counts := got
		counts.State, counts.Retried, counts.LastError = "", 0, ""
		// What came again after a kill counts with what it repeats.
		counts.Sent, counts.Repeated = got.Sent+got.Repeated, 0
		if got.Admitted != got.Sent+got.QueueSpans+got.DeadLettered+got.Expired+got.Repeated {
			t.Fatalf("the account does not close: %+v", got)
		}
		if diff := cmp.Diff(want, counts); diff != "" {
			return fmt.Errorf("sink %s (-want +got):\n%s", name, diff)
		}
		return nil
	})
	return got
}

// TestFaultySink plays every fault that passes, and wants every acknowledged
// span delivered unaltered and the account exact.
func TestFaultySink(t *testing.T) {
	t.Parallel()
	sink := e2etest.NewSink(t)
	sink.Play(e2etest.Sequence(
		e2etest.Reply{Status: http.StatusServiceUnavailable},
		e2etest.Reply{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"1"}}},
		e2etest.Reply{Reset: true},
		e2etest.Reply{Status: http.StatusBadGateway, Body: []byte("<html>not a status</html>")},
		e2etest.Reply{},
		e2etest.Reply{Delay: 300 * time.Millisecond, Body: []byte("garbage with a good status")},
		e2etest.Reply{Status: http.StatusGatewayTimeout},
	))
	s := e2etest.Start(t, e2etest.Spec{Config: sinkConfig(map[string]string{"flaky": sink.URL()})})
	ledger := e2etest.NewLedger()
	deliver(t, s, ledger, 25)
	status := wantSettled(t, s, "flaky", 25*e2etest.SpansPerTrace, 0)
	ledger.Check(t, sink)
	if status.Retried == 0 {
		t.Error("no retry was counted")
	}
	deliver(t, s, ledger, 25)
	wantSettled(t, s, "flaky", 50*e2etest.SpansPerTrace, 0)
	ledger.Check(t, sink)
	wantTotals(t, s, "", ledger.Totals())
}

// TestPoisonedSpan refuses every request that holds one span: that span alone is
// dead, and all others arrive.
func TestPoisonedSpan(t *testing.T) {
	t.Parallel()
	sink := e2etest.NewSink(t)
	sink.Play(e2etest.Sequence(e2etest.Reply{Status: http.StatusServiceUnavailable})) // gathers a backlog
	s := e2etest.Start(t, e2etest.Spec{Config: sinkConfig(map[string]string{"strict": sink.URL()})})
	ledger := e2etest.NewLedger()
	sent := deliver(t, s, ledger, 1)
	poison := sent[0].Spans[1]
	sink.Play(func(_ int, r e2etest.Received) e2etest.Reply {
		for _, span := range r.Spans {
			if bytes.Equal(span.SpanId, poison.SpanId) {
				return e2etest.Reply{Status: http.StatusBadRequest}
			}
		}
		return e2etest.Reply{}
	})
	deliver(t, s, ledger, 20)
	wantSettled(t, s, "strict", 21*e2etest.SpansPerTrace, 1)
	if n := ledger.Missing(sink); n != 1 {
		t.Errorf("%d spans did not arrive, want 1", n)
	}
	if _, ok := sink.Delivered()[e2etest.KeyOf(poison)]; ok {
		t.Error("the refused span was delivered")
	}
}

// TestTooLargeForSink answers 413 to requests of more than five spans.
func TestTooLargeForSink(t *testing.T) {
	t.Parallel()
	sink := e2etest.NewSink(t)
	sink.Play(func(_ int, r e2etest.Received) e2etest.Reply {
		if len(r.Spans) > 5 {
			return e2etest.Reply{Status: http.StatusRequestEntityTooLarge}
		}
		return e2etest.Reply{}
	})
	s := e2etest.Start(t, e2etest.Spec{Config: sinkConfig(map[string]string{"small": sink.URL()})})
	ledger := e2etest.NewLedger()
	traces := e2etest.NewGenerator(uint64(time.Now().UnixNano()))
	var together []*trace.Span
	for range 6 {
		one := traces.Trace(e2etest.Question{Input: 1, Output: 1}, time.Now())
		ledger.Issue(one)
		together = append(together, one.Spans...)
	}
	if err := e2etest.Send(t.Context(), s.URL("/v1/traces"), e2etest.Encoding{}, e2etest.Request("svc", together...)); err != nil {
		t.Fatal(err)
	}
	ledger.Ack(together)
	wantSettled(t, s, "small", int64(len(together)), 0)
	ledger.Check(t, sink)
}

// TestWrongKey answers 401: the sink waits for a person and keeps everything.
func TestWrongKey(t *testing.T) {
	t.Parallel()
	sink := e2etest.NewSink(t)
	sink.Play(func(int, e2etest.Received) e2etest.Reply { return e2etest.Reply{Status: http.StatusUnauthorized} })
	s := e2etest.Start(t, e2etest.Spec{Config: sinkConfig(map[string]string{"locked": sink.URL()})})
	ledger := e2etest.NewLedger()
	deliver(t, s, ledger, 5)
	e2etest.Eventually(t, settled, func() error {
		if status := s.Sink("locked"); status.State != "paused" || status.QueueSpans != 20 || status.Sent != 0 {
			return fmt.Errorf("%+v", status)
		}
		return nil
	})
	sink.Play(nil)
	s.Terminate()
	s.Again()
	wantSettled(t, s, "locked", 20, 0)
	ledger.Check(t, sink)
}

// TestSinkDownThenCrash keeps the sink down while the service takes spans and is
// killed; once both are back, everything arrives.
func TestSinkDownThenCrash(t *testing.T) {
	t.Parallel()
	sink := e2etest.NewSink(t)
	sink.Down()
	s := e2etest.Start(t, e2etest.Spec{Config: sinkConfig(map[string]string{"away": sink.URL()})})
	ledger := e2etest.NewLedger()
	for range 3 {
		deliver(t, s, ledger, 10)
		s.Crash()
	}
	if status := s.Sink("away"); status.Sent != 0 || status.QueueSpans != ledger.Acked() {
		t.Errorf("while the sink is down: %+v", status)
	}
	sink.Up()
	wantSettled(t, s, "away", ledger.Acked(), 0)
	ledger.Check(t, sink)
	wantTotals(t, s, "", ledger.Totals())
}

// TestHangingSink hangs one sink: the other gets everything, documents count
// everything, and a stop is clean and bounded. Nothing is lost for the hanging
// one either.
func TestHangingSink(t *testing.T) {
	t.Parallel()
	dead, alive := e2etest.NewSink(t), e2etest.NewSink(t)
	dead.Play(func(int, e2etest.Received) e2etest.Reply { return e2etest.Reply{Hang: true} })
	s := e2etest.Start(t, e2etest.Spec{Config: strings.ReplaceAll(
		sinkConfig(map[string]string{"dead": dead.URL(), "alive": alive.URL()}), "timeout: 2s", "timeout: 60s")})
	ledger := e2etest.NewLedger()
	deliver(t, s, ledger, 20)
	wantSettled(t, s, "alive", 80, 0)
	ledger.Check(t, alive)
	wantTotals(t, s, "", ledger.Totals())
	if status := s.Sink("dead"); status.Sent != 0 || status.QueueSpans != 80 {
		t.Errorf("the hanging sink: %+v", status)
	}
	s.Terminate()
	dead.Play(nil)
	s.Again()
	wantSettled(t, s, "dead", 80, 0)
	ledger.Check(t, dead)
	wantSettled(t, s, "alive", 80, 0)
	if repeated := ledger.Check(t, alive); repeated != 0 {
		t.Errorf("%d spans went to the healthy sink again after a clean stop", repeated)
	}
	wantTotals(t, s, "", ledger.Totals())
}

// TestLangSmithByEnvironment sets LangSmith's own variables and nothing else.
// The key appears in the sink's requests and nowhere else.
func TestLangSmithByEnvironment(t *testing.T) {
	t.Parallel()
	const key = "lsv2_sk_secret-canary"
	sink := e2etest.NewSink(t)
	s := e2etest.Start(t, e2etest.Spec{Env: []string{
		"LANGCHAIN_TRACING_V2=true", "LANGSMITH_API_KEY=" + key, "LANGCHAIN_PROJECT=treq-assistente", "LANGSMITH_ENDPOINT=" + sink.URL(),
	}})
	ledger := e2etest.NewLedger()
	deliver(t, s, ledger, 3)
	traces := e2etest.NewGenerator(uint64(time.Now().UnixNano()))
	other := traces.Trace(e2etest.Question{Input: 1, Output: 1}, time.Now())
	ledger.Issue(other)
	body, header, err := e2etest.Encoding{}.Encode(e2etest.Request("svc", other.Spans...))
	if err != nil {
		t.Fatal(err)
	}
	header.Set("Langsmith-Project", "outro")
	if a := s.Do(http.MethodPost, "/otel/v1/traces", header, bytes.NewReader(body)); a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	ledger.Ack(other.Spans)
	wantSettled(t, s, "langsmith", ledger.Acked(), 0)
	// Spans for LangSmith are completed with what its mapping misses: they are no
	// longer byte for byte what came. That nothing of it is lost is package enrich's to show.
	if o := ledger.Compare(sink); o.Lost+o.Unknown > 0 {
		t.Errorf("of %d acknowledged spans %d are lost, and %d are unknown", o.Acked, o.Lost, o.Unknown)
	}
	projects := map[string]int{}
	for _, r := range sink.Requests() {
		if r.Path != "/otel/v1/traces" || r.Header.Get("X-Api-Key") != key || r.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("a request to %s with %v", r.Path, r.Header)
		}
		projects[r.Header.Get("Langsmith-Project")] += len(r.Spans)
	}
	if diff := cmp.Diff(map[string]int{"treq-assistente": 12, "outro": 4}, projects); diff != "" {
		t.Errorf("spans by project (-want +got):\n%s", diff)
	}
	s.Terminate()
	shown := s.Log()
	s.Again()
	for _, path := range []string{"/monitoring/sinks", "/metrics", "/monitoring/metrics", "/readyz?verbose", "/"} {
		shown += string(s.Get(path).Body)
	}
	if strings.Contains(shown+s.Log(), key) {
		t.Error("the key is shown in the log or in a document")
	}
}

// TestLoop gives the service a sink that leads back to it: what returns is
// refused, and counts nothing.
func TestLoop(t *testing.T) {
	t.Parallel()
	var s *e2etest.Server
	var refused atomic.Int64
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, err := e2etest.Do(r.Context(), r.Method, s.URL(r.URL.Path), r.Header, r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if a.Status == http.StatusBadRequest {
			refused.Add(1)
		}
		w.WriteHeader(a.Status)
	}))
	t.Cleanup(back.Close)
	s = e2etest.Start(t, e2etest.Spec{Config: sinkConfig(map[string]string{"back": back.URL})})
	ledger := e2etest.NewLedger()
	deliver(t, s, ledger, 1)
	wantSettled(t, s, "back", e2etest.SpansPerTrace, e2etest.SpansPerTrace)
	if refused.Load() == 0 {
		t.Error("nothing that came back was refused")
	}
	wantTotals(t, s, "", ledger.Totals())
}
