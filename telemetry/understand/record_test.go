package understand

import (
	"fmt"
	"strings"
	"time"

	"treq/telemetry"
)

// transcript is a recorder that writes down what it is told, a line each.
type transcript struct {
	lines []string
	epoch int64 // Unix nanoseconds that starts are relative to
}

func (r *transcript) addf(format string, args ...any) {
	r.lines = append(r.lines, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

func (r *transcript) String() string {
	if len(r.lines) == 0 {
		return ""
	}
	return strings.Join(r.lines, "\n") + "\n"
}

func (r *transcript) at(o telemetry.Origin) string {
	return fmt.Sprintf("%s %v", o.Service, time.Duration(o.Start-r.epoch))
}

func lasting(d time.Duration) string {
	if d == telemetry.UnknownDuration {
		return "untimed"
	}
	return d.String()
}

func ending(o telemetry.Outcome, errorType string) string {
	if errorType != "" {
		return o.String() + "(" + errorType + ")"
	}
	return o.String()
}

func spent(t telemetry.Tokens, known bool) string {
	if !known {
		return "no usage"
	}
	var b strings.Builder
	for _, k := range []struct {
		name string
		n    int64
	}{
		{"in", t.Input},
		{"read", t.CacheRead},
		{"write", t.CacheWrite},
		{"out", t.Output},
		{"reasoning", t.Reasoning},
		{"unsplit", t.Unsplit},
	} {
		if k.n != 0 {
			fmt.Fprintf(&b, "%s=%d ", k.name, k.n)
		}
	}
	return strings.TrimSpace(b.String())
}

func (r *transcript) Chat(c *telemetry.Chat) {
	r.addf("chat      %s %s %s rag=%s calls=%d tokens=%d", r.at(c.Origin), lasting(c.Duration),
		ending(c.Outcome, c.ErrorType), c.RAG, c.LLMCalls, c.Tokens)
}

func (r *transcript) ChatAddition(c *telemetry.ChatAddition) {
	r.addf("addition  %s calls=%d tokens=%d", c.Service, c.LLMCalls, c.Tokens)
}

func (r *transcript) Retrieval(e *telemetry.Retrieval) {
	scores := "unscored"
	if e.Scored {
		scores = fmt.Sprintf("mean=%.4g top=%.4g", e.MeanSimilarity, e.TopSimilarity)
	}
	r.addf("retrieval %s %s %s source=%q documents=%d %s %s %s", r.at(e.Origin), lasting(e.Duration),
		ending(e.Outcome, e.ErrorType), e.DataSource, e.Documents, e.Result, scores, e.Cache)
}

func (r *transcript) model(what string, c *telemetry.ModelCall) string {
	return fmt.Sprintf("%-9s %s %s %s %s provider=%q request=%q response=%q %s", what, r.at(c.Origin), lasting(c.Duration),
		ending(c.Outcome, c.ErrorType), c.Operation, c.Provider, c.RequestModel, c.ResponseModel, spent(c.Tokens, c.HasUsage))
}

func (r *transcript) LLMCall(c *telemetry.LLMCall) {
	more := ""
	if c.TimeToFirstToken != 0 {
		more = " ttft=" + c.TimeToFirstToken.String()
	}
	if c.Stream != telemetry.NotStreamed {
		more += " stream=" + c.Stream.String()
	}
	r.addf("%s%s", r.model("llm", &c.ModelCall), more)
}

func (r *transcript) Embedding(c *telemetry.Embedding) {
	r.addf("%s", r.model("embedding", &c.ModelCall))
}
func (r *transcript) Rerank(c *telemetry.Rerank) { r.addf("%s", r.model("rerank", &c.ModelCall)) }

func (r *transcript) ToolCall(c *telemetry.ToolCall) {
	r.addf("tool      %s %s %s %q", r.at(c.Origin), lasting(c.Duration), ending(c.Outcome, c.ErrorType), c.Tool)
}

func (r *transcript) Feedback(f *telemetry.Feedback) {
	score := "unscored"
	if f.Scored {
		score = fmt.Sprint(f.Score)
	}
	r.addf("feedback  %s run=%q key=%q source=%q %s comment=%q", f.Service, f.RunID, f.Key, f.Source, score, f.Comment)
}

func (r *transcript) Span(d telemetry.Disposition, reason, service string, n int64) {
	r.addf("spans     %s %s %s %d", service, d, reason, n)
}

func (r *transcript) Rejected(reason string, n int64) { r.addf("rejected  %s %d", reason, n) }
func (r *transcript) Unmapped(name string, n int64)   { r.addf("unmapped  %s %d", name, n) }
func (r *transcript) Late(n int64)                    { r.addf("late      %d", n) }
