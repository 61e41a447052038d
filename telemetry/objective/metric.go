package objective

import (
	"fmt"
	"slices"
	"strings"
)

// metric is a number that files can name.
type metric struct {
	name string
	unit Unit
	// labels are the words of group_by and where, with Prometheus's labels.
	labels map[string]string
	// samples is the name of what the number is made of, "" for a gauge; count is
	// how much of it there was.
	samples string
	count   func(scope) string
	// value computes the number; samples is the recorded count.
	value func(s scope, samples string) string
	// about says in a few words what the number is, for the reference.
	about string
}

// The words by which files name labels.
var (
	ofService  = map[string]string{"service": "service_name"}
	ofSearches = map[string]string{"service": "service_name", "data_source": "gen_ai_data_source_id"}
	ofCalls    = map[string]string{
		"service": "service_name", "model": "gen_ai_response_model",
		"family": "treq_model_family", "provider": "gen_ai_provider_name",
	}
	ofSinks = map[string]string{"sink": "treq_sink"}
)

// The counters and matchers of what is counted.
var (
	chatCounters   = []string{"treq_chat_duration_seconds_count", "treq_chat_untimed_total"}
	searchCounters = []string{"treq_retrieval_duration_seconds_count", "treq_retrieval_untimed_total"}
	callCounters   = []string{"gen_ai_client_operation_duration_seconds_count", "treq_llm_untimed_total"}
	tokenCounters  = []string{"treq_llm_tokens_total", "treq_embedding_tokens_total", "treq_rerank_tokens_total"}
)

// Calls of embedding models and rerankers are no calls of language models
// (docs/semantics.md, section 4).
const languageModels = `gen_ai_operation_name!~"embeddings|rerank"`

func chats(more ...string) func(scope) string {
	return func(s scope) string { return s.total(chatCounters, more...) }
}

func searches(more ...string) func(scope) string {
	return func(s scope) string { return s.total(searchCounters, more...) }
}

func calls(s scope) string { return s.total(callCounters, languageModels) }

// partOf is the share of a count that has more matchers.
func partOf(part func(scope) string) func(scope, string) string {
	return func(s scope, samples string) string { return share(part(s), samples) }
}

// rest is what a share leaves.
func rest(of func(scope, string) string) func(scope, string) string {
	return func(s scope, samples string) string { return "1 - " + of(s, samples) }
}

// mean is the average of a histogram, times a factor.
func mean(histogram string, factor float64, more ...string) func(scope, string) string {
	return func(s scope, samples string) string {
		times := ""
		if factor != 1 {
			times = fmt.Sprintf("%g * ", factor)
		}
		return fmt.Sprintf("%s%s / (%s > 0)", times, s.sum(s.increase(histogram+"_sum", more...)), samples)
	}
}

func countOf(histogram string, more ...string) func(scope) string {
	return func(s scope) string { return s.sum(s.increase(histogram+"_count", more...)) }
}

// p95 is the time in milliseconds that 95 of 100 stay below, as near as the buckets tell.
func p95(histogram string, more ...string) func(scope, string) string {
	return func(s scope, _ string) string {
		return fmt.Sprintf("1000 * histogram_quantile(0.95, %s)", s.aggregate("sum", s.increase(histogram+"_bucket", more...), "le"))
	}
}

// gauge reads a level, the highest of each group.
func gauge(operator, expr string) func(scope, string) string {
	return func(s scope, _ string) string { return s.aggregate(operator, s.selector(expr)) }
}

const (
	chatTime   = "treq_chat_duration_seconds"
	searchTime = "treq_retrieval_duration_seconds"
	callTime   = "gen_ai_client_operation_duration_seconds"
	firstToken = "treq_llm_time_to_first_token_seconds"
	similarity = "treq_retrieval_similarity"
)

var (
	failedShare = partOf(chats(`treq_outcome="failure"`))
	emptyShare  = partOf(chats(`treq_rag="empty"`))
)

func metrics() []metric {
	return []metric{
		{"error_ratio", Ratio, ofService, "chats", chats(), failedShare, "chats that failed, of all"},
		{"success_ratio", Ratio, ofService, "chats", chats(), rest(failedShare), "chats that succeeded, of all"},
		{"response_time_ms", Milliseconds, ofService, "timed_chats", countOf(chatTime), mean(chatTime, 1000), "mean time of a chat"},
		{"response_time_p95_ms", Milliseconds, ofService, "timed_chats", countOf(chatTime), p95(chatTime), "time that 95 % of chats stay below"},
		{
			"rag_success_ratio", Ratio, ofService, "rag_chats", chats(`treq_rag!="none"`), rest(emptyShare),
			"chats with a search that did not come back empty, of those with a search",
		},
		{"similarity", Number, ofSearches, "scored_searches", countOf(similarity), mean(similarity, 1), "mean similarity of searches with scores"},
		{"search_time_ms", Milliseconds, ofSearches, "timed_searches", countOf(searchTime), mean(searchTime, 1000), "mean time of a search"},
		{"cache_hit_ratio", Ratio, ofSearches, "searches", searches(), partOf(searches(`treq_cache="hit"`)), "searches answered by a cache, of all"},
		{
			"no_result_ratio", Ratio, ofSearches, "known_searches", searches(`treq_retrieval_result!="unknown"`),
			partOf(searches(`treq_retrieval_result="empty"`)), "searches that found nothing, of those whose result is known",
		},
		{"llm_latency_ms", Milliseconds, ofCalls, "timed_calls", countOf(callTime, languageModels), mean(callTime, 1000, languageModels), "mean time of a model call"},
		{"llm_latency_p95_ms", Milliseconds, ofCalls, "timed_calls", countOf(callTime, languageModels), p95(callTime, languageModels), "time that 95 % of model calls stay below"},
		{"first_token_p95_ms", Milliseconds, ofCalls, "first_tokens", countOf(firstToken), p95(firstToken), "time to the first token that 95 % of streams stay below"},
		{
			"tokens_per_request", Tokens, ofService, "chats", chats(), func(s scope, samples string) string {
				return share(s.sum(s.increase("treq_chat_tokens_total")), samples)
			}, "tokens of model calls, for each chat",
		},
		{shareOfCalls, Ratio, ofCalls, "all_calls", allCalls, callShare, "calls that match where, of all model calls"},
		{
			"cost_usd", USD, ofCalls, "", nil, func(s scope, _ string) string {
				return s.sum(s.increase("treq_llm_cost_USD_total"))
			}, "known cost of all calls in the window",
		},
		{
			"price_coverage_ratio", Ratio, ofCalls, "tokens", func(s scope) string { return s.total(tokenCounters) },
			rest(partOf(func(s scope) string { return s.sum(s.increase("treq_llm_unpriced_tokens_total")) })), "tokens whose cost is known, of all",
		},
		{"sink_lag_seconds", Seconds, ofSinks, "", nil, gauge("max", "treq_pipeline_queue_age_seconds"), "age of the oldest record that waits for a sink"},
		{"sink_expiry_seconds", Seconds, ofSinks, "", nil, sinkExpiry, "time until the journal drops what a sink has not taken, at the present pace"},
		{"journal_room_ratio", Ratio, nil, "", nil, func(s scope, _ string) string {
			return "min(treq_journal_room_bytes / treq_journal_limit_bytes)"
		}, "room that the journal has or can make, of its limit"},
		{
			"lost_spans", Spans,
			map[string]string{"sink": "treq_sink", "reason": "treq_reason"},
			"", nil,
			func(s scope, _ string) string { return s.sum(s.increase("treq_pipeline_dropped_total")) }, "spans that a sink will never get",
		},
		{"memory_mb", Megabytes, ofService, "", nil, memory, "resident memory of this process and of services that report theirs"},
	}
}

// shareOfCalls is the metric whose conditions say whose share is meant.
const shareOfCalls = "call_share"

// allCalls leaves out the conditions: they say whose share is meant.
func allCalls(s scope) string {
	s.where = nil
	return calls(s)
}

func callShare(s scope, samples string) string { return share(calls(s), samples) }

// sinkExpiry divides what the journal may still take before a sink's oldest record
// goes by how fast it grows. Sinks that have taken everything have no such time.
func sinkExpiry(s scope, _ string) string {
	grows := fmt.Sprintf("sum(rate(treq_pipeline_received_bytes_total[%s]))", promDuration(s.window))
	left := fmt.Sprintf("(max(treq_journal_limit_bytes) - on () group_right () (max by (treq_sink) (%s) > 0))", s.selector("treq_pipeline_queue_bytes"))
	return s.aggregate("min", fmt.Sprintf("clamp_min(%s, 0) / on () group_left () (%s > 0)", left, grows))
}

// memory is in MiB, as the guide's document shows it.
func memory(s scope, _ string) string {
	own := `label_replace(process_memory_usage_bytes, "service_name", "treq-telemetry", "", "")`
	all := own + " or reported_process_memory_usage_bytes"
	if len(s.where) > 0 {
		// A selector cannot stand behind a function: the join keeps the groups wanted.
		all = s.selector("reported_process_memory_usage_bytes")
	}
	return s.aggregate("max", all) + " / 1048576"
}

func metricNamed(name string) (metric, bool) {
	all := metrics()
	i := slices.IndexFunc(all, func(m metric) bool { return m.name == name })
	if i < 0 {
		return metric{}, false
	}
	return all[i], true
}

func metricNames() string {
	var names []string
	for _, m := range metrics() {
		names = append(names, m.name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// Reference gives the metrics as a Markdown table: name, unit, words of where and
// group_by, what it is.
func Reference() string {
	var b strings.Builder
	b.WriteString("| metric | unit | `where` and `group_by` | what it is |\n|---|---|---|---|\n")
	for _, m := range metrics() {
		unit := string(m.unit)
		if unit == "" {
			unit = "1"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.name, unit, wordsOf(m.labels), m.about)
	}
	return b.String()
}
