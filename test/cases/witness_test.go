package cases

import (
	"time"

	"treq/telemetry"
	"treq/test/recorded"
)

// witness is a recorder that writes down what it is told in the terms of the
// truth, so that the two can be laid side by side.
type witness struct {
	recorded.Truth
	// unsplit are the tokens that were told as totals only: no truth has any.
	unsplit int64
	// added are the calls and tokens that late spans added to chats.
	added telemetry.ChatAddition

	dispositions map[string]int64
	spans        int64
	rejected     map[string]int64
	unmapped     map[string]int64
	late         int64
}

func newWitness() *witness {
	return &witness{dispositions: map[string]int64{}, rejected: map[string]int64{}, unmapped: map[string]int64{}}
}

func (w *witness) Chat(c *telemetry.Chat) {
	w.Chats = append(w.Chats, recorded.Chat{
		Service: c.Service, Outcome: c.Outcome.String(), LLMCalls: int(c.LLMCalls), Tokens: c.Tokens, RAG: c.RAG.String(),
	})
}

func (w *witness) ChatAddition(a *telemetry.ChatAddition) {
	w.added.LLMCalls += a.LLMCalls
	w.added.Tokens += a.Tokens
}

func (w *witness) Retrieval(r *telemetry.Retrieval) {
	s := recorded.Search{
		Service: r.Service, Outcome: r.Outcome.String(), Result: r.Result.String(), DataSource: r.DataSource,
	}
	if r.Documents >= 0 {
		s.Documents = new(int(r.Documents))
	}
	if r.Scored {
		s.Mean, s.Top = new(r.MeanSimilarity), new(r.TopSimilarity)
	}
	if r.Cache == telemetry.Hit {
		s.Cache = r.Cache.String()
	}
	w.Searches = append(w.Searches, s)
}

func (w *witness) LLMCall(c *telemetry.LLMCall) {
	call := recorded.Call{
		Service: c.Service, Provider: c.Provider, Model: c.Model(), Operation: c.Operation, Outcome: c.Outcome.String(),
		Streamed: c.Stream != telemetry.NotStreamed, Stream: c.Stream.String(), TTFTKnown: c.TimeToFirstToken > 0,
	}
	if t := c.Tokens; c.HasUsage {
		call.Input, call.Output = new(t.Input+t.CacheRead+t.CacheWrite), new(t.Output+t.Reasoning)
		call.CacheRead, call.CacheWrite, call.Reasoning = new(t.CacheRead), new(t.CacheWrite), new(t.Reasoning)
		w.unsplit += t.Unsplit
	}
	w.Calls = append(w.Calls, call)
}

func (w *witness) Embedding(e *telemetry.Embedding) {
	one := recorded.Embedding{Service: e.Service, Provider: e.Provider, Model: e.Model(), Outcome: e.Outcome.String()}
	if e.HasUsage {
		one.Tokens = new(e.Tokens.Total())
	}
	w.Embeddings = append(w.Embeddings, one)
}

func (w *witness) Rerank(r *telemetry.Rerank) {
	w.Reranks = append(w.Reranks, recorded.Rerank{Service: r.Service, Model: r.Model(), Outcome: r.Outcome.String()})
}

func (w *witness) ToolCall(*telemetry.ToolCall) { w.Tools++ }

func (w *witness) Feedback(f *telemetry.Feedback) {
	w.Truth.Feedback = append(w.Truth.Feedback, recorded.Feedback{Key: f.Key, Score: f.Score})
}

func (w *witness) Span(d telemetry.Disposition, reason, _ string, n int64) {
	name := d.String()
	if reason != "" {
		name += "/" + reason
	}
	w.dispositions[name] += n
	w.spans += n
}

func (w *witness) Rejected(reason string, n int64) { w.rejected[reason] += n }
func (w *witness) Unmapped(name string, n int64)   { w.unmapped[name] += n }
func (w *witness) Late(n int64)                    { w.late += n }

// settle gives what was added to the chats of a service without saying to which to
// the first of them: a truth tells of each chat as a whole.
func (w *witness) settle() {
	if len(w.Chats) > 0 {
		w.Chats[0].LLMCalls += int(w.added.LLMCalls)
		w.Chats[0].Tokens += w.added.Tokens
		w.added = telemetry.ChatAddition{}
	}
}

// epoch is when the first request of every play is admitted.
var epoch = time.Unix(1_760_000_000, 0)
