package export

import (
	"slices"
	"testing"
	"time"
)

// A span that makes the sink stumble is found, and blocks nobody for ever.
func TestServerErrorOverOneSpan(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		specs := ids(1, 40)
		specs[11].bad, specs[33].bad = true, true
		b.respond = refuseBad(500)
		for chunk := range slices.Chunk(specs, 10) {
			stand.spans(chunk)
		}
		sink := stand.sink(b, Config{Profile: "langsmith"})
		settleFor(6 * time.Hour)
		checkAccount(t, sink, account{Admitted: 40, Sent: 38, Dead: 2})
		b.checkTaken(40, 12, 34)
	})
}

// Nor does one that is the last of its batch, or the only one: others tell.
func TestServerErrorOverTheLastSpan(t *testing.T) {
	for _, bad := range []int{0, 11, 29} {
		sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
			specs := ids(1, 30)
			specs[bad].bad = true
			b.respond = refuseBad(500)
			stand.spans(specs[:10])
			stand.spans(specs[10:])
			sink := stand.sink(b, Config{Profile: "langsmith", BatchSpans: 30})
			settleFor(time.Hour)
			// Nothing else has come that would tell that it is not the sink.
			if s := sink.Status(); s.SentSpans+s.DeadLetteredSpans < 29 {
				t.Errorf("%d sent and %d given up of 30", s.SentSpans, s.DeadLetteredSpans)
			}
			stand.spans([]spanSpec{{id: 31, trace: 31, bad: true}})
			settleFor(time.Hour)
			stand.spans(ids(32, 10))
			settleFor(time.Hour)
			checkAccount(t, sink, account{Admitted: 41, Sent: 39, Dead: 2})
			b.checkTaken(41, uint64(bad+1), 31)
		})
	}
}
