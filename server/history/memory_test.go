package history

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// resident is what the process holds in memory, in MiB.
func resident(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Fatal(err)
	}
	pages, err := strconv.ParseFloat(strings.Fields(string(text))[1], 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * float64(os.Getpagesize()) / (1 << 20)
}

// BenchmarkDay keeps a day of samplings every 15 s and tells what the process holds
// then, more than before it (MiB), what that takes on disk, and what a query of an
// hour over a twentieth of the series takes.
func BenchmarkDay(b *testing.B) {
	for _, n := range []int{200, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for range b.N {
				before := resident(b)
				s := open(b, Options{Dir: b.TempDir() + "/history"})
				s.db.DisableCompactions()
				values := make([]float64, n)
				families := make([]*dto.MetricFamily, n)
				for i := range values {
					families[i] = counter(fmt.Sprintf("c%d_%d_total", i%20, i), &values[i])
				}
				at, most := noon, 0.0
				for step := range 24 * 60 * 4 {
					for i := range values {
						values[i] += float64((step*7 + i) % 11)
					}
					s.mustSample(b, at, families, false)
					at = at.Add(DefaultStep)
					if step%480 == 479 {
						if err := s.db.Compact(b.Context()); err != nil {
							b.Fatal(err)
						}
						most = max(most, resident(b))
					}
				}
				begun := time.Now()
				if _, err := s.QueryRange(b.Context(), `sum({__name__=~"c3_.+"})`, at.Add(-time.Hour), at, time.Minute); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(time.Since(begun).Microseconds())/1000, "ms/query")
				debug.FreeOSMemory()
				b.ReportMetric(most, "MiB-most")
				b.ReportMetric(resident(b), "MiB-after")
				b.ReportMetric(before, "MiB-before")
				b.ReportMetric(float64(s.bytes())/(1<<20), "MiB-disk")
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
