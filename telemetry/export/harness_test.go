package export

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

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

// post is a request as the backend got it.
type post struct {
	at     time.Time
	header http.Header
	path   string
	raw    []byte
	spans  []spanSpec
}

// backend is a sink's other end, on a network in memory so that synctest's clock
// rules it. Each request is answered by the next of the script, then by respond.
type backend struct {
	t      testing.TB
	listen *pipeListener
	server *http.Server

	mu      sync.Mutex
	script  []http.HandlerFunc
	respond http.HandlerFunc
	posts   []post
	taken   map[uint64]int // by span id
	refuse  error          // of dialling
}

func newBackend(t testing.TB, script ...http.HandlerFunc) *backend {
	b := &backend{t: t, listen: &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}, taken: map[uint64]int{}, script: script}
	b.server = &http.Server{Handler: b, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = b.server.Serve(b.listen)
	}()
	t.Cleanup(func() {
		_ = b.server.Close()
		<-served
	})
	return b
}

// transport reaches the backend whatever the address.
func (b *backend) transport() *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		b.mu.Lock()
		refuse := b.refuse
		b.mu.Unlock()
		if refuse != nil {
			return nil, refuse
		}
		return b.listen.dial(ctx)
	}, DisableCompression: true}
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	body := raw
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err == nil {
			body, err = io.ReadAll(z)
		}
		if err != nil {
			b.t.Errorf("gzip: %v", err)
		}
	}
	p := post{time.Now(), r.Header, r.URL.Path, raw, decode(b.t, body)}
	b.mu.Lock()
	b.posts = append(b.posts, p)
	answer := b.respond
	if len(b.script) > 0 {
		answer, b.script = b.script[0], b.script[1:]
	}
	b.mu.Unlock()
	if answer == nil {
		answer = ok
	}
	recorder := &statusWriter{ResponseWriter: w}
	answer(recorder, r.WithContext(context.WithValue(r.Context(), postKey{}, p)))
	if recorder.status >= 200 && recorder.status < 300 {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, span := range p.spans {
			b.taken[span.id]++
		}
	}
}

type postKey struct{}

func postOf(r *http.Request) post { return r.Context().Value(postKey{}).(post) }

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (b *backend) got() []post {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.posts)
}

// checkTaken demands that each of the ids 1 to n was taken exactly once, save
// those excepted, which were never.
func (b *backend) checkTaken(n int, except ...uint64) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for id := uint64(1); id <= uint64(n); id++ {
		want := 1
		if slices.Contains(except, id) {
			want = 0
		}
		if b.taken[id] != want {
			b.t.Errorf("span %d was taken %d times, want %d", id, b.taken[id], want)
		}
	}
	if want := n - len(except); len(b.taken) != want {
		b.t.Errorf("%d spans were taken, want %d", len(b.taken), want)
	}
}

// The answers of a script.

func ok(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// refuseBad answers code to requests with a bad span.
func refuseBad(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if slices.ContainsFunc(postOf(r).spans, func(s spanSpec) bool { return s.bad }) {
			w.WriteHeader(code)
			return
		}
		w.WriteHeader(http.StatusOK)
	}
}

var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}

type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.closed:
		return nil, errRefused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, errors.New("closed")
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// stand is a journal with a data directory.
type stand struct {
	t   testing.TB
	dir string
	j   *journal.Journal
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
type account struct{ Admitted, Queue, Sent, Rejected, Dead, Expired int64 }

func accountOf(s Status) account {
	return account{s.AdmittedSpans, s.QueueSpans, s.SentSpans, s.RejectedSpans, s.DeadLetteredSpans, s.ExpiredSpans}
}

func checkAccount(t testing.TB, sink *Sink, want account) {
	t.Helper()
	got := accountOf(sink.Status())
	if got != want {
		t.Errorf("account is %+v, want %+v", got, want)
	}
	if got.Admitted != got.Queue+got.Sent+got.Dead+got.Expired {
		t.Errorf("%+v does not add up", got)
	}
}

var _ Cursor = (*journal.Cursor)(nil)

func secret(text string) telemetry.Secret { return telemetry.NewSecret(text) }
