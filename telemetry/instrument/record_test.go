package instrument

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry"
)

func llmCall(service, model string) *telemetry.LLMCall {
	return &telemetry.LLMCall{
		ModelCall: telemetry.ModelCall{
			Origin:   telemetry.Origin{Service: service, TraceID: [16]byte{1}, SpanID: [8]byte{2}},
			Duration: 640 * time.Millisecond, Operation: OperationChat, Provider: "groq",
			RequestModel: model, ResponseModel: model, HasUsage: true,
			Tokens: telemetry.Tokens{Input: 100, CacheRead: 20, CacheWrite: 3, Output: 50, Reasoning: 7},
		},
		TimeToFirstToken: 80 * time.Millisecond,
		Stream:           telemetry.StreamCompleted,
	}
}

func TestLLMCall(t *testing.T) {
	in, reader := newInstruments(t, Options{})
	call := llmCall("app", "llama-3.1-8b-instant")
	in.LLMCall(call)
	call.Outcome, call.HasUsage, call.Tokens, call.Stream, call.TimeToFirstToken = telemetry.Failed, false, telemetry.Tokens{}, telemetry.NotStreamed, 0
	call.ResponseModel, call.Duration = "", telemetry.UnknownDuration
	in.LLMCall(call)
	got := collect(t, reader)

	model := map[string]string{
		AttrOperation: "chat", AttrProvider: "groq", AttrRequestModel: "llama-3.1-8b-instant",
		AttrResponseModel: "llama-3.1-8b-instant", AttrFamily: "8b", AttrService: "app",
	}
	with := func(base map[string]string, kv ...string) map[string]string {
		all := map[string]string{}
		for k, v := range base {
			all[k] = v
		}
		for i := 0; i < len(kv); i += 2 {
			all[kv[i]] = kv[i+1]
		}
		return all
	}
	tokens := map[string]string{AttrProvider: "groq", AttrResponseModel: "llama-3.1-8b-instant", AttrFamily: "8b", AttrService: "app"}
	want := map[string][]one{
		OperationDuration: {{model, 1, 0.64}},
		LLMUntimed:        {{with(model, AttrErrorType, UnknownError), 1, 0}},
		TokenUsage:        {{with(model, AttrTokenType, "input"), 1, 123}, {with(model, AttrTokenType, "output"), 1, 57}},
		LLMTokens: {
			{with(tokens, AttrTokenKind, "cache_read"), 20, 0},
			{with(tokens, AttrTokenKind, "cache_write"), 3, 0},
			{with(tokens, AttrTokenKind, "input"), 100, 0},
			{with(tokens, AttrTokenKind, "output"), 50, 0},
			{with(tokens, AttrTokenKind, "reasoning"), 7, 0},
		},
		TimeToFirstToken: {{tokens, 1, 0.08}},
		LLMStreams: {{map[string]string{
			AttrResponseModel: "llama-3.1-8b-instant", AttrFamily: "8b", AttrService: "app", AttrStream: "completed",
		}, 1, 0}},
		LLMTimedStreams: {{map[string]string{AttrResponseModel: "llama-3.1-8b-instant", AttrFamily: "8b", AttrService: "app"}, 1, 0}},
	}
	compare(t, want, got)
}

func compare(t *testing.T, want, got map[string][]one) {
	t.Helper()
	lines := func(all []one) []string {
		text := make([]string, len(all))
		for i, o := range all {
			text[i] = fmt.Sprint(o)
		}
		slices.Sort(text)
		return text
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s was measured: %v", name, got[name])
		}
	}
	for name := range want {
		if diff := cmp.Diff(lines(want[name]), lines(got[name])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestOtherEvents(t *testing.T) {
	in, reader := newInstruments(t, Options{})
	origin := telemetry.Origin{Service: "app"}
	in.Chat(&telemetry.Chat{Origin: origin, Duration: time.Second, Outcome: telemetry.Failed, ErrorType: " Timeout ", RAG: telemetry.Empty, LLMCalls: 2, Tokens: 30})
	in.ChatAddition(&telemetry.ChatAddition{Service: "app", LLMCalls: 1, Tokens: 4})
	in.Retrieval(&telemetry.Retrieval{
		Origin: origin, Duration: 2 * time.Second, DataSource: "docs", Result: telemetry.Found, Cache: telemetry.Hit,
		Documents: 3, Scored: true, MeanSimilarity: 0.5, TopSimilarity: 0.75,
	})
	in.Embedding(&telemetry.Embedding{ModelCall: telemetry.ModelCall{Origin: origin, Duration: time.Second, RequestModel: "bge", HasUsage: true, Tokens: telemetry.Tokens{Unsplit: 9}}})
	in.Rerank(&telemetry.Rerank{ModelCall: telemetry.ModelCall{Origin: origin, Duration: time.Second, RequestModel: "rr", HasUsage: true, Tokens: telemetry.Tokens{Input: 8}}})
	in.ToolCall(&telemetry.ToolCall{Origin: origin, Duration: time.Second, Tool: "search", Outcome: telemetry.Failed, ErrorType: "E"})
	in.ToolCall(&telemetry.ToolCall{Origin: origin, Duration: telemetry.UnknownDuration})
	in.Feedback(&telemetry.Feedback{Service: "app", Key: "user-score", Source: "api", Scored: true, Score: 1})
	in.Feedback(&telemetry.Feedback{Service: "app", Key: "user-score", Source: "api"})
	in.Span(telemetry.Folded, "wrapper", "app", 2)
	in.Span(telemetry.Recorded, "", "app", 1)
	in.Rejected("negative_tokens", 3)
	in.Late(4)
	in.Late(0)

	app := map[string]string{AttrService: "app"}
	source := map[string]string{AttrService: "app", AttrDataSource: "docs"}
	feedback := map[string]string{AttrService: "app", AttrFeedbackKey: "user-score", AttrFeedbackFrom: "api"}
	model := func(operation, name string) map[string]string {
		return map[string]string{AttrOperation: operation, AttrRequestModel: name, AttrResponseModel: name, AttrFamily: Other, AttrService: "app"}
	}
	rr := model(OperationRerank, "rr")
	rr[AttrTokenType] = "input"
	compare(t, map[string][]one{
		ChatDuration: {{map[string]string{AttrOutcome: "failure", AttrErrorType: "Timeout", AttrRAG: "empty", AttrService: "app"}, 1, 1}},
		ChatLLMCalls: {{app, 3, 0}}, ChatTokens: {{app, 34, 0}},
		RetrievalDuration: {{map[string]string{
			AttrOutcome: "success", AttrDataSource: "docs", AttrCache: "hit", AttrResult: "found", AttrService: "app",
		}, 1, 2}},
		RetrievalSimilarity: {{source, 1, 0.5}}, RetrievalTop: {{source, 1, 0.75}}, RetrievalDocuments: {{source, 1, 3}},
		OperationDuration: {{model(OperationEmbeddings, "bge"), 1, 1}, {model(OperationRerank, "rr"), 1, 1}},
		TokenUsage:        {{rr, 1, 8}},
		EmbeddingTokens:   {{map[string]string{AttrResponseModel: "bge", AttrFamily: Other, AttrService: "app"}, 9, 0}},
		RerankTokens:      {{map[string]string{AttrResponseModel: "rr", AttrFamily: Other, AttrService: "app"}, 8, 0}},
		ToolDuration:      {{map[string]string{AttrTool: "search", AttrErrorType: "E", AttrService: "app"}, 1, 1}},
		ToolUntimed:       {{app, 1, 0}},
		FeedbackScore:     {{feedback, 1, 1}}, FeedbackUnscored: {{feedback, 1, 0}},
		PipelineSpans: {
			{map[string]string{AttrDisposition: "folded", AttrReason: "wrapper", AttrService: "app"}, 2, 0},
			{map[string]string{AttrDisposition: "recorded", AttrService: "app"}, 1, 0},
		},
		PipelineRejected: {{map[string]string{AttrReason: "negative_tokens"}, 3, 0}},
		PipelineLate:     {{map[string]string{}, 4, 0}},
	}, collect(t, reader))
}

func TestNoHostileNumberReachesAnInstrument(t *testing.T) {
	in, reader := newInstruments(t, Options{})
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -0.1, 1.1} {
		in.Retrieval(&telemetry.Retrieval{Duration: time.Second, Scored: true, MeanSimilarity: x, TopSimilarity: x, Documents: -7})
		in.Feedback(&telemetry.Feedback{Scored: true, Score: x})
	}
	in.Chat(&telemetry.Chat{Duration: math.MinInt64, LLMCalls: -1, Tokens: -1})
	call := llmCall("app", "m")
	call.Tokens = telemetry.Tokens{Input: -5, Output: -5}
	call.HasUsage = false
	in.LLMCall(call)
	got := collect(t, reader)
	if result := got[RetrievalDuration][0].attrs[AttrResult]; result != telemetry.Unknown.String() {
		t.Errorf("a search that says nothing of its documents has the result %q", result)
	}
	for _, name := range []string{RetrievalSimilarity, RetrievalTop, RetrievalDocuments, FeedbackScore, ChatTokens, ChatLLMCalls, ChatDuration, LLMTokens} {
		if len(got[name]) > 0 {
			t.Errorf("%s: %v", name, got[name])
		}
	}
	if got := got[PipelineRejected]; len(got) != 1 || got[0].count != 15 {
		t.Errorf("refused values: %v, want 15", got)
	}
}

// S16: a million distinct names must neither grow the series nor lose a count.
func TestCardinality(t *testing.T) {
	in, reader := newInstruments(t, Options{})
	const n = 30000
	families := [...]string{"8b", "70b", "glm", "gpt"}
	for i := range n {
		family := families[i%4]
		call := llmCall(fmt.Sprintf("service-%d", i%50), fmt.Sprintf("%s-%d", family, i%197))
		call.Provider = fmt.Sprintf("provider-%d", i)
		call.Outcome, call.ErrorType = telemetry.Failed, fmt.Sprintf("error-%d", i%193)
		in.LLMCall(call)
		in.Retrieval(&telemetry.Retrieval{Origin: telemetry.Origin{Service: fmt.Sprintf("s-%d", i)}, DataSource: fmt.Sprintf("d-%d", i), Documents: 1})
	}
	got := collect(t, reader)
	for name, all := range got {
		if len(all) > DefaultMaxSeries {
			t.Errorf("%s has %d series", name, len(all))
		}
	}
	byFamily, byService, total := map[string]int64{}, map[string]int64{}, int64(0)
	for _, o := range got[OperationDuration] {
		byFamily[o.attrs[AttrFamily]] += o.count
		byService[o.attrs[AttrService]] += o.count
		total += o.count
	}
	if total != n {
		t.Errorf("%d calls of %d are left", total, n)
	}
	for _, family := range []string{"8b", "70b", "glm4", Other} {
		if byFamily[family] != n/4 {
			t.Errorf("family %s has %d calls, want %d", family, byFamily[family], n/4)
		}
	}
	for service, calls := range byService {
		if calls != n/50 {
			t.Errorf("%s has %d calls, want %d", service, calls, n/50)
		}
	}
	services := map[string]bool{}
	var searches, folded int64
	for _, o := range got[RetrievalDuration] {
		services[o.attrs[AttrService]] = true
		searches += o.count
	}
	// The 50 of the model calls took their room of the 200; one is Other.
	if want := DefaultMaxValues - 50 + 1; searches != n || len(services) != want {
		t.Errorf("%d searches of %d services, want %d of %d", searches, len(services), n, want)
	}
	for _, o := range got[PipelineFolded] {
		if o.attrs[AttrAttribute] == AttrProvider && o.attrs[AttrReason] == "values" {
			folded = o.count
		}
	}
	if want := int64(n - DefaultMaxValues); folded != want {
		t.Errorf("%d folded providers are counted, want %d", folded, want)
	}
}

func TestExemplarsNameTheirTrace(t *testing.T) {
	in, reader := newInstruments(t, Options{})
	origin := telemetry.Origin{TraceID: [16]byte{1, 2}, SpanID: [8]byte{3}}
	in.Chat(&telemetry.Chat{Origin: telemetry.Origin{TraceID: [16]byte{9}}, Duration: 3 * time.Second}) // the next one takes its place
	in.Chat(&telemetry.Chat{Origin: origin, Duration: 3 * time.Second})
	in.Chat(&telemetry.Chat{Duration: time.Second})
	var got []Exemplar
	metrics, _, _ := reader.Collect()
	for _, m := range metrics {
		if m.Name == ChatDuration {
			got = m.Points[0].Exemplars
		}
	}
	if len(got) != 1 || got[0].Value != 3 || got[0].TraceID != origin.TraceID || got[0].SpanID != origin.SpanID || got[0].At.IsZero() {
		t.Errorf("exemplars are %+v", got)
	}
}

// A collection between two records sees the events of both whole.
func TestCollectionsSeeGroupsOfEventsWhole(t *testing.T) {
	in, reader := newInstruments(t, Options{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 2000 {
			in.Lock()
			in.Admitted(3)
			in.Span(telemetry.Recorded, "chat", "a", 1)
			in.Span(telemetry.Folded, "inside", "b", 1)
			in.Open(1)
			in.Unlock()
			in.Lock()
			in.Span(telemetry.Folded, "inside", "b", 1)
			in.Open(0)
			in.Unlock()
		}
	}()
	for {
		got := collect(t, reader)
		var admitted, found, open int64
		for _, o := range got[PipelineAdmitted] {
			admitted += o.count
		}
		for _, o := range got[PipelineSpans] {
			found += o.count
		}
		for _, o := range got[PipelineOpen] {
			open += o.count
		}
		if admitted != found+open {
			t.Fatalf("%d admitted, %d with a disposition, %d open", admitted, found, open)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

func TestRecordingAllocatesNothing(t *testing.T) {
	in, _ := newInstruments(t, Options{})
	for name, record := range events(in) {
		record()
		if n := testing.AllocsPerRun(100, record); n != 0 {
			t.Errorf("%s allocates %v objects", name, n)
		}
	}
}

// events gives one event of each kind, as a hot path records it.
func events(in *Instruments) map[string]func() {
	origin := telemetry.Origin{Service: "treq-backend", TraceID: [16]byte{1}, SpanID: [8]byte{2}}
	chat := &telemetry.Chat{Origin: origin, Duration: time.Second, RAG: telemetry.Found, LLMCalls: 1, Tokens: 310}
	search := &telemetry.Retrieval{Origin: origin, Duration: time.Second, DataSource: "docs", Result: telemetry.Found, Documents: 4, Scored: true, MeanSimilarity: 0.6, TopSimilarity: 0.7}
	call := llmCall("treq-backend", "llama-3.1-8b-instant")
	call.Tokens = telemetry.Tokens{Input: 250, Output: 60}
	call.Stream, call.TimeToFirstToken = telemetry.NotStreamed, 0
	return map[string]func(){
		"Chat":      func() { in.Chat(chat) },
		"Retrieval": func() { in.Retrieval(search) },
		"LLMCall":   func() { in.LLMCall(call) },
		"Span":      func() { in.Span(telemetry.Folded, "wrapper", "treq-backend", 1) },
	}
}

func BenchmarkRecord(b *testing.B) {
	for _, name := range []string{"Chat", "Retrieval", "LLMCall", "Span"} {
		b.Run(name, func(b *testing.B) {
			in, _ := newInstruments(b, Options{})
			record := events(in)[name]
			b.ReportAllocs()
			for b.Loop() {
				record()
			}
		})
	}
}
