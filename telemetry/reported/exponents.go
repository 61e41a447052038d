package reported

import "math"

// exponents are the buckets of an exponential histogram.
type exponents struct {
	scale              int32
	zeroCount          uint64
	zeroThreshold      float64
	positive, negative buckets
}

// buckets are counts of which the first is at index offset.
type buckets struct {
	offset int32
	counts []uint64
}

const (
	// maxBuckets bounds one side of an exponential histogram, as the SDKs do.
	maxBuckets = 160
	// minScale is the coarsest scale that Prometheus takes; there maxBuckets hold
	// every finite number.
	minScale = -4
	// maxScale is the finest scale of the data model.
	maxScale = 20
)

// reach gives the indexes of the first and the last bucket.
func (b buckets) reach() (first, last int64) {
	return int64(b.offset), int64(b.offset) + int64(len(b.counts)) - 1
}

// finite tells whether the buckets are those of finite numbers: index i begins
// at 2^(i/2^scale). The finite ones fit into maxBuckets at minScale.
func (b buckets) finite(scale int32) bool {
	if len(b.counts) == 0 {
		return true
	}
	first, last := b.reach()
	return math.Ldexp(float64(first), int(-scale)) >= -1090 && math.Ldexp(float64(last), int(-scale)) <= 1024
}

// trimmed leaves out empty buckets at both ends.
func (b buckets) trimmed() buckets {
	for len(b.counts) > 0 && b.counts[len(b.counts)-1] == 0 {
		b.counts = b.counts[:len(b.counts)-1]
	}
	if len(b.counts) == 0 {
		return buckets{}
	}
	for b.counts[0] == 0 {
		b.offset++
		b.counts = b.counts[1:]
	}
	return b
}

// coarser merges buckets, 2^shift into one.
func (b buckets) coarser(shift int32) buckets {
	if len(b.counts) == 0 || shift <= 0 {
		return b
	}
	first, last := b.reach()
	merged := buckets{offset: int32(first >> shift), counts: make([]uint64, last>>shift-first>>shift+1)}
	for i, n := range b.counts {
		merged.counts[(first+int64(i))>>shift-first>>shift] += n
	}
	return merged
}

// excess says by how much two sides that are to be one must be made coarser.
func excess(b, c buckets) (shift int32) {
	if len(b.counts) == 0 {
		b = c
	}
	if len(c.counts) == 0 {
		c = b
	}
	if len(b.counts) == 0 {
		return 0
	}
	first, last := b.reach()
	otherFirst, otherLast := c.reach()
	first, last = min(first, otherFirst), max(last, otherLast)
	for last>>shift-first>>shift >= maxBuckets {
		shift++
	}
	return shift
}

// plus adds buckets of the same scale whose sum is within bounds.
func (b buckets) plus(c buckets) buckets {
	if len(b.counts) == 0 {
		return c
	}
	if len(c.counts) == 0 {
		return b
	}
	first, last := b.reach()
	otherFirst, otherLast := c.reach()
	first, last = min(first, otherFirst), max(last, otherLast)
	sum := buckets{offset: int32(first), counts: make([]uint64, last-first+1)}
	for _, part := range []buckets{b, c} {
		for i, n := range part.counts {
			sum.counts[int64(part.offset)-first+int64(i)] += n
		}
	}
	return sum
}

// coarser brings the histogram to a scale that is at most its own.
func (e exponents) coarser(scale int32) exponents {
	shift := e.scale - scale
	e.positive, e.negative, e.scale = e.positive.coarser(shift), e.negative.coarser(shift), scale
	return e
}

// fitted makes the histogram as coarse as the bound on its buckets asks for.
func (e exponents) fitted() exponents {
	return e.coarser(e.scale - max(excess(e.positive, buckets{}), excess(e.negative, buckets{})))
}

// plus adds two histograms at the finest scale that holds both.
func (e exponents) plus(f exponents) exponents {
	scale := min(e.scale, f.scale)
	e, f = e.coarser(scale), f.coarser(scale)
	scale -= max(excess(e.positive, f.positive), excess(e.negative, f.negative))
	e, f = e.coarser(scale), f.coarser(scale)
	return exponents{
		scale:         scale,
		zeroCount:     e.zeroCount + f.zeroCount,
		zeroThreshold: max(e.zeroThreshold, f.zeroThreshold),
		positive:      e.positive.plus(f.positive),
		negative:      e.negative.plus(f.negative),
	}
}
