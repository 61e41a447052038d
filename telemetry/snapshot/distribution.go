package snapshot

import (
	"math"
	"slices"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// distribution adds up the series of a histogram.
type distribution struct {
	bounds []float64
	counts []uint64
	count  uint64
	sum    float64
}

// add adds one series. Series of other bounds, of which a reader has none, would
// be left out.
func (d *distribution) add(p *metricdata.HistogramDataPoint[float64]) {
	if d.counts == nil {
		d.bounds, d.counts = p.Bounds, make([]uint64, len(p.BucketCounts))
	}
	if !slices.Equal(d.bounds, p.Bounds) || len(d.counts) != len(p.BucketCounts) {
		return
	}
	for i, n := range p.BucketCounts {
		d.counts[i] += n
	}
	d.count += p.Count
	d.sum += p.Sum
}

// quantile estimates the value that a share of all values does not pass, as
// PromQL's histogram_quantile does: inside the bucket that holds it, values are
// taken to lie evenly; the first bucket begins at 0, and in the last, which has no
// end, the answer is where it begins. NaN without values.
func (d *distribution) quantile(q float64) float64 {
	if d.count == 0 {
		return math.NaN()
	}
	rank := q * float64(d.count)
	below := 0.0
	for i, n := range d.counts {
		if i == len(d.bounds) {
			break
		}
		if here := below + float64(n); here >= rank && n > 0 {
			begin := 0.0
			if i > 0 {
				begin = d.bounds[i-1]
			}
			return begin + (d.bounds[i]-begin)*(rank-below)/float64(n)
		}
		below += float64(n)
	}
	return d.bounds[len(d.bounds)-1]
}

// latency gives the distribution of seconds in milliseconds.
func (d *distribution) latency() Latency {
	l := Latency{Samples: int64(d.count)}
	if d.count == 0 {
		return l
	}
	ms := func(seconds float64) *Hundredths {
		v := Hundredths(1000 * seconds)
		return &v
	}
	l.Average = ms(d.sum / float64(d.count))
	l.P50, l.P95, l.P99 = ms(d.quantile(0.5)), ms(d.quantile(0.95)), ms(d.quantile(0.99))
	return l
}
