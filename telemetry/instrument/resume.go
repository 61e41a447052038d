package instrument

import "go.opentelemetry.io/otel/attribute"

// Resume lets the sums of a histogram of floating-point numbers go on from those of
// an earlier process, by attribute set, in place of any given before. Points then
// include them, while counts and buckets remain those of this process. It tells
// whether the instruments have such a histogram.
//
// Sums that are added up apart and joined when they are shown associate otherwise, and
// may come out a last digit smaller than they were shown before a crash: a scraper
// takes that for a counter that began again. What goes on from the same number
// through the same values in the same order gives the same sums. That is exact where Resume
// comes before the first event.
func (in *Instruments) Resume(name string, sums map[attribute.Distinct]float64) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, set := range in.table {
		if set.def.Name != name || set.def.Kind != Histogram {
			continue
		}
		set.earlier = sums
		for _, one := range set.all {
			from := sums[one.attributes.Equivalent()]
			if one.sum == one.resumed {
				one.sum = from
			} else {
				one.sum += from - one.resumed
			}
			one.resumed = from
		}
		return true
	}
	return false
}
