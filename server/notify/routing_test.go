package notify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/server/alerting"
	"treq/telemetry"
)

func TestRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := settings(hook("team"), hook("night"), hook("bills"), hook("log"))
		c.Receivers[1].MinSeverity = alerting.Critical
		c.Routes = []Route{
			{Match: Match{"service": "~test-.*"}},
			{Match: Match{"rule": "cost"}, Receivers: []string{"bills"}, GroupWait: time.Second, Continue: true},
			{MinSeverity: alerting.Warning, Receivers: []string{"team", "night"}, GroupBy: []string{"service"}},
		}
		r := start(t, c)
		defer r.stop()
		r.tell(
			alert("nobody", "errors", alerting.Critical, "service", "test-1"),
			alert("cost", "cost", alerting.Warning),
			alert("warning", "errors", alerting.Warning, "service", "chat"),
			alert("critical", "latency", alerting.Critical, "service", "chat"),
			alert("unrouted", "errors", alerting.Info, "service", "chat"),
		)
		time.Sleep(time.Minute)
		got := map[string][]string{}
		for _, host := range []string{"team", "night", "bills", "log"} {
			got[host] = sortedLines(r.net.events(t, host))
			slices.Sort(got[host])
		}
		if diff := cmp.Diff(map[string][]string{
			"team":  {"firing cost", "firing critical, firing warning", "firing unrouted"},
			"night": {"firing critical"},
			"bills": {"firing cost", "firing unrouted"},
			"log":   {"firing unrouted"},
		}, got); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		if first := r.net.seen("bills")[0].at.Sub(time.Now().Add(-time.Minute)); first != time.Second {
			t.Errorf("the route's own group_wait gave %v", first)
		}
	})
}

// Whoever was told of a firing is told of its end, though the routes changed.
func TestEndAfterRoutesChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := settings(hook("a"), hook("b"))
		r := start(t, c)
		x := alert("x", "errors", alerting.Warning)
		r.tell(x)
		time.Sleep(time.Minute)
		r.stop()
		c.Routes = []Route{{Receivers: []string{"b"}}}
		r.open(c)
		defer r.stop()
		r.tell(ended(x))
		time.Sleep(10 * time.Minute)
		if diff := cmp.Diff([]string{"firing x", "resolved x"}, r.net.events(t, "a")); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
	})
}

func TestSilences(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := settings(hook("a"))
		r := start(t, c)
		told := alert("told", "errors", alerting.Critical, "service", "s")
		r.tell(told)
		time.Sleep(time.Minute)
		r.stop()
		c.Silences = []Silence{{Match: Match{"service": "s"}, Until: time.Now().Add(2 * time.Hour)}}
		r.open(c)
		defer r.stop()
		over, stays := alert("over", "latency", alerting.Critical, "service", "s"), alert("stays", "memory", alerting.Critical, "service", "s")
		r.tell(over, stays, alert("other", "cost", alerting.Info, "service", "other"))
		time.Sleep(time.Hour)
		r.tell(ended(over), ended(told))
		time.Sleep(30 * time.Minute)
		want := []string{"firing told", "firing other", "resolved told"}
		if diff := cmp.Diff(want, r.net.events(t, "a")); diff != "" {
			t.Errorf("messages under the silence (-want +got):\n%s", diff)
		}
		time.Sleep(time.Hour)
		if diff := cmp.Diff(append(want, "firing stays"), r.net.events(t, "a")); diff != "" {
			t.Errorf("messages after it (-want +got):\n%s", diff)
		}
	})
}

// An Alertmanager hears every minute of what fires, with an end that lies ahead,
// whatever the quiet hours and groups are.
func TestAlertmanagerIsKeptAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		am := Receiver{Name: "am", Kind: Alertmanager, URL: telemetry.NewSecret("http://am")}
		c := settings(am)
		c.QuietHours = []Window{{from: 0, to: 24 * 60, days: everyDay}}
		r := start(t, c)
		defer r.stop()
		x := alert("x", "errors", alerting.Warning)
		r.tell(x, alert("y", "latency", alerting.Warning))
		time.Sleep(10*time.Minute + time.Second)
		r.tell(ended(x))
		time.Sleep(time.Second)
		seen := r.net.seen("am")
		if len(seen) != 12 {
			t.Fatalf("%d messages in ten minutes, want 11 and the end: %v", len(seen), since(x.StartsAt, seen))
		}
		for i, a := range seen[:11] {
			if got := strings.Count(string(a.body), `"endsAt":"`+a.at.Add(keepFor).UTC().Format(time.RFC3339Nano)+`"`); got != 2 {
				t.Errorf("message %d has %d alerts that end four minutes ahead: %s", i, got, a.body)
			}
		}
		if got := string(seen[11].body); !strings.Contains(got, `"endsAt":"`+seen[11].at.UTC().Format(time.RFC3339Nano)) {
			t.Errorf("the end is not told as it was: %s", got)
		}
		if size := r.disk.size(); size > 4<<10 {
			t.Errorf("telling again and again was written to disk: %d bytes", size)
		}
	})
}

// One alert that the receiver will not take costs no other.
func TestPoison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := settings(hook("a"))
		r := start(t, c)
		defer r.stop()
		r.net.misbehave("a", func(a attempt) fault {
			if strings.Contains(string(a.body), "poison") {
				return fault{status: 400}
			}
			return fault{}
		})
		alerts := []alerting.Alert{alert("poison", "errors", alerting.Warning)}
		for i := range 20 {
			alerts = append(alerts, alert(fmt.Sprintf("good-%02d", i), "errors", alerting.Warning))
		}
		r.tell(alerts...)
		time.Sleep(24 * time.Hour)
		all := strings.Join(r.net.events(t, "a"), ", ")
		for _, a := range alerts[1:] {
			if !strings.Contains(all, a.Fingerprint) {
				t.Errorf("%s was not told of", a.Fingerprint)
			}
		}
	})
}

// A group that does not fit into one message follows in the next, at once.
func TestLargeGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, from := start(t, settings(hook("a"))), time.Now()
		defer r.stop()
		var alerts []alerting.Alert
		for i := range 450 {
			alerts = append(alerts, alert(fmt.Sprintf("a-%03d", i), "errors", alerting.Warning))
		}
		r.tell(alerts...)
		time.Sleep(time.Hour)
		if diff := cmp.Diff([]time.Duration{30 * time.Second, 30 * time.Second, 30 * time.Second}, since(from, r.net.seen("a"))); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		for _, s := range r.Status() {
			if s.Waiting != 0 {
				t.Errorf("status = %+v", s)
			}
		}
	})
}
