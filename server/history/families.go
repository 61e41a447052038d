package history

import (
	"math"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// scraped is one sample as a scrape of /metrics would give it.
type scraped struct {
	labels labels.Labels
	value  float64
	// cumulative values only grow, but for the start of another process.
	cumulative bool
	// own are those that this process counted, and not a service elsewhere.
	own      bool
	exemplar *dto.Exemplar
}

// scraper turns families into samples with the labels of a target.
type scraper struct {
	job, instance string
	builder       labels.ScratchBuilder
}

// foreign is the beginning of names of what services counted themselves.
const foreign = "reported_"

// scrape gives the samples of a family to each, in the order of the exposition.
func (s *scraper) scrape(family *dto.MetricFamily, each func(scraped)) {
	name := family.GetName()
	own := !strings.HasPrefix(name, foreign)
	emit := func(m *dto.Metric, suffix, label, value string, v float64, cumulative bool, e *dto.Exemplar) {
		each(scraped{s.labels(name+suffix, m.GetLabel(), label, value), v, cumulative, own, e})
	}
	for _, m := range family.GetMetric() {
		switch {
		case m.Counter != nil:
			emit(m, "", "", "", m.Counter.GetValue(), true, m.Counter.GetExemplar())
		case m.Gauge != nil:
			emit(m, "", "", "", m.Gauge.GetValue(), false, nil)
		case m.Untyped != nil:
			emit(m, "", "", "", m.Untyped.GetValue(), false, nil)
		case m.Summary != nil:
			for _, q := range m.Summary.GetQuantile() {
				emit(m, "", "quantile", number(q.GetQuantile()), q.GetValue(), false, nil)
			}
			emit(m, "_sum", "", "", m.Summary.GetSampleSum(), true, nil)
			emit(m, "_count", "", "", float64(m.Summary.GetSampleCount()), true, nil)
		case m.Histogram != nil:
			h := m.Histogram
			infinite := false
			for _, b := range h.GetBucket() {
				emit(m, "_bucket", labels.BucketLabel, number(b.GetUpperBound()), float64(b.GetCumulativeCount()), true, b.GetExemplar())
				infinite = math.IsInf(b.GetUpperBound(), 1)
			}
			if !infinite {
				emit(m, "_bucket", labels.BucketLabel, "+Inf", float64(h.GetSampleCount()), true, nil)
			}
			emit(m, "_sum", "", "", h.GetSampleSum(), true, nil)
			emit(m, "_count", "", "", float64(h.GetSampleCount()), true, nil)
		}
	}
}

// labels gives the labels of a series. What the target already says is moved out
// of its way, as a scrape does.
func (s *scraper) labels(name string, pairs []*dto.LabelPair, label, value string) labels.Labels {
	s.builder.Reset()
	s.builder.Add(model.MetricNameLabel, name)
	s.builder.Add("instance", s.instance)
	s.builder.Add("job", s.job)
	for _, p := range pairs {
		switch key := p.GetName(); {
		case p.GetValue() == "":
		case key == "instance" || key == "job":
			s.builder.Add("exported_"+key, p.GetValue())
		default:
			s.builder.Add(key, p.GetValue())
		}
	}
	if label != "" {
		s.builder.Add(label, value)
	}
	s.builder.Sort()
	return s.builder.Labels()
}

// number spells a bound as OpenMetrics and Prometheus 3 do: 1 is 1.0.
func number(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "+Inf"
	case math.IsInf(f, -1):
		return "-Inf"
	}
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(text, "e.N") {
		text += ".0"
	}
	return text
}
