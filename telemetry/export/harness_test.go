package export

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.uber.org/goleak"

	"treq/telemetry"
	"treq/telemetry/journal"
)

func TestMain(m *testing.M) {
	// Each check of the account plays a life with a journal on disk: fewer of them
	// unless asked for more.
	if err := flag.Set("rapid.checks", "30"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// spanSpec describes a span of a test: id tells it apart, bad makes the backend
// refuse requests that hold it.
type spanSpec struct {
	id      uint64
	trace   uint64
	project string
	bad     bool
	pad     int
}

func ids(from, n int) []spanSpec {
	specs := make([]spanSpec, n)
	for i := range specs {
		specs[i] = spanSpec{id: uint64(from + i), trace: uint64(from + i)}
	}
	return specs
}

// encode makes a request with two resources, where there are spans enough.
func encode(t testing.TB, specs []spanSpec) []byte {
	t.Helper()
	traces := ptrace.NewTraces()
	half := (len(specs) + 1) / 2
	for i, part := range [][]spanSpec{specs[:half], specs[half:]} {
		if len(part) == 0 {
			continue
		}
		resource := traces.ResourceSpans().AppendEmpty()
		resource.Resource().Attributes().PutStr("service.name", fmt.Sprintf("service-%d", i))
		resource.SetSchemaUrl("https://opentelemetry.io/schemas/1.38.0")
		scope := resource.ScopeSpans().AppendEmpty()
		scope.Scope().SetName("scope")
		for _, spec := range part {
			span := scope.Spans().AppendEmpty()
			var id [8]byte
			binary.BigEndian.PutUint64(id[:], spec.id)
			span.SetSpanID(id)
			var trace [16]byte
			binary.BigEndian.PutUint64(trace[8:], spec.trace)
			span.SetTraceID(trace)
			span.SetName("span")
			if spec.project != "" {
				span.Attributes().PutStr("langsmith.trace.session_name", spec.project)
			}
			if spec.bad {
				span.Attributes().PutBool("bad", true)
			}
			if spec.pad > 0 {
				span.Attributes().PutStr("pad", padding(spec.id, spec.pad))
			}
		}
	}
	body, err := ptraceotlp.NewExportRequestFromTraces(traces).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// decode gives the spans of a request in order, by a decoder that is not ours.
func decode(t testing.TB, body []byte) []spanSpec {
	t.Helper()
	request := ptraceotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		t.Errorf("the request does not decode: %v", err)
		return nil
	}
	var specs []spanSpec
	for _, resource := range request.Traces().ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				id, trace := span.SpanID(), span.TraceID()
				spec := spanSpec{id: binary.BigEndian.Uint64(id[:]), trace: binary.BigEndian.Uint64(trace[8:])}
				if v, ok := span.Attributes().Get("langsmith.trace.session_name"); ok {
					spec.project = v.Str()
				}
				_, spec.bad = span.Attributes().Get("bad")
				if v, ok := span.Attributes().Get("pad"); ok {
					spec.pad = len(v.Str())
				}
				specs = append(specs, spec)
			}
		}
	}
	return specs
}

// padding is text of n bytes that compresses about as well as prose.
func padding(seed uint64, n int) string {
	random := rand.New(rand.NewPCG(seed, 1))
	words := []string{"question", "answer", "context", "document", "retrieval", "score", "model", "token"}
	var text strings.Builder
	for text.Len() < n {
		text.WriteString(words[random.IntN(len(words))])
		fmt.Fprintf(&text, "%x ", random.Uint32())
	}
	return text.String()[:n]
}

func zip(t testing.TB, body []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// stand is a journal with a data directory.
type stand struct {
	t   testing.TB
	dir string
	j   *journal.Journal
	// first is how many spans a sink's first requests hold; 0 for a full batch.
	first int64
}

func newStand(t testing.TB, o journal.Options) *stand {
	t.Helper()
	s := &stand{t: t, dir: t.TempDir()}
	o.Ack, o.Logger = journal.Memory, slog.New(slog.DiscardHandler)
	j, err := journal.Open(t.Context(), filepath.Join(s.dir, "journal"), o)
	if err != nil {
		t.Fatal(err)
	}
	s.j = j
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *stand) append(e journal.Entry) {
	s.t.Helper()
	if e.Kind == 0 {
		e.Kind = journal.Traces
	}
	if _, err := s.j.Append(context.Background(), &e); err != nil {
		s.t.Fatal(err)
	}
}

// spans appends one record with the spans.
func (s *stand) spans(specs []spanSpec) {
	s.t.Helper()
	s.append(journal.Entry{Items: uint32(len(specs)), Body: encode(s.t, specs)})
}

func (s *stand) open(name string, from journal.Position) (Cursor, error) {
	c, err := s.j.NewCursor(name, from, false)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (s *stand) deps(transport http.RoundTripper) Deps {
	return Deps{
		Dir: s.dir, Open: s.open, Version: "1.2.3", Instance: "instance-1",
		Transport: transport, Random: func() float64 { return 0.5 },
	}
}

// sink starts a sink towards b; the test's end stops it.
func (s *stand) sink(b *backend, c Config) *Sink {
	s.t.Helper()
	if c.Name == "" {
		c.Name = "sink"
	}
	if c.Endpoint == "" {
		c.Endpoint = "http://backend.test/v1/traces"
	}
	sink, err := New(c, s.deps(b.transport()))
	if err != nil {
		s.t.Fatal(err)
	}
	sink.pump.first = int64(sink.config.BatchSpans)
	if s.first > 0 {
		sink.pump.first = s.first
	}
	sink.Start()
	s.t.Cleanup(func() { stop(s.t, sink) })
	return sink
}

func stop(t testing.TB, sink *Sink) {
	t.Helper()
	if err := sink.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// account is the part of a status that has to add up.
type account struct{ Admitted, Queue, Sent, Rejected, Dead, Expired, SampledOut, Repeated int64 }

func accountOf(s Status) account {
	return account{s.AdmittedSpans, s.QueueSpans, s.SentSpans, s.RejectedSpans, s.DeadLetteredSpans, s.ExpiredSpans, s.SampledOutSpans, s.RepeatedSpans}
}

func checkAccount(t testing.TB, sink *Sink, want account) {
	t.Helper()
	got := accountOf(sink.Status())
	if got != want {
		t.Errorf("account is %+v, want %+v", got, want)
	}
	if got.Admitted != got.Queue+got.Sent+got.Dead+got.Expired+got.SampledOut+got.Repeated {
		t.Errorf("%+v does not add up", got)
	}
}

var _ Cursor = (*journal.Cursor)(nil)

func secret(text string) telemetry.Secret { return telemetry.NewSecret(text) }
