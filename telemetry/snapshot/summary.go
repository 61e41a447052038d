package snapshot

import (
	"context"
	"net/http"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// SummaryExposition serves the summary document to scrapers, as gauges
// treq_summary_*. None of their names is an instrument's, so that scraping every
// path counts nothing twice. It is safe for concurrent use if Summary is.
type SummaryExposition struct {
	// Summary gives the document.
	Summary func(context.Context) (Summary, error)
	// OnError is told why there was no answer; nil ignores it.
	OnError func(error)
}

// ServeHTTP answers with the exposition, 503 if there is no summary.
func (e *SummaryExposition) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := negotiate(r.Header)
	body, err := e.rendering(r.Context(), f)
	if err != nil {
		if e.OnError != nil && r.Context().Err() == nil {
			e.OnError(err)
		}
		http.Error(w, "the summary cannot be made now", http.StatusServiceUnavailable)
		return
	}
	respond(w, f, body)
}

func (e *SummaryExposition) rendering(ctx context.Context, f form) ([]byte, error) {
	s, err := e.Summary(ctx)
	if err != nil {
		return nil, err
	}
	body, _, err := render(s.families(), f, 0)
	return body, err
}

// families gives the summary as Prometheus gauges, with the values that the document shows.
func (s Summary) families() []*dto.MetricFamily {
	gauge := func(name, help string, value float64) *dto.MetricFamily {
		return &dto.MetricFamily{
			Name: proto.String("treq_summary_" + name), Help: proto.String(help), Type: dto.MetricType_GAUGE.Enum(),
			Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: proto.Float64(value)}}},
		}
	}
	healthy := 0.0
	if s.SystemStatus == Healthy {
		healthy = 1
	}
	return []*dto.MetricFamily{
		gauge("avg_response_time_ms", "Mean time of a chat in milliseconds.", s.AvgResponseTimeMS.Float()),
		gauge("healthy", "1 while the status is healthy, else 0.", healthy),
		gauge("llm_avg_latency_ms", "Mean time of a model call in milliseconds.", s.LLMAvgLatencyMS.Float()),
		gauge("llm_total_tokens", "Tokens of model calls.", float64(s.LLMTotalTokens)),
		gauge("rag_avg_similarity", "Mean similarity of searches, 0 to 1.", s.RAGAvgSimilarity.Float()),
		gauge("success_rate_percent", "Chats that succeeded, in percent.", s.SuccessRatePercent.Float()),
		gauge("total_requests", "Chats.", float64(s.TotalRequests)),
		gauge("uptime_hours", "Hours since the process started.", s.UptimeHours.Float()),
	}
}
