package history

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// elsewhere is a server that takes samples while it is up.
type elsewhere struct {
	*httptest.Server
	mu      sync.Mutex
	up      bool
	samples []string
}

func startElsewhere(t *testing.T) *elsewhere {
	e := new(elsewhere)
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		if !e.up {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		e.samples = append(e.samples, decoded(t, body)...)
	}))
	t.Cleanup(e.Close)
	return e
}

// taken gives what came since it was last asked for, and whether more is taken from now on.
func (e *elsewhere) taken(up bool) (samples []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	samples, e.samples, e.up = e.samples, nil, up
	slices.Sort(samples)
	return samples
}

// killed gives the directory as a kill leaves it.
func (s *Store) killed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir() + "/history"
	if err := os.CopyFS(dir, os.DirFS(s.o.Dir)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// What a killed process had stored and not sent is sent by the next, with the zeros
// that new counters begin with, once.
func TestRemoteWriteAfterAKill(t *testing.T) {
	t.Parallel()
	e, now := startElsewhere(t), noon
	options := Options{Step: time.Minute, Now: func() time.Time { return now }, RemoteWrite: RemoteWriteOptions{URL: e.URL}}
	after := func(dir string) *Store {
		t.Helper()
		o := options
		o.Dir = dir
		return open(t, o)
	}
	closed := func(s *Store) []string {
		t.Helper()
		if err := s.Close(); err != nil { // sends what waits
			t.Fatal(err)
		}
		return e.taken(false)
	}
	first, a := after(""), newApp()
	if err := first.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.chats.WithLabelValues("svc").Add(31)
	first.mustSample(t, noon, a.families(t), false)
	app := first.Appendable().Appender(t.Context())
	if _, err := app.Append(0, labels.FromStrings(model.MetricNameLabel, "rule:x", "job", Job, "instance", "here"), noon.UnixMilli(), 0); err != nil {
		t.Fatal(err)
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	dir := first.killed(t)
	if got := closed(first); got != nil {
		t.Errorf("a server that is away took %v", got)
	}

	e.taken(true)
	want := []string{
		`{__name__="process_memory_usage_bytes", instance="here", job="treq-telemetry"} 0.0 12:00:00`,
		`{__name__="treq_chat_tokens_total", instance="here", job="treq-telemetry", service_name="svc"} 0.0 11:59:00`,
		`{__name__="treq_chat_tokens_total", instance="here", job="treq-telemetry", service_name="svc"} 31.0 12:00:00`,
		`{__name__="up", instance="here", job="treq-telemetry"} 1.0 11:59:00`,
		`{__name__="up", instance="here", job="treq-telemetry"} 1.0 12:00:00`,
	}
	second := after(dir)
	got := closed(second)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("after the kill (-want +got):\n%s", diff)
	}
	if st := second.Status(); st.Sent != 5 || st.Dropped != 0 || st.Refused != 0 {
		t.Errorf("status %+v", st)
	}

	// Nothing is sent again; what comes goes on.
	e.taken(true)
	now = noon.Add(time.Minute)
	third := after(dir)
	third.mustSample(t, now, nil, true)
	if diff := cmp.Diff(3, len(closed(third))); diff != "" { // up, and the ends of two series
		t.Errorf("after all was taken (-want +got):\n%s", diff)
	}

	// A process that ends in peace while the server is away leaves what it has too.
	now = noon.Add(2 * time.Minute)
	fourth := after(dir)
	fourth.mustSample(t, now, nil, true)
	if got := closed(fourth); got != nil {
		t.Errorf("a server that is away took %v", got)
	}
	e.taken(true)
	want = []string{`{__name__="up", instance="here", job="treq-telemetry"} 1.0 12:02:00`}
	if diff := cmp.Diff(want, closed(after(dir))); diff != "" {
		t.Errorf("after a stop (-want +got):\n%s", diff)
	}
}

// What is too old for a Prometheus is not sent, nor what was stored before samples
// were to be written elsewhere.
func TestRemoteWriteLeavesWhatIsOld(t *testing.T) {
	t.Parallel()
	e, now := startElsewhere(t), noon
	options := Options{Dir: t.TempDir() + "/history", Step: time.Minute, Now: func() time.Time { return now }}
	sample := func(at time.Duration) {
		t.Helper()
		s := open(t, options)
		s.mustSample(t, noon.Add(at), nil, true)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	sample(0)
	options.RemoteWrite.URL = e.URL
	sample(time.Minute)
	sample(30 * time.Minute)
	e.taken(true)
	now = noon.Add(80 * time.Minute)
	sample(80 * time.Minute)
	want := []string{
		`{__name__="up", instance="here", job="treq-telemetry"} 1.0 12:30:00`,
		`{__name__="up", instance="here", job="treq-telemetry"} 1.0 13:20:00`,
	}
	if diff := cmp.Diff(want, e.taken(true)); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
}

// A note that cannot be read costs what was left, and nothing else.
func TestRemoteWriteNoteDamaged(t *testing.T) {
	e, dir := startElsewhere(t), t.TempDir()+"/history"
	for _, at := range []time.Duration{0, time.Minute} {
		s := open(t, Options{Dir: dir, Now: func() time.Time { return noon }, RemoteWrite: RemoteWriteOptions{URL: e.URL}})
		s.mustSample(t, noon.Add(at), nil, true)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		e.taken(true)
		if err := os.WriteFile(dir+"/"+settledFile, []byte("?"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := readSettled(dir + "/" + settledFile); err == nil {
		t.Errorf("read %d", got)
	}
}
