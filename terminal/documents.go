package terminal

import "time"

// The documents as far as they are shown here (docs/api.md).

type metrics struct {
	UptimeSeconds float64 `json:"uptime_seconds"`
	System        struct {
		MemoryMB float64 `json:"memory_usage_mb"`
		CPU      float64 `json:"cpu_percent"`
		Status   string  `json:"status"`
	} `json:"system"`
	Chat struct {
		Total   float64 `json:"total_requests"`
		Failed  float64 `json:"failed_requests"`
		Average float64 `json:"avg_response_time_ms"`
	} `json:"chat"`
	RAG struct {
		Searches   float64 `json:"total_searches"`
		Similarity float64 `json:"avg_similarity_score"`
		Hits       float64 `json:"cache_hits"`
	} `json:"rag"`
	LLM struct {
		Calls   float64 `json:"total_calls"`
		Tokens  float64 `json:"total_tokens"`
		Average float64 `json:"avg_latency_ms"`
	} `json:"llm"`
}

type models struct {
	Currency string `json:"currency"`
	Total    struct {
		Cost     float64  `json:"cost"`
		Unpriced float64  `json:"unpriced_tokens"`
		Coverage *float64 `json:"price_coverage_ratio"`
	} `json:"total"`
	PricesDate string `json:"prices_date"`
	Models     []struct {
		Model    string  `json:"model"`
		Kind     string  `json:"kind"`
		Calls    float64 `json:"calls"`
		Errors   float64 `json:"errors"`
		Cost     float64 `json:"cost"`
		Unpriced float64 `json:"unpriced_tokens"`
		Tokens   struct {
			Total float64 `json:"total"`
		} `json:"tokens"`
		Latency struct {
			P50 *float64 `json:"p50_ms"`
			P95 *float64 `json:"p95_ms"`
		} `json:"latency"`
		FirstToken struct {
			P95 *float64 `json:"p95_ms"`
		} `json:"time_to_first_token"`
	} `json:"models"`
}

type sink struct {
	Name         string     `json:"name"`
	Profile      string     `json:"profile"`
	State        string     `json:"state"`
	QueueSpans   float64    `json:"queue_spans"`
	OldestAge    float64    `json:"oldest_age_seconds"`
	Sent         float64    `json:"sent_spans"`
	Rejected     float64    `json:"rejected_spans"`
	DeadLettered float64    `json:"dead_lettered_spans"`
	Expired      float64    `json:"expired_spans"`
	LastError    string     `json:"last_error"`
	LastSuccess  *time.Time `json:"last_success"`
}

type sinks struct {
	Sinks []sink `json:"sinks"`
}

type alerts struct {
	Alerts []struct {
		Name      string `json:"name"`
		Error     string `json:"error"`
		Instances []struct {
			Severity string    `json:"severity"`
			State    string    `json:"state"`
			Since    time.Time `json:"since"`
			Texts    map[string]struct {
				Summary string `json:"summary"`
			} `json:"texts"`
		} `json:"instances"`
	} `json:"alerts"`
	Receivers []struct {
		Name      string `json:"name"`
		State     string `json:"state"`
		LastError string `json:"last_error"`
	} `json:"receivers"`
}

type health struct {
	Status    string   `json:"status"`
	Reasons   []string `json:"reasons"`
	Telemetry *struct {
		Services []struct {
			Service               string   `json:"service"`
			LastSeen              float64  `json:"last_seen_seconds"`
			Unpriced              *float64 `json:"unpriced_tokens_ratio"`
			StreamsWithoutUsage   *float64 `json:"streams_without_usage_ratio"`
			SearchesWithoutScores *float64 `json:"searches_without_scores_ratio"`
		} `json:"services"`
	} `json:"telemetry"`
}

type readiness struct {
	Status  string   `json:"status"`
	Reasons []string `json:"reasons"`
	Notices []string `json:"notices"`
	Checks  []struct {
		Name   string `json:"name"`
		Status string `json:"status"`
		Detail string `json:"detail"`
	} `json:"checks"`
}

// runSummary is a run in a list.
type runSummary struct {
	RunID      string     `json:"run_id"`
	TraceID    string     `json:"trace_id"`
	Name       string     `json:"name"`
	Service    string     `json:"service"`
	Start      *time.Time `json:"start"`
	DurationMS *float64   `json:"duration_ms"`
	Outcome    string     `json:"outcome"`
	ErrorType  string     `json:"error_type"`
	Spans      int        `json:"spans"`
	Model      string     `json:"model"`
	Tokens     *float64   `json:"tokens"`
	Cost       *float64   `json:"cost_usd"`
	Similarity *float64   `json:"similarity"`
}

type run struct {
	runSummary
	LangSmithURL string  `json:"langsmith_url"`
	Tree         []*span `json:"tree"`
	Counted      *struct {
		Chats     int     `json:"chats"`
		LLMCalls  int     `json:"llm_calls"`
		LLMTokens float64 `json:"llm_tokens"`
		Searches  int     `json:"searches"`
		Cost      float64 `json:"cost_usd"`
	} `json:"counted"`
	Repeated int `json:"repeated_spans"`
}

type span struct {
	Name        string       `json:"name"`
	Kind        string       `json:"kind"`
	DurationMS  *float64     `json:"duration_ms"`
	Outcome     string       `json:"outcome"`
	ErrorType   string       `json:"error_type"`
	Message     string       `json:"status_message"`
	Explanation *explanation `json:"explanation"`
	Children    []*span      `json:"children"`
}

type explanation struct {
	Disposition string   `json:"disposition"`
	Reason      string   `json:"reason"`
	Why         string   `json:"why"`
	ChatSpanID  string   `json:"chat_span_id"`
	Events      []string `json:"events"`
	Tokens      *struct {
		Total float64 `json:"total"`
	} `json:"tokens"`
	Cost *float64 `json:"cost_usd"`
}
