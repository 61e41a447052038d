package notify

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"treq/server/alerting"
)

// world is a process that dies when its disk does, and what is outside of it: the
// receivers, and an evaluation that tells again what it has no receipt for.
type world struct {
	t       *testing.T
	net     *network
	disk    *memoryDisk
	config  Config
	alive   *Dispatcher
	crashes int
	unsure  []alerting.Alert // told without a receipt, or with one that may be lost
	started map[string]alerting.Alert
	over    []alerting.Alert
}

// RoundTrip is the network of a living process; a dead one sends nothing.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	w.disk.mu.Lock()
	gone := w.disk.gone
	w.disk.mu.Unlock()
	if gone {
		return nil, errPower
	}
	return w.net.RoundTrip(r)
}

func (w *world) boot() {
	w.disk.mu.Lock()
	w.disk.gone = false
	w.disk.mu.Unlock()
	d, err := Open(w.config, Deps{disk: w.disk, transport: w, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		w.t.Fatal(err)
	}
	w.alive = d
	d.Start()
}

// live lets time pass, and starts the process again whenever it died.
func (w *world) live(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(time.Second)
		w.disk.mu.Lock()
		gone := w.disk.gone
		w.disk.mu.Unlock()
		if !gone {
			continue
		}
		w.crashes++
		if err := w.alive.Stop(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		w.boot()
		w.tell(w.unsure...)
	}
}

// tell does what the evaluation does: what gave an error is told again, with what
// comes next or after the next start; so is what was told last, whose receipt may
// not have been noted.
func (w *world) tell(alerts ...alerting.Alert) {
	w.unsure = append([]alerting.Alert{}, alerts...)
	for range 100 {
		if w.alive.Notify(w.t.Context(), alerts) == nil {
			return
		}
		w.live(2 * time.Second)
	}
	w.t.Fatal("never a receipt")
}

func (w *world) begin(name string) {
	a := alert(name, name, alerting.Warning)
	w.started[name] = a
	w.tell(a)
}

func (w *world) end(name string) {
	a := ended(w.started[name])
	w.over = append(w.over, a)
	w.tell(a)
}

// story is some hours with alerts that come, go and come again, and a receiver
// that is away for some of it.
func (w *world) story() {
	var away atomic.Bool
	w.net.misbehave("away", func(attempt) fault { return fault{reset: away.Load()} })
	w.boot()
	w.begin("one")
	w.live(20 * time.Minute)
	w.begin("two")
	w.live(20 * time.Minute)
	w.end("one")
	away.Store(true)
	w.live(5 * time.Minute)
	w.begin("three")
	w.live(10 * time.Minute)
	w.end("two")
	w.live(10 * time.Minute)
	w.end("three")
	w.live(5 * time.Minute)
	w.begin("one")
	w.live(5 * time.Minute)
	away.Store(false)
	w.live(30 * time.Minute)
	w.end("one")
	w.live(30 * time.Minute)
	if err := w.alive.Stop(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// judge compares what receivers took with what happened.
func (w *world) judge() error {
	for _, host := range []string{"there", "away"} {
		times := map[string]int{}
		keys := map[string]string{}
		for _, a := range w.net.taken(host) {
			for _, x := range a.message(w.t).Alerts {
				event := fmt.Sprintf("%s %s of %s", x.Fingerprint, x.Status, x.StartsAt.Format(time.TimeOnly))
				times[event]++
				key := a.header.Get(IdempotencyHeader)
				if before, again := keys[event]; again && before != key {
					return fmt.Errorf("%s: %s came under two keys", host, event)
				}
				keys[event] = key
			}
		}
		for event, n := range times {
			if n > 1+w.crashes {
				return fmt.Errorf("%s was told %d times: %s, after %d crashes", host, n, event, w.crashes)
			}
		}
		for _, a := range w.over {
			resolved := fmt.Sprintf("%s resolved of %s", a.Fingerprint, a.StartsAt.UTC().Format(time.TimeOnly))
			firing := fmt.Sprintf("%s firing of %s", a.Fingerprint, a.StartsAt.UTC().Format(time.TimeOnly))
			if times[resolved] == 0 {
				return fmt.Errorf("%s was never told: %s, but %v", host, resolved, times)
			}
			// What began and ended while the receiver was away is told in one.
			if times[firing] == 0 && (host != "away" || a.Fingerprint != "three") {
				return fmt.Errorf("%s was never told: %s, but %v", host, firing, times)
			}
		}
	}
	if left := w.alive.Firing(); len(left) != 0 {
		return fmt.Errorf("%v fire for ever", left)
	}
	return nil
}

// tell a story while the power is cut as cut says.
func crash(t *testing.T, cut func(b []byte) (int, bool)) *world {
	c := settings(hook("there"), hook("away"))
	c.RepeatInterval = 24 * time.Hour
	w := &world{t: t, net: newNetwork(), disk: &memoryDisk{cut: cut}, config: c, started: map[string]alerting.Alert{}}
	w.story()
	if err := w.judge(); err != nil {
		t.Error(err)
	}
	return w
}

// The power is cut at every write, before it, in the middle of it, and after it
// was done and before anybody knew.
func TestPowerCutAtEveryWrite(t *testing.T) {
	for mode, torn := range map[string]func(n int) int{
		"before": func(int) int { return 0 }, "half": func(n int) int { return n / 2 },
		"nearly": func(n int) int { return n - 1 }, "after": func(n int) int { return n },
	} {
		t.Run(mode, func(t *testing.T) {
			crashes := 0
			for at := 1; ; at++ {
				crashed := 0
				synctest.Test(t, func(t *testing.T) {
					writes := 0
					crashed = crash(t, func(b []byte) (int, bool) {
						writes++
						return torn(len(b)), writes == at
					}).crashes
				})
				if t.Failed() {
					t.Fatalf("cut at write %d", at)
				}
				if crashed == 0 {
					break
				}
				crashes++
			}
			if crashes < 15 {
				t.Errorf("the story has %d writes, want enough to tell", crashes)
			}
		})
	}
}

// The power fails again and again.
func TestPowerFailsOften(t *testing.T) {
	for every := 2; every < 8; every++ {
		synctest.Test(t, func(t *testing.T) {
			writes := 0
			w := crash(t, func(b []byte) (int, bool) {
				writes++
				return writes % len(b), writes%every == 0
			})
			if w.crashes < 3 {
				t.Errorf("cut at every %dth write: %d crashes", every, w.crashes)
			}
		})
	}
}
