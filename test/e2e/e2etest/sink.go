package e2etest

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Reply is what a sink does with one request. The zero value takes it.
type Reply struct {
	// Status is the answer's; 0 is 200. Only spans of an answer below 300 count as delivered.
	Status int
	Header http.Header
	Body   []byte
	// Delay comes before the answer.
	Delay time.Duration
	// Hang keeps the request open until the client or the sink gives up.
	Hang bool
	// Reset closes the connection without an answer.
	Reset bool
}

// Script decides on a request by its number, from 0, and its content. It may be
// called from several goroutines at once.
type Script func(n int, r Received) Reply

// Received is one request that a sink got.
type Received struct {
	Path   string
	Header http.Header
	Spans  []*trace.Span
	// Resources counts the resources of the request.
	Resources int
	// Status is what was answered; 0 for none.
	Status int
}

// Sequence answers request by request, and takes everything after the last.
func Sequence(replies ...Reply) Script {
	return func(n int, _ Received) Reply {
		if n < len(replies) {
			return replies[n]
		}
		return Reply{}
	}
}

// Delivery is what a sink knows of one span.
type Delivery struct {
	Times  int
	Digest uint64 // of the last one
}

// Sink is an OTLP/HTTP trace sink that behaves as its script says, and remembers
// what it took. It is safe for concurrent use.
type Sink struct {
	t    testing.TB
	addr string

	mu        sync.Mutex
	server    *http.Server // nil while down
	cancel    context.CancelFunc
	script    Script
	n         int
	requests  []Received
	delivered map[Key]Delivery
	serving   sync.WaitGroup
}

// NewSink opens a sink on loopback that takes everything. It closes with the test.
func NewSink(t testing.TB) *Sink {
	t.Helper()
	ports, err := freePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	s := &Sink{t: t, addr: ports[0], delivered: make(map[Key]Delivery)}
	s.Up()
	t.Cleanup(s.Down)
	return s
}

// URL is the address of the sink, without a path.
func (s *Sink) URL() string { return "http://" + s.addr }

// Play sets the script and starts its count anew.
func (s *Sink) Play(script Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script, s.n = script, 0
}

// Up listens, on the same address each time.
func (s *Sink) Up() {
	s.t.Helper()
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	server := &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 10 * time.Second,
	}
	s.mu.Lock()
	s.server, s.cancel = server, cancel
	s.mu.Unlock()
	go func() { _ = server.Serve(l) }()
}

// Down closes the listener and every connection, and waits for the handlers.
func (s *Sink) Down() {
	s.mu.Lock()
	server, cancel := s.server, s.cancel
	s.server = nil
	s.mu.Unlock()
	if server != nil {
		cancel()
		_ = server.Close()
		s.serving.Wait()
	}
}

// Requests gives all requests so far, in order of arrival.
func (s *Sink) Requests() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Delivered gives what was taken, by span.
func (s *Sink) Delivered() map[Key]Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.delivered)
}

func (s *Sink) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.server == nil {
		s.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	s.serving.Add(1)
	s.mu.Unlock()
	defer s.serving.Done()

	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client was killed
	}
	got, err := decode(r, body)
	if r.Header.Get("Treq-Probe") != "" {
		// A question about how it reads, with a request that is empty or broken.
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
		return
	}
	if err != nil {
		s.t.Errorf("the sink got what it cannot read: %v", err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	reply := Reply{}
	if s.script != nil {
		reply = s.script(s.n, got)
	}
	s.n++
	s.mu.Unlock()

	if reply.Delay > 0 {
		select {
		case <-time.After(reply.Delay):
		case <-r.Context().Done():
		}
	}
	switch {
	case reply.Hang:
		s.note(got)
		<-r.Context().Done()
		return
	case reply.Reset:
		s.note(got)
		panic(http.ErrAbortHandler)
	}
	got.Status = max(reply.Status, http.StatusOK)
	s.note(got)
	for key, values := range reply.Header {
		w.Header()[key] = values
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(got.Status)
	_, _ = w.Write(reply.Body)
}

// note comes before the answer: what the client saw acknowledged is always here.
func (s *Sink) note(r Received) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
	if r.Status < 200 || r.Status > 299 {
		return
	}
	for _, span := range r.Spans {
		k := KeyOf(span)
		s.delivered[k] = Delivery{Times: s.delivered[k].Times + 1, Digest: digest(span)}
	}
}

func decode(r *http.Request, body []byte) (Received, error) {
	got := Received{Path: r.URL.Path, Header: r.Header.Clone()}
	if r.Method != http.MethodPost {
		return got, fmt.Errorf("%s %s", r.Method, r.URL)
	}
	switch coding := r.Header.Get("Content-Encoding"); coding {
	case "", "identity":
	case "gzip":
		unzipped, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return got, err
		}
		if body, err = io.ReadAll(unzipped); err != nil {
			return got, err
		}
	default:
		return got, fmt.Errorf("content encoding %q", coding)
	}
	if ct := r.Header.Get("Content-Type"); ct != "application/x-protobuf" {
		return got, fmt.Errorf("content type %q", ct)
	}
	var request collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &request); err != nil {
		return got, err
	}
	got.Resources = len(request.ResourceSpans)
	for _, resource := range request.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			got.Spans = append(got.Spans, scope.Spans...)
		}
	}
	return got, nil
}
