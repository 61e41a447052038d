// The documents of the service, as docs/api.md has them.

export interface Metrics {
  timestamp: string;
  uptime_seconds: number;
  system: { cpu_percent: number; memory_usage_mb: number; memory_available_mb: number; threads: number; status: string };
  chat: {
    total_requests: number; successful_requests: number; failed_requests: number; avg_response_time_ms: number;
    rag_queries: number; rag_no_results: number; llm_calls: number; llm_tokens_used: number;
  };
  rag: {
    total_searches: number; avg_similarity_score: number; avg_search_time_ms: number; cache_hits: number; cache_misses: number;
  };
  llm: { total_calls: number; total_tokens: number; avg_latency_ms: number };
  performance: { error_rate: number; avg_response_time_ms: number; rag_success_rate: number };
}

interface Latency { samples: number; avg_ms: number | null; p50_ms: number | null; p95_ms: number | null; p99_ms: number | null }

export interface Model {
  model: string; kind: string; providers: string[]; family: string; calls: number; errors: number; share_of_calls_ratio: number | null;
  tokens: { input: number; cache_read: number; cache_write: number; output: number; reasoning: number; unsplit: number; total: number };
  cost_usd: number; cost: number; unpriced_tokens: number; price_coverage_ratio: number | null;
  latency: Latency; time_to_first_token: Latency;
}

export interface Models {
  timestamp: string; prices_version: string; prices_date: string; currency: string; units_per_usd_ratio: number;
  total: { llm_calls: number; tokens: number; cost_usd: number; cost: number; unpriced_tokens: number; price_coverage_ratio: number | null };
  models: Model[];
}

export interface RunSummary {
  run_id: string; trace_id: string; name: string; kind: string; service: string; start: string | null; duration_ms: number | null;
  outcome: string; error_type?: string; spans: number;
  model?: string; tokens?: number | null; cost_usd?: number | null; similarity?: number | null; feedback?: number | null;
}

export interface RunList { runs: RunSummary[]; from: string | null; indexed_from: string | null; next: string; total: number; not_indexed: number }

export interface Text { text: string; bytes: number; truncated?: boolean }

export interface Span {
  span_id: string; parent_span_id?: string; run_id: string; name: string; kind: string; service: string; scope?: string;
  start: string | null; duration_ms: number | null; outcome: string; error_type?: string; status_message?: string; http_status?: number;
  model?: { operation: string; provider: string; request_model: string; response_model: string; streamed: boolean; time_to_first_token_ms: number | null };
  tokens?: { total: number; input: number; cache_read: number; cache_write: number; output: number; reasoning: number; unsplit: number };
  documents?: { data_source: string; returned: number | null; scored: number; mean_similarity: number | null; top_similarity: number | null; cache: string };
  tool?: string; input?: Text; output?: Text;
  attributes?: Record<string, unknown>; stack?: string;
  explanation?: { disposition: string; reason: string; why: string; chat_span_id?: string; events: string[]; tokens: { total: number } | null; cost_usd: number | null; cost_source?: string; late?: boolean };
  children: Span[];
}

export interface Judgement { key: string; score: number | null; value?: string; comment?: string; source: string; time?: string | null }

export interface Run extends RunSummary {
  project: string; langsmith_url: string; tree: Span[]; repeated_spans: number; truncated: boolean;
  counted?: { chats: number; llm_calls: number; llm_tokens: number; searches: number; embeddings: number; reranks: number; tool_calls: number; cost_usd: number };
  judgements: Judgement[];
  search: { complete: boolean };
}

export interface Sink {
  name: string; profile: string; endpoint: string; state: string; admitted_spans: number; queue_spans: number; queue_bytes: number;
  oldest_age_seconds: number; sent_spans: number; rejected_spans: number; dead_lettered_spans: number; expired_spans: number;
  sampled_out_spans?: number; last_error: string; last_error_time: string | null; next_try: string | null; last_success: string | null;
}

export interface Kpi {
  name: string; title: Record<string, string>; unit: string; comparison: string; target: number; tolerance?: number;
  value: number | null; window_seconds: number; sample_count: number | null; status: string;
  /** The recorded series of its values. */
  series?: string;
}

export interface AlertInstance {
  rule: string; severity: string; state: string; since: string; value: number; labels: Record<string, string>; fingerprint: string;
  texts: Record<string, { summary: string; description?: string }>;
}

export interface Alerts {
  firing: Record<string, number>;
  alerts: { name: string; severity: string; state: string; expression: string; error?: string; instances: AlertInstance[] }[];
  resolved: AlertInstance[];
  receivers?: { name: string; kind: string; state: string; waiting: number; sent: number; failed: number; last_error: string; last_success: string | null }[];
}
