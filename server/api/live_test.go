package api

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// movingObjectives has one alert, whose state can be changed.
type movingObjectives struct{ state atomic.Value }

func (o *movingObjectives) KPIs(context.Context) (any, error) { return struct{}{}, nil }

func (o *movingObjectives) Alerts() any {
	type instance struct {
		Fingerprint string    `json:"fingerprint"`
		State       string    `json:"state"`
		Value       time.Time `json:"value"` // moves all the time
	}
	type alert struct {
		Name      string     `json:"name"`
		Instances []instance `json:"instances"`
	}
	return struct {
		Alerts []alert `json:"alerts"`
	}{[]alert{{"error_rate", []instance{{"f", o.state.Load().(string), time.Now()}}}}}
}

// flusher is a recorder whose deadlines a controller may set.
type flusher struct {
	*httptest.ResponseRecorder
}

func (flusher) SetWriteDeadline(time.Time) error { return nil }

// listen reads a stream for a while of the fake clock and gives its events' names,
// "breath" for a comment.
func listen(t *testing.T, a *API, ctx context.Context) []string {
	t.Helper()
	w := flusher{httptest.NewRecorder()}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/monitoring/live", nil)
	r.Host = "localhost"
	a.Handler().ServeHTTP(w, r)
	var names []string
	for lines := bufio.NewScanner(w.Body); lines.Scan(); {
		if name, is := strings.CutPrefix(lines.Text(), "event: "); is {
			names = append(names, name)
		} else if strings.HasPrefix(lines.Text(), ":") {
			names = append(names, "breath")
		}
	}
	return names
}

// stillDocuments say the same until something is posted.
type stillDocuments struct{ text atomic.Value }

func (d *stillDocuments) Metrics(context.Context, Narrow) (any, error) { return d.text.Load(), nil }

func (d *stillDocuments) Summary(context.Context, Narrow) (any, error) { return d.text.Load(), nil }

func still(text string) *stillDocuments {
	d := &stillDocuments{}
	d.text.Store(text)
	return d
}

func newLive(t *testing.T, o Options) *API {
	t.Helper()
	o.Log, o.Meter = &fakeLog{}, &fakeMeter{}
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestLiveTellsWhatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		documents, objectives := still("one"), &movingObjectives{}
		objectives.state.Store("inactive")
		a := newLive(t, Options{Documents: documents, Objectives: objectives})
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second+time.Millisecond)
		defer cancel()
		time.AfterFunc(2500*time.Millisecond, func() { documents.text.Store("two") })
		time.AfterFunc(7*time.Second, func() { objectives.state.Store("firing") })
		got := strings.Join(listen(t, a, ctx), " ")
		// Both at first, what changed when it did, then a breath every 15 s.
		if want := "summary alerts summary alerts breath breath"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		if a.streams.Load() != 0 {
			t.Error("the stream still counts")
		}
	})
}

func TestLiveEndsWithTheService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopping := make(chan struct{})
		a := newLive(t, Options{Documents: still("one"), Stopping: stopping})
		began := time.Now()
		time.AfterFunc(3500*time.Millisecond, func() { close(stopping) })
		listen(t, a, t.Context())
		if took := time.Since(began); took != 3500*time.Millisecond {
			t.Errorf("ended after %v", took)
		}
	})
}

func TestLiveStreamsAreBounded(t *testing.T) {
	a := newLive(t, Options{Documents: still("one")})
	a.streams.Store(mostLive)
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/monitoring/live", nil)
	r.Host = "localhost"
	a.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || a.streams.Load() != mostLive {
		t.Errorf("%d, Retry-After %q, %d streams", w.Code, w.Header().Get("Retry-After"), a.streams.Load())
	}
}

func TestPageIsForWhoeverReadsPages(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("page " + r.URL.Path)) })
	a := newLive(t, Options{Documents: still("one"), Page: page})
	for _, tt := range []struct{ path, accept, want string }{
		{"/", "text/html,application/xhtml+xml,*/*;q=0.8", "page /"},
		{"/", "*/*", `{"service":`},
		{"/", "application/json", `{"service":`},
		{"/assets/app.js", "*/*", "page /assets/app.js"},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, tt.path, nil)
		r.Host = "localhost"
		r.Header.Set("Accept", tt.accept)
		a.Handler().ServeHTTP(w, r)
		if !strings.HasPrefix(w.Body.String(), tt.want) || w.Code != http.StatusOK {
			t.Errorf("%s for %s: %d %.60s", tt.path, tt.accept, w.Code, w.Body)
		}
	}
}
