package snapshot_test

import (
	"encoding/json"
	"testing"
	"time"

	"treq/telemetry"
	"treq/telemetry/instrument"
	"treq/telemetry/snapshot"
)

func indented(t *testing.T, document any) string {
	t.Helper()
	text, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

var (
	guideSystem = snapshot.System{
		Sample: instrument.Sample{CPUPercent: 15.2, MemoryUsageMiB: 256.5, MemoryAvailableMiB: 2048, Threads: 4},
		Status: snapshot.Healthy,
	}
	guideTime = time.Date(2026, 1, 5, 9, 0, 0, 999, time.FixedZone("BRT", -3*3600))
)

// The golden files are the guide's text, byte for byte.
func compareWithGuide(t *testing.T, tally snapshot.Tally) {
	t.Helper()
	golden(t, "metrics.json", indented(t, tally.Metrics(guideSystem, guideTime, time.Hour+time.Second-1)))
	golden(t, "summary.json", indented(t, tally.Summary(snapshot.Healthy, 90*time.Minute)))
}

func TestGuideExample(t *testing.T) {
	l := begin(t, snapshot.Options{})
	playGuide(l, 0, 100)
	compareWithGuide(t, l.tally(t, ""))
	compareWithGuide(t, l.tally(t, "treq-backend"))
}

func TestGuideExampleAcrossRestarts(t *testing.T) {
	l := begin(t, snapshot.Options{})
	for part := range 10 {
		playGuide(l, part*10, part*10+10)
		l = l.reincarnate(t)
	}
	compareWithGuide(t, l.tally(t, ""))
}

func TestDocumentsOfNothing(t *testing.T) {
	l := begin(t, snapshot.Options{})
	playGuide(l, 0, 100)
	s, err := l.reader.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	metrics, summary := snapshot.Build(s, snapshot.Query{Service: "nobody"}, snapshot.System{Status: snapshot.Healthy}, guideTime, 0)
	golden(t, "metrics_zero.json", indented(t, metrics))
	golden(t, "summary_zero.json", indented(t, summary))
}

func TestUnknownDurationsCountAndLeaveAverages(t *testing.T) {
	l := begin(t, snapshot.Options{})
	l.Chat(&telemetry.Chat{Duration: time.Second, RAG: telemetry.Unknown})
	l.Chat(&telemetry.Chat{Duration: telemetry.UnknownDuration, Outcome: telemetry.Failed, RAG: telemetry.Empty})
	l.Retrieval(&telemetry.Retrieval{Duration: 2 * time.Second, Documents: -1})
	l.Retrieval(&telemetry.Retrieval{Duration: telemetry.UnknownDuration, Documents: -1, Cache: telemetry.Hit})
	call := telemetry.LLMCall{ModelCall: telemetry.ModelCall{Duration: 3 * time.Second, RequestModel: "GLM-4.7"}}
	l.LLMCall(&call)
	call.Duration = telemetry.UnknownDuration
	l.LLMCall(&call)
	want := snapshot.Tally{
		Chats: 2, FailedChats: 1, TimedChats: 1, ChatSeconds: 1, RAGQueries: 2, RAGNoResults: 1,
		Searches: 2, TimedSearches: 1, SearchSeconds: 2, CacheHits: 1,
		LLMCalls: 2, TimedLLMCalls: 1, LLMSeconds: 3, CallsGLM4: 2,
	}
	if got := l.tally(t, ""); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestEmbeddingsAndRerankersAreNoModelCalls(t *testing.T) {
	l := begin(t, snapshot.Options{})
	call := telemetry.ModelCall{Duration: time.Second, RequestModel: "bge-8b", HasUsage: true, Tokens: telemetry.Tokens{Input: 9}, Operation: "chat"}
	l.Embedding(&telemetry.Embedding{ModelCall: call})
	call.Duration = telemetry.UnknownDuration
	l.Rerank(&telemetry.Rerank{ModelCall: call})
	if got := l.tally(t, ""); got != (snapshot.Tally{}) {
		t.Errorf("got %+v, want zeros", got)
	}
	call.Operation = "embeddings"
	l.LLMCall(&telemetry.LLMCall{ModelCall: call})
	if got := l.tally(t, ""); got != (snapshot.Tally{LLMCalls: 1, Calls8B: 1, LLMTokens: 9}) {
		t.Errorf("got %+v, want one call of 9 tokens", got)
	}
}

func TestServicesAddUp(t *testing.T) {
	l := begin(t, snapshot.Options{})
	for i, service := range []string{"a", "b", "b", ""} {
		l.Chat(&telemetry.Chat{Origin: telemetry.Origin{Service: service}, Duration: time.Duration(i+1) * time.Second})
		l.ChatAddition(&telemetry.ChatAddition{Service: service, LLMCalls: 2, Tokens: 5})
	}
	for service, want := range map[string]snapshot.Tally{
		"":                        {Chats: 4, TimedChats: 4, ChatSeconds: 10, ChatLLMCalls: 8, ChatTokens: 20},
		"a":                       {Chats: 1, TimedChats: 1, ChatSeconds: 1, ChatLLMCalls: 2, ChatTokens: 5},
		"b":                       {Chats: 2, TimedChats: 2, ChatSeconds: 5, ChatLLMCalls: 4, ChatTokens: 10},
		instrument.UnknownService: {Chats: 1, TimedChats: 1, ChatSeconds: 4, ChatLLMCalls: 2, ChatTokens: 5},
	} {
		if got := l.tally(t, service); got != want {
			t.Errorf("service %q:\ngot  %+v\nwant %+v", service, got, want)
		}
	}
	all, b := l.tally(t, ""), l.tally(t, "b")
	if got, want := all.Sub(b), (snapshot.Tally{Chats: 2, TimedChats: 2, ChatSeconds: 5, ChatLLMCalls: 4, ChatTokens: 10}); got != want {
		t.Errorf("difference: got %+v, want %+v", got, want)
	}
}
