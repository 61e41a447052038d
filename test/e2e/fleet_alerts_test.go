package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"treq/test/e2e/e2etest"
)

// firesOnce makes one alert fire soon after chats fail, and end soon after that is over.
const firesOnce = `
alerts:
  error_rate: {window: 10s, min_samples: 1, for: 0s, keep_firing_for: 5s}
  slo_burn_fast: {enabled: false}
  slo_burn_slow: {enabled: false}
  high_memory: {enabled: false}
`

// TestFleetTellsOnce lets an alert fire in a fleet, of which every replica evaluates
// it over the sum of all, and wants one message when it begins and one when it ends:
// with one replica that tells, and with all telling a real Alertmanager.
func TestFleetTellsOnce(t *testing.T) {
	t.Parallel()
	hook := newHooks(t)
	objectives := writeObjectives(t, firesOnce)
	settings := func(receiver string) string {
		return fmt.Sprintf(`objectives: {file: %q, interval: 1s}
notifications:
  group_wait: 0s
  group_interval: 1s
  receivers: [ %s ]
`, objectives, receiver)
	}
	t.Run("one replica tells", func(t *testing.T) {
		t.Parallel()
		tellsOnce(t, fleetOf(t, 3, false, settings(fmt.Sprintf(`{name: ours, kind: webhook, url: "%s/elected"}`, hook.URL))), hook, "/elected")
	})
	t.Run("Alertmanager tells", func(t *testing.T) {
		t.Parallel()
		// Replicas end an alert within seconds of each other, for which it waits.
		am := startAlertmanagerWith(t, hook.URL+"/am", "group_wait: 2s, group_interval: 5s")
		tellsOnce(t, fleetOf(t, 3, true, settings(fmt.Sprintf(`{name: am, kind: alertmanager, url: "http://%s"}`, am))), hook, "/am")
	})
}

func tellsOnce(t *testing.T, replicas []*e2etest.Server, hook *hooks, path string) {
	t.Helper()
	everywhere := func(what string, bad bool, state string) {
		t.Helper()
		e2etest.Eventually(t, 90*time.Second, func() error {
			for _, r := range replicas {
				if bad {
					r.Do(http.MethodPost, "/monitoring/chat/metrics?success=false&response_time_ms=100", nil, nil)
				}
			}
			for _, r := range replicas {
				if got := alertStates(r)["error_rate"]; got != state {
					return fmt.Errorf("%s: at %s the alert is %q", what, r.Addr, got)
				}
			}
			if len(hook.told(path, "error_rate")) == 0 {
				return fmt.Errorf("%s: nobody was told", what)
			}
			return nil
		})
	}
	everywhere("all is bad", true, "firing")
	everywhere("all is well", false, "inactive")
	e2etest.Eventually(t, 90*time.Second, func() error {
		if told := hook.told(path, "error_rate"); !slices.Equal(told, []string{"firing", "resolved"}) {
			return fmt.Errorf("told %v", told)
		}
		return nil
	})
	var all []string
	for _, m := range hook.of(path) {
		for _, a := range m.Alerts {
			all = append(all, a.Status)
		}
	}
	if !slices.Equal(all, []string{"firing", "resolved"}) {
		t.Errorf("three replicas had told %v", all)
	}
}
