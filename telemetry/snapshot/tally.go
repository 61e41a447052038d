package snapshot

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry"
	"treq/telemetry/instrument"
)

// Tally holds the totals that the documents are made of. Durations are in
// seconds. The difference of two tallies of one service is the tally of the time
// between them.
type Tally struct {
	Chats, FailedChats, TimedChats int64
	ChatSeconds                    float64
	RAGQueries, RAGNoResults       int64
	ChatLLMCalls, ChatTokens       int64
	Searches, TimedSearches        int64
	SearchSeconds                  float64
	ScoredSearches                 int64
	SimilaritySum                  float64
	CacheHits                      int64
	LLMCalls, TimedLLMCalls        int64
	LLMSeconds                     float64
	LLMTokens                      int64
	Calls8B, Calls70B, CallsGLM4   int64
}

// Sub gives what t counted beyond u.
func (t Tally) Sub(u Tally) Tally {
	return Tally{
		Chats: t.Chats - u.Chats, FailedChats: t.FailedChats - u.FailedChats, TimedChats: t.TimedChats - u.TimedChats,
		ChatSeconds: t.ChatSeconds - u.ChatSeconds,
		RAGQueries:  t.RAGQueries - u.RAGQueries, RAGNoResults: t.RAGNoResults - u.RAGNoResults,
		ChatLLMCalls: t.ChatLLMCalls - u.ChatLLMCalls, ChatTokens: t.ChatTokens - u.ChatTokens,
		Searches: t.Searches - u.Searches, TimedSearches: t.TimedSearches - u.TimedSearches,
		SearchSeconds:  t.SearchSeconds - u.SearchSeconds,
		ScoredSearches: t.ScoredSearches - u.ScoredSearches, SimilaritySum: t.SimilaritySum - u.SimilaritySum,
		CacheHits: t.CacheHits - u.CacheHits,
		LLMCalls:  t.LLMCalls - u.LLMCalls, TimedLLMCalls: t.TimedLLMCalls - u.TimedLLMCalls,
		LLMSeconds: t.LLMSeconds - u.LLMSeconds, LLMTokens: t.LLMTokens - u.LLMTokens,
		Calls8B: t.Calls8B - u.Calls8B, Calls70B: t.Calls70B - u.Calls70B, CallsGLM4: t.CallsGLM4 - u.CallsGLM4,
	}
}

// Tally adds up the series of one service, of all for "". A service that was
// never seen gives zeros.
func (s *Snapshot) Tally(service string) Tally {
	if service != "" {
		return s.tally(service)
	}
	s.once.Do(func() { s.all = s.tally("") })
	return s.all
}

func (s *Snapshot) tally(service string) Tally {
	var t Tally
	for _, scope := range s.scopes {
		if scope.Scope.Name != instrument.MeterScope {
			continue
		}
		for _, m := range scope.Metrics {
			t.add(m, service)
		}
	}
	return t
}

// adders say what one series of an instrument adds: its count, and its sum where
// the count was timed or scored.
var adders = map[string]func(t *Tally, of labels, count int64, sum float64){
	instrument.ChatDuration: func(t *Tally, of labels, count int64, sum float64) {
		t.addChats(of, count)
		more(&t.TimedChats, count)
		t.ChatSeconds += sum
	},
	instrument.ChatUntimed:  func(t *Tally, of labels, count int64, _ float64) { t.addChats(of, count) },
	instrument.ChatTokens:   func(t *Tally, _ labels, count int64, _ float64) { more(&t.ChatTokens, count) },
	instrument.ChatLLMCalls: func(t *Tally, _ labels, count int64, _ float64) { more(&t.ChatLLMCalls, count) },
	instrument.RetrievalDuration: func(t *Tally, of labels, count int64, sum float64) {
		t.addSearches(of, count)
		more(&t.TimedSearches, count)
		t.SearchSeconds += sum
	},
	instrument.RetrievalUntimed: func(t *Tally, of labels, count int64, _ float64) { t.addSearches(of, count) },
	instrument.RetrievalSimilarity: func(t *Tally, _ labels, count int64, sum float64) {
		more(&t.ScoredSearches, count)
		t.SimilaritySum += sum
	},
	instrument.OperationDuration: func(t *Tally, of labels, count int64, sum float64) {
		if t.addCalls(of, count) {
			more(&t.TimedLLMCalls, count)
			t.LLMSeconds += sum
		}
	},
	instrument.LLMUntimed: func(t *Tally, of labels, count int64, _ float64) { t.addCalls(of, count) },
	instrument.LLMTokens:  func(t *Tally, _ labels, count int64, _ float64) { more(&t.LLMTokens, count) },
}

func (t *Tally) add(m metricdata.Metrics, service string) {
	adder, ok := adders[m.Name]
	if !ok {
		return
	}
	each := func(of *attribute.Set, count int64, sum float64) {
		if l := (labels{of}); service == "" || l.get(instrument.AttrService) == service {
			adder(t, l, count, sum)
		}
	}
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for i := range data.DataPoints {
			each(&data.DataPoints[i].Attributes, data.DataPoints[i].Value, 0)
		}
	case metricdata.Histogram[float64]:
		for i := range data.DataPoints {
			each(&data.DataPoints[i].Attributes, int64(data.DataPoints[i].Count), data.DataPoints[i].Sum)
		}
	}
}

func (t *Tally) addChats(of labels, count int64) {
	more(&t.Chats, count)
	if of.get(instrument.AttrOutcome) == telemetry.Failed.String() {
		more(&t.FailedChats, count)
	}
	switch of.get(instrument.AttrRAG) {
	case telemetry.None.String():
	case telemetry.Empty.String():
		more(&t.RAGQueries, count)
		more(&t.RAGNoResults, count)
	default:
		more(&t.RAGQueries, count)
	}
}

func (t *Tally) addSearches(of labels, count int64) {
	more(&t.Searches, count)
	if of.get(instrument.AttrCache) == telemetry.Hit.String() {
		more(&t.CacheHits, count)
	}
}

// addCalls counts calls to language models, and tells whether these are some.
func (t *Tally) addCalls(of labels, count int64) bool {
	switch of.get(instrument.AttrOperation) {
	case instrument.OperationEmbeddings, instrument.OperationRerank:
		return false
	}
	more(&t.LLMCalls, count)
	switch of.get(instrument.AttrFamily) {
	case "8b":
		more(&t.Calls8B, count)
	case "70b":
		more(&t.Calls70B, count)
	case "glm4":
		more(&t.CallsGLM4, count)
	}
	return true
}

// labels are the attributes of one series.
type labels struct{ set *attribute.Set }

func (l labels) get(key string) string {
	value, _ := l.set.Value(attribute.Key(key))
	return value.AsString()
}
