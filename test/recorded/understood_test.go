package recorded

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"treq/telemetry"
	"treq/telemetry/understand"
)

// TestEveryCaseIsUnderstood holds what the product makes of each case to what its
// payload tells of the truth.
func TestEveryCaseIsUnderstood(t *testing.T) {
	for _, c := range Load(t) {
		if len(c.Requests) == 0 {
			continue // native runs alone
		}
		t.Run(c.Name, func(t *testing.T) {
			understood := understood(t, c, c.Requests, 0)
			var differences lines
			gocmp.Equal(tree(t, c.Told), tree(t, understood), gocmp.Reporter(&differences))
			for _, line := range differences.found {
				t.Error(line)
			}
		})
	}
}

// understood gives what the product makes of requests that come so much apart,
// under the settings of a case.
func understood(t *testing.T, c Case, requests [][]byte, apart time.Duration) Truth {
	t.Helper()
	config := understand.DefaultConfig()
	if chats, ok := c.Settings["chats"].(map[string]any); ok {
		config.Preset, _ = chats["preset"].(string)
	}
	var seen witness
	engine, err := understand.New(config, &seen)
	if err != nil {
		t.Fatal(err)
	}
	admitted := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	for _, request := range requests {
		if err := engine.Traces(admitted, 0, request); err != nil {
			t.Fatal(err)
		}
		admitted = admitted.Add(apart)
	}
	engine.Flush()
	return seen.Truth
}

// witness writes down as a Truth what the engine records.
type witness struct{ Truth }

func (w *witness) Chat(c *telemetry.Chat) {
	w.Chats = append(w.Chats, Chat{c.Service, c.Outcome.String(), int(c.LLMCalls), c.Tokens, c.RAG.String()})
}

func (w *witness) ChatAddition(c *telemetry.ChatAddition) {
	if len(w.Chats) == 0 {
		w.Chats = append(w.Chats, Chat{Outcome: "added to nothing"})
	}
	last := &w.Chats[len(w.Chats)-1]
	last.LLMCalls += int(c.LLMCalls)
	last.Tokens += c.Tokens
}

func (w *witness) Retrieval(r *telemetry.Retrieval) {
	s := Search{Service: r.Service, Outcome: r.Outcome.String(), Result: r.Result.String(), DataSource: r.DataSource}
	if r.Documents >= 0 {
		n := int(r.Documents)
		s.Documents = &n
	}
	if r.Scored {
		mean, top := r.MeanSimilarity, r.TopSimilarity
		s.Mean, s.Top = &mean, &top
	}
	if r.Cache == telemetry.Hit {
		s.Cache = "hit"
	}
	w.Searches = append(w.Searches, s)
}

func (w *witness) LLMCall(c *telemetry.LLMCall) {
	call := Call{
		Service: c.Service, Provider: c.Provider, Model: c.Model(), Operation: c.Operation, Outcome: c.Outcome.String(),
		Streamed: c.Stream != telemetry.NotStreamed, Stream: c.Stream.String(), TTFTKnown: c.TimeToFirstToken > 0,
	}
	if c.HasUsage {
		tokens := c.Tokens
		call.Input, call.Output = new(int64), new(int64)
		*call.Input = tokens.Input + tokens.CacheRead + tokens.CacheWrite
		*call.Output = tokens.Output + tokens.Reasoning
		call.CacheRead, call.CacheWrite, call.Reasoning = some(tokens.CacheRead), some(tokens.CacheWrite), some(tokens.Reasoning)
	}
	w.Calls = append(w.Calls, call)
}

func (w *witness) Embedding(e *telemetry.Embedding) {
	seen := Embedding{Service: e.Service, Provider: e.Provider, Model: e.Model(), Outcome: e.Outcome.String()}
	if e.HasUsage {
		total := e.Tokens.Total()
		seen.Tokens = &total
	}
	w.Embeddings = append(w.Embeddings, seen)
}

func (w *witness) Rerank(r *telemetry.Rerank) {
	w.Reranks = append(w.Reranks, Rerank{Service: r.Service, Model: r.Model(), Outcome: r.Outcome.String()})
}

func (w *witness) ToolCall(*telemetry.ToolCall) { w.Tools++ }

func (w *witness) Feedback(f *telemetry.Feedback) {
	w.Truth.Feedback = append(w.Truth.Feedback, Feedback{f.Key, f.Score})
}

func (w *witness) Span(telemetry.Disposition, string, string, int64) {}
func (w *witness) Rejected(string, int64)                            {}
func (w *witness) Unmapped(string, int64)                            {}
func (w *witness) Late(int64)                                        {}

func some(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// tree gives a truth as plain JSON values in an order of their own, since spans
// come when they end; similarities are rounded and what no event carries is left out.
func tree(t *testing.T, truth Truth) map[string]any {
	t.Helper()
	text, err := json.Marshal(truth)
	if err != nil {
		t.Fatal(err)
	}
	var plain map[string]any
	if err := json.Unmarshal(text, &plain); err != nil {
		t.Fatal(err)
	}
	for kind, all := range plain {
		list, ok := all.([]any)
		if !ok {
			continue
		}
		for _, one := range list {
			fields := one.(map[string]any)
			if kind == "reranks" {
				delete(fields, "documents")
			}
			for _, name := range []string{"mean", "top"} {
				if similarity, ok := fields[name].(float64); ok {
					fields[name] = math.Round(similarity*1e6) / 1e6
				}
			}
		}
		slices.SortFunc(list, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	return plain
}

// lines makes a line of every difference.
type lines struct {
	path  gocmp.Path
	found []string
}

func (l *lines) PushStep(step gocmp.PathStep) { l.path = append(l.path, step) }
func (l *lines) PopStep()                     { l.path = l.path[:len(l.path)-1] }

func (l *lines) Report(r gocmp.Result) {
	if r.Equal() {
		return
	}
	told, understood := l.path.Last().Values()
	l.found = append(l.found, fmt.Sprintf("%s: told %s, understood %s", l.path.GoString(), show(told), show(understood)))
}

func show(v reflect.Value) string {
	if !v.IsValid() {
		return "nothing"
	}
	text, err := json.Marshal(v.Interface())
	if err != nil {
		return err.Error()
	}
	return string(text)
}
