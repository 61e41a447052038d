package snapshot

import (
	"time"

	"treq/telemetry/instrument"
)

// The values of System.Status.
const (
	Healthy  = "healthy"
	Degraded = "degraded"
)

// Metrics is the document of GET /monitoring/metrics: names, order and types
// are the guide's.
type Metrics struct {
	Timestamp     string             `json:"timestamp"` // UTC, 2006-01-02T15:04:05
	UptimeSeconds int64              `json:"uptime_seconds"`
	System        MetricsSystem      `json:"system"`
	Chat          MetricsChat        `json:"chat"`
	RAG           MetricsRAG         `json:"rag"`
	LLM           MetricsLLM         `json:"llm"`
	Performance   MetricsPerformance `json:"performance"`
}

// MetricsSystem is the block "system". Memory is in MiB; 100 percent is one core.
type MetricsSystem struct {
	CPUPercent        Hundredths `json:"cpu_percent"`
	MemoryUsageMB     Hundredths `json:"memory_usage_mb"`
	MemoryAvailableMB Hundredths `json:"memory_available_mb"`
	Threads           int64      `json:"threads"`
	Status            string     `json:"status"`
}

// MetricsChat is the block "chat".
type MetricsChat struct {
	TotalRequests      int64      `json:"total_requests"`
	SuccessfulRequests int64      `json:"successful_requests"`
	FailedRequests     int64      `json:"failed_requests"`
	AvgResponseTimeMS  Hundredths `json:"avg_response_time_ms"`
	RAGQueries         int64      `json:"rag_queries"`
	RAGNoResults       int64      `json:"rag_no_results"`
	LLMCalls           int64      `json:"llm_calls"`
	LLMTokensUsed      int64      `json:"llm_tokens_used"`
}

// MetricsRAG is the block "rag".
type MetricsRAG struct {
	TotalSearches      int64       `json:"total_searches"`
	AvgSimilarityScore Thousandths `json:"avg_similarity_score"`
	AvgSearchTimeMS    Hundredths  `json:"avg_search_time_ms"`
	CacheHits          int64       `json:"cache_hits"`
	CacheMisses        int64       `json:"cache_misses"`
}

// MetricsLLM is the block "llm".
type MetricsLLM struct {
	TotalCalls     int64      `json:"total_calls"`
	TotalTokens    int64      `json:"total_tokens"`
	AvgLatencyMS   Hundredths `json:"avg_latency_ms"`
	Model8BCalls   int64      `json:"model_8b_calls"`
	Model70BCalls  int64      `json:"model_70b_calls"`
	ModelGLM4Calls int64      `json:"model_glm4_calls"`
}

// MetricsPerformance is the block "performance". Rates are in percent.
type MetricsPerformance struct {
	ErrorRate         Hundredths `json:"error_rate"`
	AvgResponseTimeMS Hundredths `json:"avg_response_time_ms"`
	RAGSuccessRate    Hundredths `json:"rag_success_rate"`
}

// Summary is the document of GET /monitoring/stats/summary.
type Summary struct {
	UptimeHours        Hundredths  `json:"uptime_hours"`
	TotalRequests      int64       `json:"total_requests"`
	SuccessRatePercent Hundredths  `json:"success_rate_percent"`
	AvgResponseTimeMS  Hundredths  `json:"avg_response_time_ms"`
	RAGAvgSimilarity   Thousandths `json:"rag_avg_similarity"`
	LLMTotalTokens     int64       `json:"llm_total_tokens"`
	LLMAvgLatencyMS    Hundredths  `json:"llm_avg_latency_ms"`
	SystemStatus       string      `json:"system_status"`
}

// System is what the documents say about the process and its health.
type System struct {
	instrument.Sample
	Status string // Healthy or Degraded
}

// Query narrows a document. The zero value is the whole.
type Query struct {
	Service string // "" is all services
}

// Build makes both documents from a snapshot. uptime is of the process.
func Build(s *Snapshot, q Query, system System, now time.Time, uptime time.Duration) (Metrics, Summary) {
	t := s.Tally(q.Service)
	return t.Metrics(system, now, uptime), t.Summary(system.Status, uptime)
}

// Metrics makes the full document.
func (t Tally) Metrics(system System, now time.Time, uptime time.Duration) Metrics {
	responseTime := Hundredths(ratio(1000*t.ChatSeconds, t.TimedChats))
	return Metrics{
		Timestamp:     now.UTC().Format("2006-01-02T15:04:05"),
		UptimeSeconds: int64(uptime / time.Second),
		System: MetricsSystem{
			CPUPercent:        Hundredths(system.CPUPercent),
			MemoryUsageMB:     Hundredths(system.MemoryUsageMiB),
			MemoryAvailableMB: Hundredths(system.MemoryAvailableMiB),
			Threads:           system.Threads,
			Status:            system.Status,
		},
		Chat: MetricsChat{
			TotalRequests:      t.Chats,
			SuccessfulRequests: t.Chats - t.FailedChats,
			FailedRequests:     t.FailedChats,
			AvgResponseTimeMS:  responseTime,
			RAGQueries:         t.RAGQueries,
			RAGNoResults:       t.RAGNoResults,
			LLMCalls:           t.ChatLLMCalls,
			LLMTokensUsed:      t.ChatTokens,
		},
		RAG: MetricsRAG{
			TotalSearches:      t.Searches,
			AvgSimilarityScore: Thousandths(ratio(t.SimilaritySum, t.ScoredSearches)),
			AvgSearchTimeMS:    Hundredths(ratio(1000*t.SearchSeconds, t.TimedSearches)),
			CacheHits:          t.CacheHits,
			CacheMisses:        t.Searches - t.CacheHits,
		},
		LLM: MetricsLLM{
			TotalCalls:     t.LLMCalls,
			TotalTokens:    t.LLMTokens,
			AvgLatencyMS:   Hundredths(ratio(1000*t.LLMSeconds, t.TimedLLMCalls)),
			Model8BCalls:   t.Calls8B,
			Model70BCalls:  t.Calls70B,
			ModelGLM4Calls: t.CallsGLM4,
		},
		Performance: MetricsPerformance{
			ErrorRate:         Hundredths(ratio(100*float64(t.FailedChats), t.Chats)),
			AvgResponseTimeMS: responseTime,
			RAGSuccessRate:    Hundredths(ratio(100*float64(t.RAGQueries-t.RAGNoResults), t.RAGQueries)),
		},
	}
}

// Summary makes the short document.
func (t Tally) Summary(status string, uptime time.Duration) Summary {
	return Summary{
		UptimeHours:        Hundredths(uptime.Hours()),
		TotalRequests:      t.Chats,
		SuccessRatePercent: Hundredths(ratio(100*float64(t.Chats-t.FailedChats), t.Chats)),
		AvgResponseTimeMS:  Hundredths(ratio(1000*t.ChatSeconds, t.TimedChats)),
		RAGAvgSimilarity:   Thousandths(ratio(t.SimilaritySum, t.ScoredSearches)),
		LLMTotalTokens:     t.LLMTokens,
		LLMAvgLatencyMS:    Hundredths(ratio(1000*t.LLMSeconds, t.TimedLLMCalls)),
		SystemStatus:       status,
	}
}

// ratio divides; nothing over nothing is 0.
func ratio(sum float64, count int64) float64 {
	if count == 0 {
		return 0
	}
	return sum / float64(count)
}
