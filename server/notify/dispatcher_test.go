package notify

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/server/alerting"
	"treq/telemetry"
)

// since gives when attempts were, counted from a moment.
func since(from time.Time, attempts []attempt) []time.Duration {
	out := []time.Duration{}
	for _, a := range attempts {
		out = append(out, a.at.Sub(from))
	}
	return out
}

func TestGroupsWaitRestAndRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, from := start(t, settings(hook("a"))), time.Now()
		defer r.stop()
		x, y := alert("x", "errors", alerting.Warning), alert("y", "errors", alerting.Warning)
		r.tell(x)
		time.Sleep(10 * time.Second)
		r.tell(y, alert("z", "latency", alerting.Warning)) // y waits with x, z has its own group
		time.Sleep(time.Minute)
		w := alert("w", "errors", alerting.Warning)
		r.tell(w) // the group rests until 5m30s
		time.Sleep(5 * time.Hour)
		r.tell(ended(x))
		time.Sleep(time.Hour)
		if diff := cmp.Diff([]time.Duration{
			30 * time.Second,               // x and y
			40 * time.Second,               // z
			5*time.Minute + 30*time.Second, // w, and x and y with it
			4*time.Hour + 40*time.Second,   // z again
			4*time.Hour + 5*time.Minute + 30*time.Second,
			5*time.Hour + time.Minute + 40*time.Second, // the end of x, which waits for company
		}, since(from, r.net.seen("a"))); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{
			"firing x, firing y", "firing z", "firing w, firing x, firing y", "firing z", "firing w, firing x, firing y",
			"resolved x, firing w, firing y",
		}, sortedLines(r.net.events(t, "a"))); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		if got := r.Firing(); len(got) != 3 || got[0].Fingerprint != "x" && got[0].Fingerprint != "w" && got[0].Fingerprint != "y" {
			t.Errorf("Firing() = %v", got)
		}
	})
}

// sortedLines orders each message's firings, which may stand in any order.
func sortedLines(lines []string) []string {
	for i, l := range lines {
		parts := strings.Split(l, ", ")
		slices.SortFunc(parts, func(a, b string) int {
			if c := strings.Compare(b[:3], a[:3]); c != 0 {
				return c
			}
			return strings.Compare(a, b)
		})
		lines[i] = strings.Join(parts, ", ")
	}
	return lines
}

// A month: an alert that stays, one that comes and goes every hour, and nights in
// which only what is critical is told.
func TestMonth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := settings(hook("people"), hook("machine"))
		if err := new(Window).UnmarshalText([]byte("nonsense")); err == nil {
			t.Error("nonsense is a window")
		}
		var night Window
		if err := night.UnmarshalText([]byte("22:00-07:00")); err != nil {
			t.Fatal(err)
		}
		c.QuietHours = []Window{night}
		c.Receivers[1].AroundTheClock = true
		r := start(t, c)
		defer r.stop()
		zone, _ := time.LoadLocation("America/Sao_Paulo")
		// Noon in São Paulo, some day.
		time.Sleep(time.Until(time.Date(2000, 1, 3, 12, 0, 0, 0, zone)))
		from := time.Now()
		r.tell(alert("stays", "latency", alerting.Warning), alert("critical", "errors", alerting.Critical))
		episodes := 0
		for time.Since(from) < 30*24*time.Hour {
			a := alert("comes", "similarity", alerting.Warning)
			r.tell(a)
			time.Sleep(20 * time.Minute)
			r.tell(ended(a))
			time.Sleep(40 * time.Minute)
			episodes++
		}
		time.Sleep(12 * time.Hour)
		at := map[string]map[string]int{} // by receiver: events by fingerprint and state
		for _, host := range []string{"people", "machine"} {
			at[host] = map[string]int{}
			for _, a := range r.net.seen(host) {
				local := a.at.In(zone)
				quiet := local.Hour() >= 22 || local.Hour() < 7
				for _, x := range a.message(t).Alerts {
					at[host][x.Fingerprint+" "+string(x.Status)]++
					if host == "people" && quiet && x.Fingerprint != "critical" {
						t.Fatalf("told of %s at %v", x.Fingerprint, local)
					}
				}
			}
		}
		// 30.5 days have 183 repetitions of four hours; at night they wait for the morning.
		if got := at["machine"]["stays firing"]; got < 183 || got > 184 {
			t.Errorf("machine was told %d times of what stays, want about every 4 h", got)
		}
		if got := at["people"]["critical firing"]; got < 183 || got > 184 {
			t.Errorf("people were told %d times of what is critical, want about every 4 h", got)
		}
		if got := at["people"]["stays firing"]; got < 4*30 || got > 5*31 {
			t.Errorf("people were told %d times of what stays, want four or five times a day", got)
		}
		if got := at["machine"]["comes resolved"]; got != episodes {
			t.Errorf("machine was told of %d ends, want %d", got, episodes)
		}
		if got := at["people"]["comes resolved"]; got != episodes {
			t.Errorf("people were told of %d ends, want %d: those of the night in the morning", got, episodes)
		}
		if got := r.disk.size(); got > 2<<20 {
			t.Errorf("the log has %d bytes after a month", got)
		}
		for _, s := range r.Status() {
			if s.State != "ok" || s.Waiting != 0 || s.LastSuccess == nil || s.Failed != 0 {
				t.Errorf("status = %+v", s)
			}
		}
	})
}

// Receivers misbehave in every way for half an hour. What was news then arrives
// under the key it had at the first attempt, and a receiver beside notices nothing.
func TestFaults(t *testing.T) {
	for _, f := range []struct {
		name   string
		fault  fault
		within time.Duration // after the fault is over
	}{
		{"500", fault{status: 500}, longestDown},
		{"502", fault{status: 502}, longestDown},
		{"503", fault{status: 503}, longestDown},
		{"408", fault{status: 408}, longestDown},
		{"429", fault{status: 429}, longestDown},
		{"429 with Retry-After", fault{status: 429, header: http.Header{"Retry-After": {"300"}}}, 300 * time.Second},
		{"503 with a date", fault{status: 503, header: http.Header{"Retry-After": {"Mon, 03 Jan 2000 00:10:00 GMT"}}}, 10 * time.Minute},
		{"404", fault{status: 404}, longestWrong},
		{"401", fault{status: 401}, longestWrong},
		{"302", fault{status: 302}, longestWrong},
		{"400", fault{status: 400}, longestWrong},
		{"413", fault{status: 413}, longestWrong},
		{"422", fault{status: 422}, longestWrong},
		{"hang", fault{hang: true}, longestDown + defaultTimeout},
		{"reset", fault{reset: true}, longestDown},
	} {
		t.Run(f.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(time.Date(2000, 1, 3, 0, 0, 0, 0, time.UTC)))
				r, from := start(t, settings(hook("bad"), hook("good"))), time.Now()
				defer r.stop()
				over := from.Add(30 * time.Minute)
				r.net.misbehave("bad", func(attempt) fault {
					if time.Now().Before(over) {
						return f.fault
					}
					return fault{}
				})
				x := alert("x", "errors", alerting.Warning)
				r.tell(x)
				time.Sleep(20 * time.Minute)
				status := r.Status()
				if s := status[0]; s.State != "retrying" || s.Waiting != 1 || s.LastError == "" || s.NextTry == nil || !s.NextTry.After(time.Now().Add(-defaultTimeout)) {
					t.Errorf("status of the bad one = %+v", s)
				}
				if s := status[1]; s.State != "ok" || s.Waiting != 0 {
					t.Errorf("status of the good one = %+v", s)
				}
				time.Sleep(time.Until(over) + f.within + time.Second)
				bad := r.net.taken("bad")
				if len(bad) != 1 {
					t.Fatalf("the bad one took %d messages in %v, want 1 of %d attempts", len(bad), since(from, r.net.seen("bad")), len(r.net.seen("bad")))
				}
				for i, a := range r.net.seen("bad") {
					if a.header.Get(IdempotencyHeader) != bad[0].header.Get(IdempotencyHeader) {
						t.Errorf("attempt %d has another key", i)
					}
				}
				if diff := cmp.Diff([]time.Duration{30 * time.Second}, since(from, r.net.seen("good"))); diff != "" {
					t.Errorf("the good one (-want +got):\n%s", diff)
				}
				r.tell(ended(x))
				time.Sleep(10 * time.Minute)
				if diff := cmp.Diff([]string{"firing x", "resolved x"}, r.net.events(t, "bad")); diff != "" {
					t.Errorf("the bad one (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, from := start(t, settings(hook("a"))), time.Now()
		defer r.stop()
		r.net.misbehave("a", func(attempt) fault {
			return fault{status: 429, header: http.Header{"Retry-After": {"600"}}}
		})
		r.tell(alert("x", "errors", alerting.Critical))
		time.Sleep(35 * time.Minute)
		seen := since(from, r.net.seen("a"))
		if len(seen) != 4 {
			t.Fatalf("attempts at %v, want 4 in 35 minutes of 429 with 10 minutes", seen)
		}
		for i := 1; i < len(seen); i++ {
			if seen[i]-seen[i-1] < 10*time.Minute {
				t.Errorf("attempts at %v are closer than the receiver asked for", seen)
			}
		}
	})
}

// What ended before it could be told is told once, as what is over.
func TestEndOfWhatWasNeverTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, settings(hook("a"), Receiver{Name: "chat", Kind: Slack, URL: telemetry.NewSecret("http://chat/")}))
		defer r.stop()
		r.net.misbehave("chat", func(attempt) fault { return fault{reset: true} })
		r.net.misbehave("a", func(attempt) fault { return fault{reset: true} })
		x := alert("x", "errors", alerting.Warning)
		r.tell(x)
		time.Sleep(10 * time.Minute)
		r.tell(ended(x))
		time.Sleep(10 * time.Minute)
		y := alert("x", "errors", alerting.Warning) // the same alert fires anew
		r.tell(y)
		time.Sleep(10 * time.Minute)
		r.net.misbehave("a", nil)
		time.Sleep(10 * time.Minute)
		if diff := cmp.Diff([]string{"resolved x, firing x"}, r.net.events(t, "a")); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		m := r.net.taken("a")[0].message(t)
		if !m.Alerts[0].StartsAt.Equal(x.StartsAt) || !m.Alerts[1].StartsAt.Equal(y.StartsAt) {
			t.Errorf("the firings are mixed up: %+v", m.Alerts)
		}
		r.net.misbehave("chat", nil)
		time.Sleep(10 * time.Minute)
		if got := r.net.taken("chat"); len(got) != 1 || strings.Count(string(got[0].body), "could not be delivered in time") != 1 {
			t.Errorf("the chat was told %v", got)
		}
	})
}

func TestTellingTwiceChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, settings(hook("a")))
		defer r.stop()
		x := alert("x", "errors", alerting.Warning)
		for range 5 {
			r.tell(x, x)
			time.Sleep(10 * time.Minute)
		}
		over := ended(x)
		for range 5 {
			r.tell(over)
			time.Sleep(10 * time.Minute)
		}
		r.stop()
		r.open(settings(hook("a")))
		r.tell(over)
		time.Sleep(time.Hour)
		if diff := cmp.Diff([]string{"firing x", "resolved x"}, r.net.events(t, "a")); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
	})
}

// An end that got lost is no obstacle: the next firing ends the one before it.
func TestNextFiringEndsTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, settings(hook("a")))
		defer r.stop()
		r.tell(alert("x", "errors", alerting.Warning))
		time.Sleep(time.Hour)
		r.tell(alert("x", "errors", alerting.Warning))
		time.Sleep(time.Hour)
		if diff := cmp.Diff([]string{"firing x", "resolved x, firing x"}, r.net.events(t, "a")); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
	})
}

func TestStopLeavesWhatIsOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := settings(hook("a"))
		r := start(t, c)
		r.net.misbehave("a", func(attempt) fault { return fault{hang: true} })
		r.tell(alert("x", "errors", alerting.Warning))
		time.Sleep(31 * time.Second) // in the middle of an attempt
		begin := time.Now()
		r.stop() // waits for it
		if took := time.Since(begin); took > defaultTimeout {
			t.Errorf("Stop took %v", took)
		}
		if err := r.Notify(t.Context(), nil); telemetry.KindOf(err) != telemetry.Unavailable {
			t.Errorf("Notify after Stop: %v", err)
		}
		r.net.misbehave("a", nil)
		r.open(c)
		defer r.stop()
		time.Sleep(time.Minute)
		if diff := cmp.Diff([]string{"firing x"}, r.net.events(t, "a")); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
	})
}

// A disk that cannot be written is told of, and is no reason to keep silent.
func TestBrokenDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, settings(hook("a")))
		defer r.stop()
		broken := true
		r.disk.mu.Lock()
		r.disk.cut = func([]byte) (int, bool) { return 3, broken }
		r.disk.mu.Unlock()
		x := alert("x", "errors", alerting.Warning)
		if err := r.Notify(t.Context(), []alerting.Alert{x}); telemetry.KindOf(err) != telemetry.Unavailable || !errors.Is(err, errPower) {
			t.Fatalf("Notify on a broken disk: %v", err)
		}
		if r.Check() == nil {
			t.Error("nothing is said of the disk")
		}
		time.Sleep(time.Minute)
		if diff := cmp.Diff([]string{"firing x"}, r.net.events(t, "a")); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		r.disk.mu.Lock()
		broken, r.disk.gone = false, false
		r.disk.mu.Unlock()
		r.tell(x) // again, as the evaluation does
		if err := r.Check(); err != nil {
			t.Error(err)
		}
		records, damaged, torn := decodeLog(r.disk.bytes())
		if damaged != 0 || torn || len(records) != 1 || records[0].Episode == nil || records[0].Episode.Told["a"].State != alerting.Firing {
			t.Errorf("the log holds %d damaged lines, torn %v, %+v", damaged, torn, records)
		}
	})
}
