package history

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"treq/telemetry"
)

// Chart is a quantity over time that has a name.
type Chart struct {
	// Name is what callers ask for, such as latency_p95.
	Name string `json:"metric"`
	// Unit is that of the values: ms, 1/min, percent, USD/h, MiB, ratio.
	Unit string `json:"unit"`
	// About says what it is.
	About string `json:"about"`

	// told are the labels, besides the service, that tell the quantity apart.
	told []string
	expr func(s selection) string
}

// selection is what of a chart is asked for.
type selection struct {
	service, model string
	window         time.Duration // that rates are taken over
	by             []string      // labels
}

// The labels that charts are narrowed and told apart by.
const (
	labelService = "service_name"
	labelModel   = "gen_ai_response_model"
	labelSource  = "gen_ai_data_source_id"
	labelSink    = "treq_sink"
)

// What a chart can be told apart by besides the service.
var (
	byModel  = []string{labelModel}
	bySource = []string{labelSource}
	bySink   = []string{labelSink}
)

// series gives a selector of a metric, with further matchers.
func (s selection) series(name string, matchers ...string) string {
	if s.service != "" {
		matchers = append(matchers, labelService+"="+strconv.Quote(s.service))
	}
	if s.model != "" {
		matchers = append(matchers, labelModel+"="+strconv.Quote(s.model))
	}
	return name + "{" + strings.Join(matchers, ",") + "}"
}

// rate gives the growth a second of a counter, added up.
func (s selection) rate(name string, matchers ...string) string {
	return fmt.Sprintf("sum%s(rate(%s[%ds]))", s.grouping(), s.series(name, matchers...), int64(s.window/time.Second))
}

func (s selection) grouping(more ...string) string {
	return " by(" + strings.Join(append(more, s.by...), ",") + ")"
}

// both gives the growth of two counters of the same labels, added up. The second
// is marked, since otherwise its series would be taken for the first one's.
func (s selection) both(timed, untimed string, matchers ...string) string {
	window := int64(s.window / time.Second)
	return fmt.Sprintf(`sum%s(rate(%s[%ds]) or label_replace(rate(%s[%ds]),"untimed","1","",""))`,
		s.grouping(), s.series(timed, matchers...), window, s.series(untimed, matchers...), window)
}

// share gives a part of a whole in percent; a part without series is none of it.
func share(part, whole string) string {
	return fmt.Sprintf("100*(%s or 0*%s)/%s", part, whole, whole)
}

// average gives the mean of a histogram.
func (s selection) average(histogram string, matchers ...string) string {
	return s.rate(histogram+"_sum", matchers...) + "/" + s.rate(histogram+"_count", matchers...)
}

func (s selection) quantile(q, histogram string, matchers ...string) string {
	return fmt.Sprintf("histogram_quantile(%s,sum%s(rate(%s[%ds])))", q, s.grouping("le"), s.series(histogram+"_bucket", matchers...), int64(s.window/time.Second))
}

// inference keeps calls of language models.
const inference = `gen_ai_operation_name!~"embeddings|rerank"`

const failed = `treq_outcome="failure"`

// The metrics that charts are made of.
const (
	chatDuration      = "treq_chat_duration_seconds"
	chatUntimed       = "treq_chat_untimed_total"
	searchDuration    = "treq_retrieval_duration_seconds"
	searchUntimed     = "treq_retrieval_untimed_total"
	operationDuration = "gen_ai_client_operation_duration_seconds"
	callUntimed       = "treq_llm_untimed_total"
	firstToken        = "treq_llm_time_to_first_token_seconds"
	similarity        = "treq_retrieval_similarity"
	below             = "treq_retrieval_below_threshold_total"
)

func (s selection) chats(m ...string) string {
	return s.both(chatDuration+"_count", chatUntimed, m...)
}

func (s selection) searches(m ...string) string {
	return s.both(searchDuration+"_count", searchUntimed, m...)
}

func (s selection) calls(m ...string) string {
	return s.both(operationDuration+"_count", callUntimed, append(m, inference)...)
}

// charts is the one place that names them.
var charts = []Chart{
	{"requests", "1/min", "chats", nil, func(s selection) string { return "60*" + s.chats() }},
	{"errors", "1/min", "chats that failed", nil, func(s selection) string {
		return fmt.Sprintf("60*(%s or 0*%s)", s.chats(failed), s.chats())
	}},
	{"error_rate", "percent", "share of chats that failed", nil, func(s selection) string { return share(s.chats(failed), s.chats()) }},
	{"latency_avg", "ms", "average time of a chat", nil, func(s selection) string { return "1000*" + s.average(chatDuration) }},
	{"latency_p50", "ms", "time that half of the chats do not pass", nil, func(s selection) string { return "1000*" + s.quantile("0.5", chatDuration) }},
	{"latency_p95", "ms", "time that 95 % of the chats do not pass", nil, func(s selection) string { return "1000*" + s.quantile("0.95", chatDuration) }},
	{"latency_p99", "ms", "time that 99 % of the chats do not pass", nil, func(s selection) string { return "1000*" + s.quantile("0.99", chatDuration) }},
	{"rag_success_rate", "percent", "share of chats with a search that found something, or did not say", nil, func(s selection) string {
		searched := s.chats(`treq_rag!="none"`)
		return "100-" + share(s.chats(`treq_rag="empty"`), searched)
	}},
	{"searches", "1/min", "searches", bySource, func(s selection) string { return "60*" + s.searches() }},
	{"search_latency_avg", "ms", "average time of a search", bySource, func(s selection) string { return "1000*" + s.average(searchDuration) }},
	{"search_latency_p95", "ms", "time that 95 % of the searches do not pass", bySource, func(s selection) string { return "1000*" + s.quantile("0.95", searchDuration) }},
	{"similarity", "ratio", "average similarity of searches with scores", bySource, func(s selection) string { return s.average(similarity) }},
	{"cache_hit_rate", "percent", "share of searches that a cache answered", bySource, func(s selection) string { return share(s.searches(`treq_cache="hit"`), s.searches()) }},
	{"no_result_rate", "percent", "share of searches that found nothing", bySource, func(s selection) string {
		return share(s.searches(`treq_retrieval_result="empty"`), s.searches())
	}},
	{"below_threshold_rate", "percent", "share of searches whose best document was less similar than the threshold", bySource, func(s selection) string {
		return share(s.rate(below), s.searches())
	}},
	{"similarity_p10", "ratio", "similarity that 10 % of the searches do not pass", bySource, func(s selection) string { return s.quantile("0.1", similarity) }},
	{"similarity_p50", "ratio", "similarity that half of the searches do not pass", bySource, func(s selection) string { return s.quantile("0.5", similarity) }},
	{"similarity_p90", "ratio", "similarity that 90 % of the searches do not pass", bySource, func(s selection) string { return s.quantile("0.9", similarity) }},
	{"llm_calls", "1/min", "calls of language models", byModel, func(s selection) string { return "60*" + s.calls() }},
	{"llm_errors", "1/min", "calls of language models that failed", byModel, func(s selection) string {
		return fmt.Sprintf("60*(%s or 0*%s)", s.calls(`error_type!=""`), s.calls())
	}},
	{"llm_latency_avg", "ms", "average time of a call of a language model", byModel, func(s selection) string { return "1000*" + s.average(operationDuration, inference) }},
	{"llm_latency_p95", "ms", "time that 95 % of those calls do not pass", byModel, func(s selection) string { return "1000*" + s.quantile("0.95", operationDuration, inference) }},
	{"first_token_p95", "ms", "time to the first token that 95 % of streams do not pass", byModel, func(s selection) string { return "1000*" + s.quantile("0.95", firstToken) }},
	{"tokens", "1/min", "tokens of language models", byModel, func(s selection) string { return "60*" + s.rate("treq_llm_tokens_total") }},
	{"cost", "USD/h", "what models cost, as far as it is known", byModel, func(s selection) string { return "3600*" + s.rate("treq_llm_cost_USD_total") }},
	{"feedback", "ratio", "average score of judgements", nil, func(s selection) string { return s.average("treq_feedback_score") }},
	{"spans", "1/s", "spans that were admitted", nil, func(s selection) string {
		// Those that wait for the rest of their trace belong to no service yet.
		if s.service == "" && len(s.by) == 0 {
			return s.rate("treq_pipeline_admitted_total")
		}
		return s.rate("treq_pipeline_spans_total")
	}},
	{"journal_bytes", "bytes", "size of the journal on disk", nil, func(selection) string { return "sum(treq_journal_bytes)" }},
	{"sink_lag", "s", "age of the oldest record that waits for a sink", bySink, func(s selection) string {
		return "max" + s.grouping() + "(treq_pipeline_queue_age_seconds)"
	}},
}

// Charts lists the quantities that have names.
func Charts() []Chart { return append([]Chart(nil), charts...) }

func chartNamed(name string) (Chart, error) {
	var names []string
	for _, c := range charts {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return Chart{}, telemetry.Errorf(telemetry.Unprocessable, "metric is one of %s, not %.40q", strings.Join(names, ", "), name)
}
