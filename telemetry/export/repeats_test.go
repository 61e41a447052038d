package export

import (
	"testing"
	"time"

	"treq/telemetry/journal"
)

// What clients send again after a kill, since nobody answered them, a sink gets once,
// however it is packed then: what was delivered before the kill, what was read since,
// and what came again more than once.
func TestWhatComesAgainAfterAKillIsSentOnce(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		first := stand.sink(b, Config{})
		stand.spans(ids(1, 5))
		settleFor(time.Second)
		b.checkTaken(5)
		b.script = append(b.script, status(503))
		stand.spans(ids(6, 5))
		settleFor(time.Millisecond)

		second := stand.killed(first, b, Config{Delay: time.Second})
		stand.append(journal.Entry{Kind: journal.Traces, Encoding: journal.Gzip, Items: 3, Body: zip(t, encode(t, ids(2, 3)))})
		stand.spans(ids(4, 9))
		third := stand.killed(second, b, Config{})
		stand.spans(ids(9, 2))
		settleFor(time.Minute)
		b.checkTaken(12)
		if s := third.Status(); s.SentSpans != 12 || s.RepeatedSpans != 12 || s.QueueSpans != 0 || s.AdmittedSpans != 24 {
			t.Errorf("%d sent and %d repeated of %d, %d wait", s.SentSpans, s.RepeatedSpans, s.AdmittedSpans, s.QueueSpans)
		}
		// Later nobody waits for an answer of the process before.
		stand.spans(ids(1, 2))
		settleFor(time.Second)
		if b.taken[1] != 2 || b.taken[2] != 2 {
			t.Errorf("what is sent again a minute later is taken %d times", b.taken[1])
		}
	})
}

// A stop answers every client before it ends: nothing is looked for behind it.
func TestNothingComesAgainAfterAStop(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		first := stand.sink(b, Config{})
		stand.spans(ids(1, 5))
		settleFor(time.Second)
		stop(t, first)
		second := stand.sink(b, Config{})
		stand.spans(ids(1, 5))
		settleFor(time.Second)
		checkAccount(t, second, account{Admitted: 10, Sent: 10})
	})
}

// A span that is not the one that was sent before is no repetition of it.
func TestIdentityOfASpan(t *testing.T) {
	r := newRepeats(time.Now())
	one := spanSpec{id: 1, trace: 1}
	r.learn(encode(t, []spanSpec{one}))
	for name, test := range map[string]struct {
		of   []spanSpec
		want int64
	}{
		"the same":              {[]spanSpec{one}, 1},
		"among others":          {append(ids(2, 3), one), 1},
		"another id":            {[]spanSpec{{id: 2, trace: 1}}, 0},
		"another trace":         {[]spanSpec{{id: 1, trace: 2}}, 0},
		"one attribute more":    {[]spanSpec{{id: 1, trace: 1, pad: 3}}, 0},
		"the same and one like": {[]spanSpec{one, {id: 1, trace: 1, bad: true}}, 1},
	} {
		body := encode(t, test.of)
		rest, n, err := r.without(body)
		if left := decode(t, rest); err != nil || n != test.want || len(left) != len(test.of)-int(n) {
			t.Errorf("%s: %d repeated, %v left, %v", name, n, left, err)
		}
	}
}

// The spans that are remembered are bounded, and the latest of them.
func TestRepeatsAreBounded(t *testing.T) {
	r := newRepeats(time.Now())
	for i := range 20 {
		r.learn(encode(t, ids(1+1000*i, 1000)))
	}
	if len(r.known) != inherited || len(r.order) != inherited {
		t.Errorf("%d and %d are remembered, want %d", len(r.known), len(r.order), inherited)
	}
	for from, want := range map[int]int64{1: 0, 20_000 - inherited + 1: 10, 19_991: 10} {
		if _, n, err := r.without(encode(t, ids(from, 10))); err != nil || n != want {
			t.Errorf("of 10 from %d, %d are known, want %d (%v)", from, n, want, err)
		}
	}
}
