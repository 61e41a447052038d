package export

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"treq/telemetry/journal"
)

// What retention takes from a sink that lags is counted exactly, other kinds of
// records not among it, also when it happens between two runs.
func TestExpiry(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart=%v", restart), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBackend(t)
				b.respond = status(503)
				stand := newStand(t, journal.Options{SegmentBytes: 64 << 10, MaxBytes: 512 << 10, RingBytes: -1})
				sink := stand.sink(b, Config{BatchSpans: 10})
				n := 0
				load := func() {
					for range 100 {
						specs := ids(n+1, 10)
						specs[0].pad = 8 << 10
						stand.spans(specs)
						stand.append(journal.Entry{Kind: journal.Metrics, Items: 1000, Body: []byte("m")})
						n += 10
						synctest.Wait()
					}
				}
				load()
				if restart {
					stop(t, sink)
					load()
					sink = stand.sink(b, Config{BatchSpans: 10})
					n -= 1000 // what came and went while nothing counted
				}
				b.mu.Lock()
				b.respond = ok
				b.mu.Unlock()
				settleFor(10 * time.Minute)
				s := sink.Status()
				b.mu.Lock()
				taken := int64(len(b.taken))
				b.mu.Unlock()
				if s.ExpiredSpans == 0 || s.SentSpans != taken || s.QueueSpans != 0 {
					t.Errorf("%+v, and %d were taken", accountOf(s), taken)
				}
				if !restart && s.AdmittedSpans != int64(n) {
					t.Errorf("%+v of %d", accountOf(s), n)
				}
				if got := s.SentSpans + s.ExpiredSpans + s.DeadLetteredSpans; got != s.AdmittedSpans {
					t.Errorf("%+v does not add up", accountOf(s))
				}
			})
		})
	}
}

// Whatever a sink answers, in whatever order and with whatever parallelism and
// restarts, every span finds one end and the account is exact.
func TestAccountUnderAnyFaults(t *testing.T) {
	answers := []http.HandlerFunc{
		ok, ok, ok, status(429), status(503), status(413), status(401), refuseBad(400), refuseBad(422), reset, status(404), hang, takesAndHangs,
	}
	rapid.Check(t, func(rt *rapid.T) {
		script := rapid.SliceOfN(rapid.IntRange(0, len(answers)-1), 0, 12).Draw(rt, "answers")
		records := rapid.SliceOfN(rapid.IntRange(1, 12), 1, 8).Draw(rt, "records")
		config := Config{
			Name: "sink", Endpoint: "http://backend.test",
			BatchSpans:  rapid.IntRange(1, 30).Draw(rt, "batch"),
			MaxInFlight: rapid.IntRange(1, 4).Draw(rt, "in flight"),
		}
		restarts := rapid.SliceOfN(rapid.IntRange(0, 100), 0, 3).Draw(rt, "restarts")
		kill := rapid.Bool().Draw(rt, "kill")
		first := rapid.SampledFrom([]int64{0, 1, firstSpans, 5}).Draw(rt, "first")
		badEvery := rapid.IntRange(2, 20).Draw(rt, "bad every")
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(t)
			b.respond = refuseBad(400)
			for _, i := range script {
				b.script = append(b.script, answers[i])
			}
			stand := newStand(t, journal.Options{})
			stand.first = first
			n, bad := 0, map[uint64]bool{}
			for _, size := range records {
				specs := ids(n+1, size)
				for i := range specs {
					specs[i].bad = specs[i].id%uint64(badEvery) == 0
					if specs[i].bad {
						bad[specs[i].id] = true
					}
				}
				stand.spans(specs)
				n += size
			}
			sink := stand.sink(b, config)
			for _, seconds := range restarts {
				settleFor(time.Duration(seconds) * time.Second)
				a := accountOf(sink.Status())
				if a.Admitted != int64(n) || a.Queue+a.Sent+a.Dead+a.Expired != a.Admitted {
					t.Errorf("%+v of %d", a, n)
				}
				if kill {
					sink = stand.killed(sink, b, config)
					continue
				}
				stop(t, sink)
				sink = stand.sink(b, config)
			}
			for range 20 {
				if settleFor(5 * time.Minute); sink.Status().QueueSpans == 0 {
					break
				}
			}
			a := accountOf(sink.Status())
			// A 413 to a single span buries it though it is not bad.
			if a.Admitted != int64(n) || a.Queue != 0 || a.Sent+a.Dead != int64(n) || a.Dead < int64(len(bad)) && len(script) == 0 {
				t.Errorf("%+v of %d, %d bad", a, n, len(bad))
			}
			ends := map[uint64]bool{}
			for id := range b.taken {
				ends[id] = true
			}
			for _, letter := range readLetters(t, stand, "sink") {
				for _, span := range decode(t, letter.Payload) {
					ends[span.id] = true
				}
			}
			if len(ends) != n {
				t.Errorf("%d of %d spans found an end", len(ends), n)
			}
		})
	})
}
