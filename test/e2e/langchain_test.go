package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"treq/test/e2e/e2etest"
)

// waysOf are what sdk.py is asked under a generation of the SDK: the first has no
// attachments.
func waysOf(generation string) []string {
	ways := []string{"context", "plain", "streamed", "asynchronous", "failed", "generator"}
	if generation == "0.1" {
		return ways
	}
	return append(ways, "attached")
}

// TestEveryWayOfTheSDK traces by contexts, by the wrapped client of OpenAI and by
// streaming generators: each question counts once, with the tokens that the provider told.
func TestEveryWayOfTheSDK(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	for _, generation := range generations {
		t.Run(generation, func(t *testing.T) {
			ways := waysOf(generation)
			runPython(t, s, generation, "sdk-"+generation, append([]string{"sdk.py"}, ways...)...)
			n := int64(len(ways))
			m := wantTotals(t, s, "sdk-"+generation, e2etest.Totals{
				Chats: n, Failed: 1, RAGQueries: 1, Searches: 1, Calls: n, Tokens: 300 * (n - 1),
			})
			if m.LLM.Model8BCalls != n || m.RAG.AvgSimilarityScore != 0.5 {
				t.Errorf("%+v %+v", m.LLM, m.RAG)
			}
		})
	}
}

// TestNumbersThatJSONLacks traces inputs upon which the SDKs write NaN into their JSON:
// no question that shares a request with them is lost, nor they themselves.
func TestNumbersThatJSONLacks(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	for _, generation := range generations {
		runPython(t, s, generation, "beyond-"+generation, "sdk.py", "plain", "beyond", "plain")
		wantTotals(t, s, "beyond-"+generation, e2etest.Totals{Chats: 3, Calls: 3, Tokens: 900})
	}
}

// TestLangChain runs LangChain's own callbacks: a retrieval chain, a model with a tool,
// a graph and an agent, each also streamed.
func TestLangChain(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	runPython(t, s, "0.3", "langchain-0.3", "chain.py", "plain", "streamed", "tools")
	wantTotals(t, s, "langchain-0.3", e2etest.Totals{Chats: 3, RAGQueries: 2, Searches: 2, Calls: 4, Tokens: 1200})
	runPython(t, s, "0.15", "langchain-1", "chain.py", "plain", "streamed", "tools", "graph", "graph_streamed", "agent", "agent_streamed")
	m := wantTotals(t, s, "langchain-1", e2etest.Totals{Chats: 7, RAGQueries: 2, Searches: 2, Calls: 12, Tokens: 3600})
	if m.RAG.AvgSimilarityScore != 0.5 || m.LLM.Model8BCalls != 12 {
		t.Errorf("%+v %+v", m.RAG, m.LLM)
	}
	wantNames(t, s, "langchain-1", map[string]int{"responder": 3, "LangGraph": 2, "atendente": 2})
	if a := s.Get("/metrics"); !strings.Contains(string(a.Body), `treq_llm_streams_total{`) {
		t.Error("no stream was seen")
	}
}

// wantNames wants so many runs of each name in the list of a service's runs.
func wantNames(t *testing.T, s *e2etest.Server, service string, want map[string]int) {
	t.Helper()
	var list struct{ Runs []struct{ Name string } }
	s.JSON("/monitoring/runs?limit=200&service="+service, &list)
	got := map[string]int{}
	for _, run := range list.Runs {
		got[run.Name]++
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("runs of %s: %v, want %v", service, got, want)
	}
}

// TestLangChainJavaScript is the same for LangChain.js and LangGraph.js, and asks for the
// link of a run as the SDK makes it.
func TestLangChainJavaScript(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	var printed struct{ Linked, Tenant, URL string }
	out := runNode(t, []string{
		"LANGSMITH_TRACING=true", "LANGSMITH_ENDPOINT=http://" + s.Addr, "LANGSMITH_API_KEY=of-the-app", "LANGSMITH_PROJECT=langchain-js",
	}, "chain.mjs", "plain", "streamed", "graph")
	if err := json.Unmarshal(out, &printed); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	m := wantTotals(t, s, "langchain-js", e2etest.Totals{Chats: 3, RAGQueries: 2, Searches: 2, Calls: 4, Tokens: 1200})
	if m.RAG.AvgSimilarityScore != 0.5 || m.LLM.Model8BCalls != 4 {
		t.Errorf("%+v %+v", m.RAG, m.LLM)
	}
	wantNames(t, s, "langchain-js", map[string]int{"responder": 2, "LangGraph": 1})
	if !strings.Contains(printed.URL, "/o/"+printed.Tenant+"/projects/p/") || !strings.Contains(printed.URL, "/r/"+printed.Linked) {
		t.Errorf("%+v", printed)
	}
}

// TestARunThatNeverEnds is begun by an app that dies: it is shown as running until its
// time is up, and then as given up. It counts for nothing, its parts for what they told.
func TestARunThatNeverEnds(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: quick + "runs: {timeout: 1m}\n"})
	runs := questionInRuns(0, 1)
	postRuns(t, s, runs[0])
	postRuns(t, s, runs[1]) // its search and its call end, the chat does not
	var begun struct{ Post []struct{ ID string } }
	if err := json.Unmarshal([]byte(runs[0]), &begun); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"running", "timed_out"} {
		e2etest.Eventually(t, time.Minute+settled, func() error {
			var run struct {
				State    string
				Duration *float64 `json:"duration_ms"`
				Spans    int
			}
			a := s.Get("/monitoring/runs/" + begun.Post[0].ID)
			if err := json.Unmarshal(a.Body, &run); err != nil || a.Status != http.StatusOK || run.State != want || run.Duration != nil || run.Spans != 3 {
				return fmt.Errorf("a run that should be %s: %d %s", want, a.Status, a.Body)
			}
			return nil
		})
	}
	e2etest.Eventually(t, settled, func() error {
		if m := e2etest.Of(s.Metrics("?service=loja")); m.Failed != 0 || m.Searches != 1 || m.Calls != 1 || m.Tokens != 300 {
			return fmt.Errorf("%+v", m)
		}
		return nil
	})
	if a := s.Get("/metrics"); !strings.Contains(string(a.Body), `timed_out`) {
		t.Error("the metrics do not tell that a run was given up")
	}
}
