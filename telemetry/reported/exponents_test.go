package reported

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// drawExponents draws a histogram by the values it holds.
func drawExponents(t *rapid.T, label string) (e exponents, values []float64) {
	e.scale = int32(rapid.IntRange(minScale, 8).Draw(t, label+" scale"))
	values = rapid.SliceOfN(rapid.Float64Range(1e-300, 1e300), 0, 20).Draw(t, label)
	for _, v := range values {
		e.positive = e.positive.plus(buckets{offset: indexOf(v, e.scale), counts: []uint64{1}})
		if len(e.positive.counts) > 4*maxBuckets {
			e = e.fitted()
		}
	}
	return e.fitted(), values
}

// indexOf gives the bucket of a value at scales of at most 0, where it is exact,
// and by the exponent's neighbours above.
func indexOf(v float64, scale int32) int32 {
	fraction, exponent := math.Frexp(v)
	at := int32(exponent - 1)
	if fraction == 0.5 {
		at-- // upper bounds are inclusive
	}
	if scale <= 0 {
		return at >> -scale
	}
	return at << scale
}

func total(b buckets) (n uint64) {
	for _, c := range b.counts {
		n += c
	}
	return n
}

// A sum holds every value of both, in the bucket it belongs to at the sum's
// scale, within the bound on buckets.
func TestExponentialSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, inA := drawExponents(t, "a")
		b, inB := drawExponents(t, "b")
		sum := a.plus(b)
		if sum.scale > min(a.scale, b.scale) || sum.scale < minScale {
			t.Fatalf("scales %d and %d became %d", a.scale, b.scale, sum.scale)
		}
		if len(sum.positive.counts) > maxBuckets {
			t.Fatalf("%d buckets", len(sum.positive.counts))
		}
		want := map[int32]uint64{}
		for _, v := range append(inA, inB...) {
			want[indexOf(v, sum.scale)]++
		}
		for i, n := range sum.positive.counts {
			index := sum.positive.offset + int32(i)
			if sum.scale <= 0 && n != want[index] {
				t.Fatalf("bucket %d at scale %d holds %d, want %d", index, sum.scale, n, want[index])
			}
		}
		if got := total(sum.positive); got != uint64(len(inA)+len(inB)) {
			t.Fatalf("%d values of %d and %d", got, len(inA), len(inB))
		}
	})
}
