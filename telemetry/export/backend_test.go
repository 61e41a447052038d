package export

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

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

	members int // takesAll, takesFirst or refusesMore; set before it is used

	mu      sync.Mutex
	probes  int // requests without a span that ask
	unread  int // requests whose gzip was not taken
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
		if body, err = b.unzip(raw); err != nil {
			b.mu.Lock()
			b.unread++
			b.mu.Unlock()
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	if r.Header.Get(probeHeader) != "" {
		b.mu.Lock()
		b.probes++
		b.mu.Unlock()
		if len(body) > 0 {
			w.WriteHeader(http.StatusBadRequest)
		}
		return
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

// errMembers is how a backend answers that takes one member only.
var errMembers = errors.New("bytes behind the gzip")

func (b *backend) unzip(raw []byte) ([]byte, error) {
	from := bytes.NewReader(raw)
	z, err := gzip.NewReader(from)
	if err != nil {
		b.t.Errorf("gzip: %v", err)
		return nil, err
	}
	z.Multistream(b.members == takesAll)
	body, err := io.ReadAll(z)
	if err != nil {
		b.t.Errorf("gzip: %v", err)
	}
	if b.members == refusesMore && from.Len() > 0 {
		err = errMembers
	}
	return body, err
}

// What a backend does with gzip of several members.
const (
	takesAll = iota
	takesFirst
	refusesMore
)

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

// takesAndHangs takes a request whose answer never arrives.
func takesAndHangs(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	<-r.Context().Done()
}

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
