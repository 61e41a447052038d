package e2etest

import (
	"encoding/json"
	"fmt"
)

// Metrics is the document of GET /monitoring/metrics, as far as tests compare it.
type Metrics struct {
	UptimeSeconds int64 `json:"uptime_seconds"`
	System        struct {
		CPUPercent        float64 `json:"cpu_percent"`
		MemoryUsageMB     float64 `json:"memory_usage_mb"`
		MemoryAvailableMB float64 `json:"memory_available_mb"`
		Threads           int64   `json:"threads"`
		Status            string  `json:"status"`
	} `json:"system"`
	Chat        Chat `json:"chat"`
	RAG         RAG  `json:"rag"`
	LLM         LLM  `json:"llm"`
	Performance struct {
		ErrorRate         float64 `json:"error_rate"`
		AvgResponseTimeMS float64 `json:"avg_response_time_ms"`
		RAGSuccessRate    float64 `json:"rag_success_rate"`
	} `json:"performance"`
}

// Chat is the block chat of the document.
type Chat struct {
	TotalRequests      int64   `json:"total_requests"`
	SuccessfulRequests int64   `json:"successful_requests"`
	FailedRequests     int64   `json:"failed_requests"`
	AvgResponseTimeMS  float64 `json:"avg_response_time_ms"`
	RAGQueries         int64   `json:"rag_queries"`
	RAGNoResults       int64   `json:"rag_no_results"`
	LLMCalls           int64   `json:"llm_calls"`
	LLMTokensUsed      int64   `json:"llm_tokens_used"`
}

// RAG is the block rag of the document.
type RAG struct {
	TotalSearches      int64   `json:"total_searches"`
	AvgSimilarityScore float64 `json:"avg_similarity_score"`
	AvgSearchTimeMS    float64 `json:"avg_search_time_ms"`
	CacheHits          int64   `json:"cache_hits"`
	CacheMisses        int64   `json:"cache_misses"`
}

// LLM is the block llm of the document.
type LLM struct {
	TotalCalls     int64   `json:"total_calls"`
	TotalTokens    int64   `json:"total_tokens"`
	AvgLatencyMS   float64 `json:"avg_latency_ms"`
	Model8BCalls   int64   `json:"model_8b_calls"`
	Model70BCalls  int64   `json:"model_70b_calls"`
	ModelGLM4Calls int64   `json:"model_glm4_calls"`
}

// Summary is the document of GET /monitoring/stats/summary.
type Summary struct {
	UptimeHours        float64 `json:"uptime_hours"`
	TotalRequests      int64   `json:"total_requests"`
	SuccessRatePercent float64 `json:"success_rate_percent"`
	AvgResponseTimeMS  float64 `json:"avg_response_time_ms"`
	RAGAvgSimilarity   float64 `json:"rag_avg_similarity"`
	LLMTotalTokens     int64   `json:"llm_total_tokens"`
	LLMAvgLatencyMS    float64 `json:"llm_avg_latency_ms"`
	SystemStatus       string  `json:"system_status"`
}

// SinkStatus is one entry of GET /monitoring/sinks.
type SinkStatus struct {
	Name         string `json:"name"`
	State        string `json:"state"`
	Admitted     int64  `json:"admitted_spans"`
	QueueSpans   int64  `json:"queue_spans"`
	Sent         int64  `json:"sent_spans"`
	Retried      int64  `json:"retried"`
	Rejected     int64  `json:"rejected_spans"`
	DeadLettered int64  `json:"dead_lettered_spans"`
	Expired      int64  `json:"expired_spans"`
	Repeated     int64  `json:"repeated_spans"`
	LastError    string `json:"last_error"`
}

// Metrics reads GET /monitoring/metrics with a query such as "?service=x", or "".
func (s *Server) Metrics(query string) Metrics {
	s.t.Helper()
	var m Metrics
	s.JSON("/monitoring/metrics"+query, &m)
	return m
}

// Sink reads one sink's status and fails the test when there is none of that name.
func (s *Server) Sink(name string) SinkStatus {
	s.t.Helper()
	var raw json.RawMessage
	s.JSON("/monitoring/sinks", &raw)
	status, err := findSink(raw, name)
	if err != nil {
		s.t.Fatalf("GET /monitoring/sinks: %v\n%s", err, raw)
	}
	return status
}

func findSink(raw []byte, name string) (SinkStatus, error) {
	var document struct {
		Sinks []SinkStatus `json:"sinks"`
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		return SinkStatus{}, err
	}
	for _, status := range document.Sinks {
		if status.Name == name {
			return status, nil
		}
	}
	return SinkStatus{}, fmt.Errorf("no sink %q", name)
}
