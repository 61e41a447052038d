package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"treq/test/e2e/e2etest"
)

// TestPanelRoute asks for the panel's documents through deploy/nextjs/route.ts where the
// service shows numbers to nobody without a token: the panel's are answered, and
// nothing else that the token opens.
func TestPanelRoute(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: "require_auth: true\ntokens: {ingest: [sends], api: [reads]}\n"})
	ask := func(token string) (answers []struct {
		Status int
		Body   string
	},
	) {
		cmd := exec.CommandContext(t.Context(), "node", "test/route.mjs", "stats/summary?service=nobody", "kpis", "runs", "stats/../runs")
		cmd.Dir = nextjs(t)
		cmd.Env = append(os.Environ(), "TREQ_MONITORING_URL="+s.URL(""), "TREQ_API_TOKEN="+token)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out, &answers); err != nil || len(answers) != 4 {
			t.Fatalf("%s: %v", out, err)
		}
		return answers
	}
	got := ask("reads")
	if got[0].Status != 200 || !strings.Contains(got[0].Body, `"total_requests":0`) || got[1].Status != 200 || !strings.Contains(got[1].Body, `"kpis":[`) {
		t.Errorf("the panel's documents: %+v", got[:2])
	}
	for _, other := range got[2:] {
		if other.Status != 404 || other.Body != "" {
			t.Errorf("what is none of the panel's: %+v", other)
		}
	}
	if got := ask("another"); got[0].Status != 401 || !strings.Contains(got[0].Body, "token") {
		t.Errorf("with a token that is none: %+v", got[0])
	}
}
