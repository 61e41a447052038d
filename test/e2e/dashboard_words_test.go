package e2e

import (
	"net/http"
	"testing"

	"treq/test/e2e/e2etest"
)

// TestDashboardSpeaksPortuguese fills a service with what real clients sent and with
// what goes wrong, sinks and receivers that refuse and that are not there among it, and
// finds no English of ours on any page of a Brazilian browser.
func TestDashboardSpeaksPortuguese(t *testing.T) {
	t.Parallel()
	refuses := e2etest.NewSink(t)
	refuses.Play(func(int, e2etest.Received) e2etest.Reply { return e2etest.Reply{Status: http.StatusUnauthorized} })
	objectives := writeObjectives(t, hasty)
	s := e2etest.Start(t, e2etest.Spec{Config: quick + `
history: {step: 1s}
runs: {list_rate: 10000}
objectives: {file: ` + objectives + `, interval: 1s}
sinks:
  - {name: recusa, profile: otlp, endpoint: "` + refuses.URL() + `/v1/traces"}
  - {name: ausente, profile: otlp, endpoint: "http://127.0.0.1:1/v1/traces"}
notifications:
  group_wait: 0s
  receivers:
    - {name: fora, kind: webhook, url: "http://127.0.0.1:1/"}
`})
	walk(t, s, "portuguese")
}
