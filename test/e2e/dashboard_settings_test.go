package e2e

import (
	"testing"

	"treq/test/e2e/e2etest"
)

// TestDashboardFollowsSettings opens the dashboard of a service with targets and a
// currency of its own.
func TestDashboardFollowsSettings(t *testing.T) {
	t.Parallel()
	file := writeObjectives(t, `
targets:
  response_time: {target: 321ms}
  model_share_8b: {target: 77%}
  rag_similarity: {target: 0.88}
`)
	walk(t, shown(t, e2etest.Spec{Config: "currency: {code: BRL, usd_rate: 5.4}\nobjectives: {interval: 1s, file: " + file + "}\n"}), "settings")
}

// TestDashboardBare opens the dashboard of a service that keeps no history and shows
// nothing without a token.
func TestDashboardBare(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{
		Config: quick + "history: {enabled: false}\n", Env: []string{"TREQ_API_TOKEN=reader-token", "TREQ_INGEST_TOKEN=sender-token", "TREQ_REQUIRE_AUTH=true"},
	})
	fill(t, s, "5", "--ingest-token", "sender-token")
	walk(t, s, "bare")
}

// TestDashboardWays goes to and fro between pages, opens a run that is longer than what
// is shown, and prints.
func TestDashboardWays(t *testing.T) {
	t.Parallel()
	s := shown(t, e2etest.Spec{})
	for _, name := range []string{"ways", "long", "paper"} {
		t.Run(name, func(t *testing.T) { walk(t, s, name) })
	}
}
