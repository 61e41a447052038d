package history

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"

	"treq/telemetry"
)

// decoded gives a request's samples as text, by Prometheus's own reading.
func decoded(t *testing.T, body []byte) (samples []string) {
	t.Helper()
	raw, err := snappy.Decode(nil, body)
	if err != nil {
		t.Fatal(err)
	}
	var r prompb.WriteRequest
	if err := r.Unmarshal(raw); err != nil {
		t.Fatal(err)
	}
	builder := labels.NewScratchBuilder(0)
	for _, s := range r.Timeseries {
		for _, x := range s.Samples {
			samples = append(samples, s.ToLabels(&builder, nil).String()+" "+number(x.Value)+" "+time.UnixMilli(x.Timestamp).UTC().Format(time.TimeOnly))
		}
	}
	return samples
}

// Everything that is stored is written elsewhere too, with the credentials.
func TestRemoteWrite(t *testing.T) {
	var got []string
	var headers http.Header
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got, headers = append(got, decoded(t, body)...), r.Header.Clone()
		w.WriteHeader(http.StatusNoContent)
	}))
	defer elsewhere.Close()
	s := open(t, Options{RemoteWrite: RemoteWriteOptions{
		URL: elsewhere.URL, Token: telemetry.NewSecret("token"), Headers: map[string]telemetry.Secret{"X-Scope-OrgID": telemetry.NewSecret("tenant")},
	}})
	value := 3.0
	s.mustSample(t, noon, nil, false)
	app := s.Appendable().Appender(t.Context())
	if _, err := app.Append(0, labels.FromStrings(model.MetricNameLabel, "rule:x"), noon.UnixMilli(), value); err != nil {
		t.Fatal(err)
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil { // gives what waits a chance
		t.Fatal(err)
	}
	want := []string{
		`{__name__="up", instance="here", job="treq-telemetry"} 1.0 12:00:00`,
		`{__name__="rule:x", instance="here"} 3.0 12:00:00`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer token", "X-Scope-Orgid": "tenant", "Content-Encoding": "snappy", "Content-Type": "application/x-protobuf", "X-Prometheus-Remote-Write-Version": "0.1.0",
	} {
		if headers.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, headers.Get(name), value)
		}
	}
	if st := s.Status(); st.Sent != 2 || st.WaitingBytes != 0 {
		t.Errorf("status %+v", st)
	}
}

// Credentials go to the configured server and to nobody that it redirects to.
func TestRemoteWriteFollowsNobody(t *testing.T) {
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer stranger.Close()
	elsewhere := httptest.NewServer(http.RedirectHandler(stranger.URL, http.StatusTemporaryRedirect))
	defer elsewhere.Close()
	client, err := newClient(TLSFiles{}, telemetry.NewSecret("token"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	if v := poster(client, elsewhere.URL)(t.Context(), nil); v.err == nil || v.again {
		t.Errorf("got %+v", v)
	}
}

// What the status says decides: 5xx and 429 are tried again, when told, others not.
func TestRemoteWriteVerdicts(t *testing.T) {
	for status, want := range map[int]verdict{
		200: {}, 204: {}, 400: {}, 404: {}, 500: {again: true}, 503: {again: true, after: 7 * time.Second}, 429: {again: true, after: 7 * time.Second},
	} {
		elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if want.after > 0 {
				w.Header().Set("Retry-After", "7")
			}
			w.WriteHeader(status)
		}))
		client, err := newClient(TLSFiles{}, telemetry.Secret{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		v := poster(client, elsewhere.URL)(t.Context(), nil)
		if (v.err == nil) != (status/100 == 2) || v.again != want.again || v.after != want.after {
			t.Errorf("%d: %+v, want %+v", status, v, want)
		}
		client.CloseIdleConnections()
		elsewhere.Close()
		if v := poster(client, elsewhere.URL)(t.Context(), nil); !v.again {
			t.Errorf("a server that is gone: %+v", v)
		}
	}
}

// scripted is a writer whose server answers as it is told.
func scripted(queue int64, answer func(body string) verdict) *writer {
	w := &writer{
		o: RemoteWriteOptions{QueueBytes: queue}, log: slog.New(slog.DiscardHandler), release: func() {},
		post:    func(_ context.Context, body []byte) verdict { return answer(string(body)) },
		changed: make(chan struct{}, 1), ended: make(chan struct{}), closing: make(chan struct{}),
	}
	w.start(func(func(request) bool) {})
	return w
}

// While a server is down samples wait, at most as many bytes as they may; when it
// is back they come in order. Adding never waits.
func TestRemoteWriteWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		var tries atomic.Int64
		var got []string
		w := scripted(3, func(body string) verdict {
			if tries.Add(1); !up.Load() {
				return verdict{err: errors.New("down"), again: true}
			}
			if body == "d" {
				return verdict{err: errors.New("bad")}
			}
			got = append(got, body)
			return verdict{}
		})
		for _, body := range []string{"a", "b", "c", "d", "e"} {
			w.add(request{body: []byte(body), samples: 1})
			synctest.Wait()
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := tries.Load(); n < 100 || n > 140 {
			t.Errorf("%d tries in an hour", n)
		}
		up.Store(true)
		time.Sleep(time.Minute)
		w.close()
		// The first was on its way, the next is the oldest of those that waited.
		if diff := cmp.Diff([]string{"a", "c", "e"}, got); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
		if w.sent.Load() != 3 || w.dropped.Load() != 1 || w.refused.Load() != 1 {
			t.Errorf("sent %d, dropped %d, refused %d", w.sent.Load(), w.dropped.Load(), w.refused.Load())
		}
	})
}

// A server that does not answer does not hold up a stop.
func TestRemoteWriteStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := scripted(1<<20, func(string) verdict { return verdict{err: errors.New("down"), again: true, after: mostPause} })
		w.add(request{body: []byte("a"), samples: 5})
		begin := time.Now()
		w.close()
		if took := time.Since(begin); took > lastSends {
			t.Errorf("the stop took %v", took)
		}
		if w.dropped.Load() != 5 {
			t.Errorf("%d dropped", w.dropped.Load())
		}
	})
}
