package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/otlp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeLog keeps entries as the journal does: an equal hash is a duplicate.
type fakeLog struct {
	mu      sync.Mutex
	entries []journal.Entry
	err     error
}

func (l *fakeLog) Append(_ context.Context, e *journal.Entry) (journal.Receipt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return journal.Receipt{}, l.err
	}
	for i, old := range l.entries {
		if e.Hash != [16]byte{} && e.Hash == old.Hash {
			return journal.Receipt{Position: journal.Position(i), End: journal.Position(i + 1), Duplicate: true, Check: old.Check}, nil
		}
	}
	l.entries = append(l.entries, *e)
	n := journal.Position(len(l.entries))
	return journal.Receipt{Position: n - 1, End: n, Check: e.Check}, nil
}

// last gives the records of the last entry in words: event, resource and attributes.
func (l *fakeLog) last(t *testing.T) []string {
	t.Helper()
	if len(l.entries) == 0 {
		t.Fatal("nothing was recorded")
	}
	var words logWords
	var s otlp.Scanner
	if err := s.Logs(l.entries[len(l.entries)-1].Body, &words); err != nil {
		t.Fatal(err)
	}
	return words.lines
}

type fakeMeter struct {
	mu      sync.Mutex
	ready   error
	version uint64
	waited  []journal.Position
	wait    func(ctx context.Context) error
}

func (m *fakeMeter) WaitCounted(ctx context.Context, end journal.Position) error {
	m.mu.Lock()
	m.waited = append(m.waited, end)
	m.version++
	m.mu.Unlock()
	if m.wait != nil {
		return m.wait(ctx)
	}
	return nil
}

func (m *fakeMeter) Ready() error { return m.ready }

func (m *fakeMeter) Version() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.version
}

// fakeDocuments counts how often a document was made.
type fakeDocuments struct {
	mu   sync.Mutex
	made int
	err  error
}

func (d *fakeDocuments) document(name string, n Narrow) (any, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.made++
	from := ""
	if !n.From.IsZero() {
		from = n.From.Format(time.RFC3339)
	}
	return struct {
		Document string `json:"document"`
		Service  string `json:"service"`
		From     string `json:"from,omitempty"`
		Made     int    `json:"made"`
	}{name, n.Service, from, d.made}, d.err
}

func (d *fakeDocuments) Metrics(_ context.Context, n Narrow) (any, error) {
	return d.document("metrics", n)
}

func (d *fakeDocuments) Summary(_ context.Context, n Narrow) (any, error) {
	return d.document("summary", n)
}

// fixture is an API over fakes, with a clock that stands still.
type fixture struct {
	log     *fakeLog
	meter   *fakeMeter
	docs    *fakeDocuments
	now     time.Time
	handler http.Handler
	api     *API
}

func newFixture(t testing.TB, change ...func(*Options)) *fixture {
	t.Helper()
	f := &fixture{log: &fakeLog{}, meter: &fakeMeter{}, docs: &fakeDocuments{}, now: time.Date(2026, 1, 5, 12, 0, 0, 123, time.UTC)}
	o := Options{
		Log: f.log, Meter: f.meter, Documents: f.docs, Version: "1.2.3",
		Models: func(_ context.Context, n Narrow) (any, error) { return f.docs.document("models", n) },
		Now:    func() time.Time { return f.now },
		Exposition: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("exposition"))
		}),
		SummaryExposition: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("gauges"))
		}),
		Hosts: Hosts{Loopback: true},
	}
	for _, c := range change {
		c(&o)
	}
	var err error
	if f.api, err = New(o); err != nil {
		t.Fatal(err)
	}
	f.handler = f.api.Handler()
	return f
}

// do sends a request with headers given as "Name: value".
func (f *fixture) do(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body == "" {
		r = httptest.NewRequest(method, target, nil)
	}
	r.Host = "localhost:8002"
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	return w
}

// logWords writes what a request of log records says, one line a record.
type logWords struct {
	service string
	lines   []string
}

func (l *logWords) Resource(r *otlp.Resource) {
	for _, a := range r.Attributes {
		l.service = string(a.Key) + "=" + string(a.Value.Bytes)
	}
}

func (l *logWords) Scope(*otlp.Scope) {}

func (l *logWords) LogRecord(r *otlp.LogRecord) {
	line := string(r.EventName) + " " + l.service
	for _, a := range r.Attributes {
		line += " " + string(a.Key) + "=" + words(a.Value)
	}
	l.lines = append(l.lines, line)
}

var (
	errReplay = errors.New("42 % of the log is read")
	errToken  = telemetry.Errorf(telemetry.Unauthenticated, "no")
)

func unavailable() error {
	return &telemetry.Error{Kind: telemetry.Unavailable, Message: "no room on the disk", RetryAfter: 1500 * time.Millisecond}
}
