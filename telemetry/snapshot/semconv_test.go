package snapshot_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry"
	"treq/telemetry/snapshot"
)

// exposedAs gives the lines about model calls of the exposition in a generation.
func exposedAs(t *testing.T, l life, g snapshot.Semconv) map[string]string {
	t.Helper()
	e, err := snapshot.NewExposition(l.reader, snapshot.ExpositionOptions{Semconv: g, OnError: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	values := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if strings.HasPrefix(line, "gen_ai_") && !strings.Contains(line, "_bucket{") {
			values[series+"}"] = value
		}
	}
	return values
}

func playModels(r telemetry.Recorder) {
	one := telemetry.ModelCall{
		Origin: telemetry.Origin{Service: "app"}, Duration: 2 * time.Second, Operation: "chat", Provider: "openai",
		RequestModel: "gpt", ResponseModel: "gpt", HasUsage: true,
		Tokens: telemetry.Tokens{Input: 10, CacheRead: 20, CacheWrite: 3, Output: 4, Reasoning: 5},
	}
	r.LLMCall(&telemetry.LLMCall{ModelCall: one, TimeToFirstToken: time.Second, Stream: telemetry.StreamCompleted})
	failed := one
	failed.Outcome, failed.ErrorType, failed.Tokens = telemetry.Failed, "timeout", telemetry.Tokens{Input: 1}
	r.LLMCall(&telemetry.LLMCall{ModelCall: failed})
	side := one
	side.Operation, side.Tokens = "embeddings", telemetry.Tokens{Input: 7}
	r.Embedding(&telemetry.Embedding{ModelCall: side})
	r.ToolCall(&telemetry.ToolCall{Origin: one.Origin, Duration: time.Second, Tool: "search"})
}

// TestSemconvLatest: language models' calls have the names of the generation that
// follows, other operations keep theirs, and inputs hold what was cached.
func TestSemconvLatest(t *testing.T) {
	l := begin(t, snapshot.Options{})
	playModels(l)
	const common = `gen_ai_provider_name="openai",gen_ai_request_model="gpt",gen_ai_response_model="gpt",`
	const inference = `gen_ai_operation_name="chat",` + common
	const told = `service_name="app",treq_model_family="other"}`
	const counted = `gen_ai_token_modality="unknown",service_name="app",treq_model_family="other"}`
	want := map[string]string{
		"gen_ai_client_inference_duration_seconds_sum{" + inference + told:                                        "2",
		"gen_ai_client_inference_duration_seconds_count{" + inference + told:                                      "1",
		"gen_ai_client_inference_duration_seconds_sum{error_type=\"timeout\"," + inference + told:                 "2",
		"gen_ai_client_inference_duration_seconds_count{error_type=\"timeout\"," + inference + told:               "1",
		"gen_ai_client_operation_duration_seconds_sum{" + `gen_ai_operation_name="embeddings",` + common + told:   "2",
		"gen_ai_client_operation_duration_seconds_count{" + `gen_ai_operation_name="embeddings",` + common + told: "1",
		"gen_ai_client_inference_operation_input_tokens_sum{" + inference + told:                                  "33",
		"gen_ai_client_inference_operation_input_tokens_count{" + inference + told:                                "1",
		"gen_ai_client_inference_operation_input_tokens_sum{error_type=\"timeout\"," + inference + told:           "1",
		"gen_ai_client_inference_operation_input_tokens_count{error_type=\"timeout\"," + inference + told:         "1",
		"gen_ai_client_inference_operation_output_tokens_sum{" + inference + told:                                 "9",
		"gen_ai_client_inference_operation_output_tokens_count{" + inference + told:                               "1",
		"gen_ai_client_inference_operation_output_tokens_sum{error_type=\"timeout\"," + inference + told:          "0",
		"gen_ai_client_inference_operation_output_tokens_count{error_type=\"timeout\"," + inference + told:        "1",
		"gen_ai_client_inference_usage_input_tokens_total{" + inference + counted:                                 "34",
		"gen_ai_client_inference_usage_output_tokens_total{" + inference + counted:                                "9",
	}
	got := exposedAs(t, l, snapshot.Latest)
	for series := range got {
		for _, other := range []string{"cache_read", "cache_write", "reasoning", "time_to_first_chunk", "execute_tool"} {
			if strings.Contains(series, other) {
				want[series] = map[string]string{"cache_read": "20", "cache_write": "3", "reasoning": "5", "time_to_first_chunk": "1", "execute_tool": "1"}[other]
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(got) != len(want) || len(got) < 16+3+4 {
		t.Errorf("%d series, of which too few are new", len(got))
	}
}

// TestSemconvBoth: during a migration every released series is there as it was, and
// every later one beside it.
func TestSemconvBoth(t *testing.T) {
	l := begin(t, snapshot.Options{})
	playModels(l)
	released, latest, both := exposedAs(t, l, snapshot.Released), exposedAs(t, l, snapshot.Latest), exposedAs(t, l, snapshot.Both)
	for _, old := range []map[string]string{released, latest} {
		for series, value := range old {
			if both[series] != value {
				t.Errorf("%s is %q, with both %q", series, value, both[series])
			}
			delete(old, series)
		}
	}
	released, latest = exposedAs(t, l, snapshot.Released), exposedAs(t, l, snapshot.Latest)
	for series := range both {
		if _, was := released[series]; !was && latest[series] == "" {
			t.Errorf("%s is of neither generation", series)
		}
		if strings.Contains(series, "inference") && released[series] != "" {
			t.Errorf("%s is no released name", series)
		}
	}
}

func TestSemconvOfNothing(t *testing.T) {
	l := begin(t, snapshot.Options{})
	if got := exposedAs(t, l, snapshot.Both); len(got) > 0 {
		t.Errorf("nothing was counted, and shown are %v", got)
	}
}
