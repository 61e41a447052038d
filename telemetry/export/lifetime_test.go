package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"treq/telemetry"
)

type secretValue = telemetry.Secret

// What was not delivered before a stop is delivered after the next start, and
// the account goes on.
func TestRestart(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		stand.spans(ids(1, 10))
		first := stand.sink(b, Config{BatchSpans: 5})
		settleFor(time.Second)
		b.mu.Lock()
		b.refuse = errRefused
		b.mu.Unlock()
		first.sender.transport.(*http.Transport).CloseIdleConnections()
		stand.spans(ids(11, 10))
		stand.spans(ids(21, 10))
		settleFor(time.Minute)
		checkAccount(t, first, account{Admitted: 30, Sent: 10, Queue: 20})
		stop(t, first)
		checkAccount(t, first, account{Admitted: 30, Sent: 10, Queue: 20})
		if s := first.Status(); s.State != Stopped {
			t.Errorf("state is %s", s.State)
		}
		stand.spans(ids(31, 10))

		b.mu.Lock()
		b.refuse = nil
		b.mu.Unlock()
		second := stand.sink(b, Config{BatchSpans: 5})
		settleFor(time.Second)
		checkAccount(t, second, account{Admitted: 40, Sent: 40})
		b.checkTaken(40)
	})
}

// After a crash a sink goes on from the position on disk: it may send again, and
// its account stays true.
func TestCrash(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		b.respond = func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(300 * time.Millisecond)
			refuseBad(400)(w, r)
		}
		for i := range 20 {
			specs := ids(1+10*i, 10)
			specs[3].bad = i%5 == 0
			stand.spans(specs)
		}
		first := stand.sink(b, Config{BatchSpans: 10})
		settleFor(4 * time.Second)
		crashed, err := os.ReadFile(first.statePath)
		if err != nil {
			t.Fatal(err)
		}
		settleFor(500 * time.Millisecond)
		stop(t, first)
		if err := errors.Join(os.WriteFile(first.statePath, crashed, 0o600), os.Remove(notePath(first.statePath))); err != nil {
			t.Fatal(err)
		}
		second := stand.sink(b, Config{BatchSpans: 10})
		before := accountOf(second.Status())
		if before.Admitted != 200 || before.Sent == 0 || before.Sent+before.Dead+before.Queue != 200 {
			t.Errorf("account after the crash is %+v", before)
		}
		settleFor(time.Minute)
		checkAccount(t, second, account{Admitted: 200, Sent: 196, Dead: 4})
		for id := uint64(1); id <= 200; id++ {
			if bad := (id-4)%50 == 0; b.taken[id] == 0 != bad {
				t.Errorf("span %d was taken %d times", id, b.taken[id])
			}
		}
	})
}

func TestDamagedStateStartsAtTheOldest(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		stand.spans(ids(1, 10))
		first := stand.sink(b, Config{})
		settleFor(time.Second)
		stop(t, first)
		content, err := os.ReadFile(first.statePath)
		if err != nil {
			t.Fatal(err)
		}
		damaged := bytes.Replace(content, []byte(`"sent":10`), []byte(`"sent":99`), 1)
		if err := errors.Join(os.WriteFile(first.statePath, damaged, 0o600), os.Remove(notePath(first.statePath))); err != nil {
			t.Fatal(err)
		}
		second := stand.sink(b, Config{})
		settleFor(time.Second)
		checkAccount(t, second, account{Admitted: 10, Sent: 10})
		if n := b.taken[1]; n != 2 {
			t.Errorf("taken %d times, want 2", n)
		}
		if _, err := os.Stat(second.statePath + ".damaged"); err != nil {
			t.Error(err)
		}
	})
}

// A sink whose backend hangs delays nobody else.
func TestIsolation(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, healthy *backend) {
		hanging := newBackend(t)
		hanging.respond = hang
		slow := stand.sink(hanging, Config{Name: "hanging"})
		well := stand.sink(healthy, Config{Name: "healthy"})
		for i := range 30 {
			stand.spans(ids(1+10*i, 10))
			settleFor(time.Second)
			checkAccount(t, well, account{Admitted: int64(10 * (i + 1)), Sent: int64(10 * (i + 1))})
		}
		checkAccount(t, slow, account{Admitted: 300, Queue: 300})
		s := slow.Status()
		if s.OldestAgeSeconds != 30 || s.QueueBytes == 0 {
			t.Errorf("oldest is %v s, %d bytes wait", s.OldestAgeSeconds, s.QueueBytes)
		}
	})
}

// Stop is bounded whatever the backend does, and uses its time where the backend
// works.
func TestStop(t *testing.T) {
	tests := []struct {
		name    string
		respond http.HandlerFunc
		refuse  error
		settle  time.Duration
		took    time.Duration
		sent    int64
	}{
		{"healthy", ok, nil, time.Second, 0, 20},
		{"slow", func(w http.ResponseWriter, _ *http.Request) { time.Sleep(time.Second); w.WriteHeader(200) }, nil, time.Second, time.Second, 20},
		{"hanging", hang, nil, 15 * time.Second, 2 * time.Second, 0},
		{"refusing connections", nil, errRefused, 15 * time.Second, 0, 0},
		{"503", status(503), nil, 15 * time.Second, 0, 0},
		{"401", status(401), nil, 15 * time.Second, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
				b.respond, b.refuse = test.respond, test.refuse
				sink := stand.sink(b, Config{Delay: 10 * time.Second})
				stand.spans(ids(1, 20))
				settleFor(test.settle)
				start := time.Now()
				stop(t, sink)
				if took := time.Since(start); took > test.took {
					t.Errorf("took %v, want at most %v", took, test.took)
				}
				checkAccount(t, sink, account{Admitted: 20, Sent: test.sent, Queue: 20 - test.sent})
				stop(t, sink)
			})
		})
	}
}

func TestStopObeysItsContext(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		b.respond = hang
		stand.spans(ids(1, 1))
		sink := stand.sink(b, Config{})
		settleFor(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		if err := sink.Stop(ctx); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 100*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

func TestStopWithoutStart(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		sink, err := New(Config{Name: "sink", Endpoint: "http://backend.test"}, stand.deps(b.transport()))
		if err != nil {
			t.Fatal(err)
		}
		stop(t, sink)
		sink.Start()
		if s := sink.Status(); s.State != Stopped {
			t.Errorf("state is %s", s.State)
		}
	})
}

// No secret leaves by any way but the request.
func TestSecretsStaySecret(t *testing.T) {
	const canary = "canary-7d3f"
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		config := Config{
			Name: "sink", Profile: "langsmith", Endpoint: "http://user:" + canary + "-password@backend.test/in?token=" + canary + "-query",
			APIKey:  secret(canary + "-key"),
			Headers: map[string]secretValue{"Authorization": secret("Bearer " + canary + "-header")},
		}
		b.script = []http.HandlerFunc{
			func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = fmt.Fprintf(w, "no such key: %s %s %s", r.Header.Get("X-Api-Key"), r.Header.Get("Authorization"), r.URL.RawQuery)
			},
			reset,
			func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusConflict)
				_, _ = io.WriteString(w, r.Header.Get("X-Api-Key"))
			},
		}
		var out, all bytes.Buffer
		deps := stand.deps(b.transport())
		deps.Logger = slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		sink, err := New(config, deps)
		if err != nil {
			t.Fatal(err)
		}
		stand.spans(ids(1, 1))
		sink.Start()
		for range 10 {
			settleFor(time.Minute)
			shown, err := json.Marshal(sink.Status())
			if err != nil {
				t.Fatal(err)
			}
			all.Write(shown)
		}
		stop(t, sink)
		checkAccount(t, sink, account{Admitted: 1, Dead: 1})
		for _, suffix := range []string{".json", ".dead"} {
			content, err := os.ReadFile(filepath.Join(stand.dir, "sinks", "sink"+suffix))
			if err != nil {
				t.Fatal(err)
			}
			all.Write(content)
		}
		all.Write(out.Bytes())
		fmt.Fprintf(&all, "%v %+v %#v", config.Headers, config.APIKey, config.Headers)
		config.Compression = "brotli"
		config.Headers["Bad Name"] = secret(canary + "\n")
		fmt.Fprint(&all, config.Validate(), config.SelfCheck([]string{"127.0.0.1:80"}))
		if strings.Contains(all.String(), canary) {
			t.Errorf("a secret shows in %s", all.String())
		}
		if !strings.Contains(all.String(), "no such key: [REDACTED] [REDACTED] [REDACTED]") {
			t.Errorf("the reason is missing in %s", all.String())
		}
	})
}

func TestSet(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		deps := stand.deps(b.transport())
		one := Config{Name: "one", Endpoint: "http://backend.test"}
		if _, err := NewSet([]Config{one, one}, deps); err == nil || telemetry.KindOf(err) != telemetry.Unprocessable {
			t.Errorf("two of one name: %v", err)
		}
		two := one
		two.Name = "two"
		set, err := NewSet([]Config{one, two}, deps)
		if err != nil {
			t.Fatal(err)
		}
		set.Start()
		b.mu.Lock()
		b.respond = status(401)
		b.mu.Unlock()
		if stuck := set.Stuck(); stuck != nil {
			t.Errorf("stuck are %v", stuck)
		}
		stand.spans(ids(1, 1))
		settleFor(time.Second)
		if stuck := set.Stuck(); len(stuck) != 2 {
			t.Errorf("stuck are %v", stuck)
		}
		if err := set.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		all := set.Status()
		if len(all) != 2 || all[0].Name != "one" || all[1].State != Stopped {
			t.Errorf("status is %+v", all)
		}
		empty, err := NewSet(nil, deps)
		if err != nil {
			t.Fatal(err)
		}
		if shown, err := json.Marshal(empty.Status()); err != nil || string(shown) != "[]" {
			t.Errorf("no sinks show as %s (%v)", shown, err)
		}
	})
}

// A record of which a stop left a part goes on there, however the part was made.
func TestStopWithinARecord(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		b.script = []http.HandlerFunc{status(413), ok, hang}
		stand.spans(ids(1, 10))
		sink := stand.sink(b, Config{})
		settleFor(time.Second)
		checkAccount(t, sink, account{Admitted: 10, Sent: 5, Queue: 5})
		stop(t, sink)
		checkAccount(t, sink, account{Admitted: 10, Sent: 5, Queue: 5})
		sink = stand.sink(b, Config{})
		settleFor(time.Second)
		checkAccount(t, sink, account{Admitted: 10, Sent: 10})
		b.checkTaken(10)
	})
}
