package export

import (
	"sync"
	"time"
)

// bucket is a token bucket that lets no hour have more than a limit. It holds a
// twelfth of the limit and fills at the rate of the rest. The zero value has no limit.
type bucket struct {
	size, rate float64 // rate per second
	level      float64
	at         time.Time
}

// burst is the part of an hour's limit that may be used at once.
const burst = 1.0 / 12

func newBucket(perHour int64, now time.Time) bucket {
	size := max(1, float64(perHour)*burst)
	if perHour == 0 {
		return bucket{}
	}
	return bucket{size: size, level: size, at: now, rate: max(float64(perHour)-size, 1) / 3600}
}

func (b *bucket) limited() bool { return b.size > 0 }

func (b *bucket) fill(now time.Time) {
	if b.limited() && now.After(b.at) {
		b.level = min(b.size, b.level+b.rate*now.Sub(b.at).Seconds())
		b.at = now
	}
}

// wait gives how long until n may be taken. What is more than the bucket holds may
// be taken from a full one, and is paid for afterwards.
func (b *bucket) wait(n float64) time.Duration {
	if need := min(n, b.size); b.limited() && b.level < need {
		return time.Duration((need - b.level) / b.rate * float64(time.Second))
	}
	return 0
}

func (b *bucket) take(n float64) {
	if b.limited() {
		b.level -= n
	}
}

// left is the part that is left, 1 without a limit.
func (b *bucket) left() float64 {
	if !b.limited() {
		return 1
	}
	return max(0, b.level/b.size)
}

// budget is what a sink may send in an hour. nil is no limit. Safe for concurrent use.
type budget struct {
	mu                     sync.Mutex
	requests, spans, bytes bucket
	until                  time.Time // when something waits
}

func newBudget(c Config, now time.Time) *budget {
	if c.RequestsPerHour == 0 && c.SpansPerHour == 0 && c.BytesPerHour == 0 {
		return nil
	}
	return &budget{
		requests: newBucket(c.RequestsPerHour, now), spans: newBucket(c.SpansPerHour, now), bytes: newBucket(c.BytesPerHour, now),
	}
}

// take takes what a request needs and gives 0, or gives how long it has to wait for it.
func (b *budget) take(now time.Time, requests, spans, bytes float64) time.Duration {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill(now)
	if wait := max(b.requests.wait(requests), b.spans.wait(spans), b.bytes.wait(bytes)); wait > 0 {
		// Never so little that it comes to nothing.
		wait = max(wait, time.Millisecond)
		b.until = now.Add(wait)
		return wait
	}
	b.requests.take(requests)
	b.spans.take(spans)
	b.bytes.take(bytes)
	return 0
}

// waits tells whether something waits for room.
func (b *budget) waits(now time.Time) bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.until.After(now)
}

func (b *budget) fill(now time.Time) {
	b.requests.fill(now)
	b.spans.fill(now)
	b.bytes.fill(now)
}

// left is the part that is left of what is scarcest, and until when something waits.
func (b *budget) left(now time.Time) (left float64, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill(now)
	return min(b.requests.left(), b.spans.left(), b.bytes.left()), b.until
}

// afford waits until the budget has room for a batch. It gives false when the sink
// stops first: what was not sent stays in the journal.
func (d *delivery) afford(b *batch) bool {
	s := d.sink
	for {
		wait := s.budget.take(time.Now(), 1, float64(b.spans), float64(b.size))
		if wait == 0 {
			return true
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-s.stopping:
			timer.Stop()
			return false
		case <-s.ctx.Done():
			timer.Stop()
			return false
		}
	}
}
