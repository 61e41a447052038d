package telemetry_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"treq/telemetry"
	"treq/telemetry/understand"
)

// countedBy opens a door that OpenTelemetry's exporters can send to, and gives what
// ends it and prints the events that came out.
func countedBy() (endpoint string, print func()) {
	engine, err := understand.New(understand.DefaultConfig(), printing{})
	if err != nil {
		panic(err)
	}
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = engine.Traces(time.Now(), 0, body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}))
	return door.URL + "/v1/traces", func() {
		door.Close()
		engine.Flush()
	}
}

// printing writes chats, searches and calls.
type printing struct{}

func (printing) Chat(c *telemetry.Chat) {
	fmt.Printf("a chat: %d call, %d tokens, %s\n", c.LLMCalls, c.Tokens, ended(c.Outcome, c.ErrorType))
}

func (printing) Retrieval(r *telemetry.Retrieval) {
	fmt.Printf("a search of %s: %d documents, the best %g\n", r.DataSource, r.Documents, r.TopSimilarity)
}

func (printing) LLMCall(c *telemetry.LLMCall) {
	fmt.Printf("a call of %s: %d tokens, %s\n", c.Model(), c.Tokens.Total(), ended(c.Outcome, c.ErrorType))
}

func ended(o telemetry.Outcome, errorType string) string {
	if o == telemetry.Succeeded {
		return "succeeded"
	}
	return "failed with " + errorType
}

func (printing) ChatAddition(*telemetry.ChatAddition)              {}
func (printing) Embedding(*telemetry.Embedding)                    {}
func (printing) Rerank(*telemetry.Rerank)                          {}
func (printing) ToolCall(*telemetry.ToolCall)                      {}
func (printing) Feedback(*telemetry.Feedback)                      {}
func (printing) Span(telemetry.Disposition, string, string, int64) {}
func (printing) Rejected(string, int64)                            {}
func (printing) Unmapped(string, int64)                            {}
func (printing) Late(int64)                                        {}
