package e2e

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/test/e2e/e2etest"
)

// TestPythonMonitoring runs the client of deploy/python as a chat would, with httpx
// and with OpenTelemetry's SDK: everything arrives, and where nothing can, the chat
// is neither slowed nor told. A queue that is full without anybody having been
// waited for is a thousand of fifteen hundred, which are given up at the end.
func TestPythonMonitoring(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: "chats:\n  close:\n    root: 300ms\n    leaves: 300ms\n"})
	var got struct {
		Answered, Nobody int
		Silent           [2]int
	}
	out := runPython(t, s, "otel", "none", "monitoring.py", s.URL(""))
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	if got.Answered != 0 || got.Nobody != 3 || got.Silent != [2]int{500, 1500} {
		t.Errorf("given up: %+v", got)
	}
	wantSums(t, s, "", map[string]float64{
		"chat.total_requests": 8, "chat.failed_requests": 2, "rag.total_searches": 4, "rag.cache_hits": 1,
		"rag.avg_similarity_score": 0.625, "llm.total_calls": 3, "llm.total_tokens": 450, "llm.model_8b_calls": 1, "llm.model_70b_calls": 2,
	})
	wantSums(t, s, "?service=traced", map[string]float64{
		"chat.total_requests": 2, "chat.failed_requests": 1, "rag.total_searches": 1, "llm.total_calls": 2, "llm.total_tokens": 150,
	})
}

// wantSums waits until the guide's document shows numbers, named by section and key.
func wantSums(t *testing.T, s *e2etest.Server, query string, want map[string]float64) {
	t.Helper()
	e2etest.Eventually(t, settled, func() error {
		var document map[string]json.RawMessage
		s.JSON("/monitoring/metrics"+query, &document)
		got := map[string]float64{}
		for _, section := range []string{"chat", "rag", "llm"} {
			var numbers map[string]float64
			if err := json.Unmarshal(document[section], &numbers); err != nil {
				return err
			}
			for key, n := range numbers {
				if _, asked := want[section+"."+key]; asked {
					got[section+"."+key] = n
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("%s (-want +got):\n%s", query, diff)
		}
		return nil
	})
}
