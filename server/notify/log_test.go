package notify

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/server/alerting"
	"treq/telemetry"
)

// A line in the middle that was damaged costs what it says and nothing else, and
// is kept beside.
func TestDamagedLog(t *testing.T) {
	dir := t.TempDir()
	open := func() *Dispatcher {
		d, err := Open(settings(hook("a")), Deps{Dir: dir, transport: newNetwork()})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	path := filepath.Join(dir, "alerts.log")
	d := open()
	for _, name := range []string{"x", "y", "z"} {
		if err := d.Notify(t.Context(), []alerting.Alert{alert(name, "errors", alerting.Warning)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the log has mode %v", info.Mode())
	}
	damaged := bytes.Replace(content, []byte(`"Fingerprint":"y"`), []byte(`"Fingerprint":"Y"`), 1)
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	d = open()
	if got := fingerprints(d.Firing()); cmp.Diff([]string{"x", "z"}, got) != "" {
		t.Errorf("Firing() = %v, want x and z", got)
	}
	if kept, err := os.ReadFile(path + ".damaged"); err != nil || !bytes.Equal(kept, damaged) {
		t.Errorf("the damaged log is not kept: %v", err)
	}
	if err := d.Notify(t.Context(), []alerting.Alert{alert("w", "errors", alerting.Warning)}); err != nil {
		t.Fatal(err)
	}
	if err := d.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if content, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	if _, bad, torn := decodeLog(content); bad != 0 || torn {
		t.Errorf("the log still has %d damaged lines", bad)
	}
	d = open()
	if got := fingerprints(d.Firing()); cmp.Diff([]string{"w", "x", "z"}, slices.Sorted(slices.Values(got))) != "" {
		t.Errorf("Firing() = %v after the next start", got)
	}
	_ = d.Stop(t.Context())
}

func fingerprints(alerts []alerting.Alert) []string {
	var out []string
	for _, a := range alerts {
		out = append(out, a.Fingerprint)
	}
	return out
}

// The book is bounded: what is settled goes first, firings that still stand never.
func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, settings(hook("a")))
		defer r.stop()
		var alerts []alerting.Alert
		for i := range maxEpisodes {
			alerts = append(alerts, alert(fmt.Sprint("old-", i), "errors", alerting.Warning))
		}
		r.tell(alerts...)
		time.Sleep(time.Minute)
		if err := r.Notify(t.Context(), []alerting.Alert{alert("more", "errors", alerting.Warning)}); telemetry.KindOf(err) != telemetry.Unavailable {
			t.Errorf("one more than fit: %v", err)
		}
		for i := range alerts[:10] {
			alerts[i] = ended(alerts[i])
		}
		r.tell(alerts[:10]...)
		time.Sleep(10 * time.Minute)
		r.tell(alert("more", "errors", alerting.Warning))
		if got := len(r.Firing()); got != maxEpisodes-9 {
			t.Errorf("%d fire, want %d", got, maxEpisodes-9)
		}
	})
}

// An end that nobody can be told of is given up after a week, and what everybody
// knows is forgotten after a day.
func TestForgetting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, settings(hook("a"), hook("gone")))
		defer r.stop()
		r.net.misbehave("gone", func(attempt) fault { return fault{reset: true} })
		x := alert("x", "errors", alerting.Warning)
		r.tell(x)
		time.Sleep(time.Hour)
		r.tell(ended(x))
		time.Sleep(giveUpAfter - time.Hour)
		if got := r.Status()[1]; got.Waiting != 1 || got.OldestAgeSeconds < (giveUpAfter-2*time.Hour).Seconds() {
			t.Errorf("status before = %+v", got)
		}
		time.Sleep(2 * time.Hour)
		if got := r.Status()[1]; got.Waiting != 0 {
			t.Errorf("status after = %+v", got)
		}
		synctest.Wait() // nobody writes to the log meanwhile
		if !bytes.Contains(r.log.Bytes(), []byte("given up")) {
			t.Errorf("nothing is said of it: %s", r.log)
		}
		y := alert("y", "errors", alerting.Warning)
		r.tell(y)
		r.net.misbehave("gone", nil)
		time.Sleep(time.Hour)
		r.tell(ended(y))
		time.Sleep(rememberAfter + time.Hour)
		r.tell(alert("z", "errors", alerting.Warning))
		if got := len(r.book.episodes); got != 1 {
			t.Errorf("%d firings are remembered, want z alone", got)
		}
	})
}
