package history

import (
	"fmt"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// BenchmarkLongChart asks for charts over 15 days of 200 series, 32 of which it
// reads, as many as a quantile of a histogram does.
func BenchmarkLongChart(b *testing.B) {
	s := open(b, Options{Dir: b.TempDir() + "/history"})
	s.db.DisableCompactions()
	const n = 200
	values := make([]float64, n)
	families := make([]*dto.MetricFamily, n)
	for i := range values {
		families[i] = counter(fmt.Sprintf("c%d_total", i), &values[i])
	}
	at := noon
	for step := range 15 * 24 * 60 * 4 {
		for i := range values {
			values[i] += float64((step*7 + i) % 11)
		}
		s.mustSample(b, at, families, false)
		at = at.Add(DefaultStep)
		if step%1920 == 1919 {
			if err := s.db.Compact(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, past := range []time.Duration{24 * time.Hour, 7 * 24 * time.Hour, 15 * 24 * time.Hour} {
		b.Run(past.String(), func(b *testing.B) {
			step := past / usualValues
			var terms []string
			for i := range 32 {
				terms = append(terms, fmt.Sprintf("rate(c%d_total[%ds])", i, int64(step.Seconds())))
			}
			for range b.N {
				_, err := s.QueryRange(b.Context(), strings.Join(terms, "+"), at.Add(-past), at, step)
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
