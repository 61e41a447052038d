package main

import "strings"

// chosen narrows a metric to the services that the reader chose, and by further
// matchers.
func chosen(metric string, matchers ...string) string {
	return metric + "{" + strings.Join(append([]string{`service_name=~"$service"`}, matchers...), ",") + "}"
}

// rate is how much a second, as the step of the chart asks for.
func rate(selector string) string { return "rate(" + selector + "[$__rate_interval])" }

func sum(expr string) string { return "sum(" + expr + ")" }

func sumBy(labels, expr string) string { return "sum by (" + labels + ") (" + expr + ")" }

// share is a part of a whole, and nothing where there is no whole.
func share(part, whole string) string { return part + " / (" + whole + " > 0)" }

// mean is the average of a histogram.
func mean(histogram string, matchers ...string) string {
	return share(sum(rate(chosen(histogram+"_sum", matchers...))), sum(rate(chosen(histogram+"_count", matchers...))))
}

func meanBy(labels, histogram string, matchers ...string) string {
	return share(sumBy(labels, rate(chosen(histogram+"_sum", matchers...))), sumBy(labels, rate(chosen(histogram+"_count", matchers...))))
}

// quantile reads a histogram at a quantile such as 0.95.
func quantile(q, histogram string, matchers ...string) string {
	return "histogram_quantile(" + q + ", " + sumBy("le", rate(chosen(histogram+"_bucket", matchers...))) + ")"
}

// orZero gives 0 where nothing was ever counted.
func orZero(expr string) string { return expr + " or vector(0)" }

const (
	chats      = "treq_chat_duration_seconds"
	searches   = "treq_retrieval_duration_seconds"
	calls      = "gen_ai_client_operation_duration_seconds"
	firstToken = "treq_llm_time_to_first_token_seconds"
	similarity = "treq_retrieval_similarity"

	// Calls of embedding models and rerankers are no calls of language models.
	languageModels = `gen_ai_operation_name!~"embeddings|rerank"`
)
