package fleet

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/promql"
	"pgregory.net/rapid"

	"treq/telemetry"
	"treq/telemetry/snapshot"
)

// both counts a chat, and the model's call in it, at a replica and at the oracle.
func both(seed int, of ...*replica) {
	service := []string{"app", "shop"}[seed%2]
	outcome, errorType := telemetry.Succeeded, ""
	if seed%5 == 0 {
		outcome, errorType = telemetry.Failed, "timeout"
	}
	origin := telemetry.Origin{Service: service}
	for _, r := range of {
		r.chat(telemetry.Chat{
			Origin: origin, Duration: time.Duration(1+seed%40) * 250 * time.Millisecond, Outcome: outcome, ErrorType: errorType,
			RAG: telemetry.Evidence(seed % 4), LLMCalls: 1, Tokens: int64(seed),
		})
		r.call(telemetry.LLMCall{ModelCall: telemetry.ModelCall{
			Origin: origin, Duration: time.Duration(1+seed%16) * 125 * time.Millisecond,
			ResponseModel: []string{"llama-3.1-8b-instant", "llama-3.3-70b"}[seed%2], Provider: "groq",
			Tokens: telemetry.Tokens{Input: int64(seed), Output: 7}, HasUsage: true, CostNanoUSD: int64(seed) * 1001, CostSource: telemetry.ReportedCost,
		}})
	}
}

// documents are all that is made of totals.
type documents struct {
	Metrics map[string]snapshot.Metrics
	Models  snapshot.Models
}

func documentsOf(s *snapshot.Snapshot, now time.Time) documents {
	d := documents{Metrics: map[string]snapshot.Metrics{}, Models: s.Models(snapshot.ModelsQuery{}, now)}
	for _, service := range []string{"", "app", "shop", "nobody"} {
		d.Metrics[service], _ = snapshot.Build(s, snapshot.Query{Service: service}, snapshot.System{}, now, time.Hour)
	}
	return d
}

func (s *shared) same(what string, oracle *snapshot.Snapshot, got *snapshot.Snapshot) {
	s.t.Helper()
	if diff := cmp.Diff(documentsOf(oracle, s.clock), documentsOf(got, s.clock)); diff != "" {
		s.t.Errorf("%s: the fleet (+) is not what one replica would have counted (-):\n%s", what, diff)
	}
}

func (r *replica) snapshot() *snapshot.Snapshot {
	r.s.t.Helper()
	snap, err := r.reader.Snapshot(r.s.t.Context())
	if err != nil {
		r.s.t.Fatal(err)
	}
	return snap
}

// TestFleetIsTheSum lets replicas come, restart and go at random, and compares all
// documents and a window with those of one replica that saw everything.
func TestFleetIsTheSum(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := share(t)
		oracle := s.replica("oracle", nil) // never sampled
		alive := []*replica{s.replica("a", nil), s.replica("b", nil), s.replica("c.1|2", nil)}
		var window struct {
			at   time.Time
			then *snapshot.Snapshot
		}
		steps := rapid.IntRange(3, 12).Draw(r, "steps")
		mark := rapid.IntRange(1, steps-1).Draw(r, "mark")
		for i := range steps {
			for _, x := range alive {
				if x == nil {
					continue
				}
				for range rapid.IntRange(0, 4).Draw(r, "chats") {
					both(rapid.IntRange(0, 200).Draw(r, "seed"), x, oracle)
				}
				x.sample()
			}
			if i == mark {
				window.at, window.then = s.clock, oracle.snapshot()
			}
			s.wait(step)
			at := rapid.IntRange(0, len(alive)-1).Draw(r, "replica")
			switch x := alive[at]; rapid.IntRange(0, 5).Draw(r, "event") {
			case 0: // killed, and back on its data directory
				if x == nil {
					break
				}
				totals, err := x.reader.Totals(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				alive[at] = s.replica(x.instance, totals)
			case 1: // gone for good, long enough that nobody takes it for present
				alive[at] = nil
				s.wait(10 * time.Minute)
				for _, y := range alive {
					if y != nil {
						y.sample()
					}
				}
				s.wait(step)
			}
		}
		if len(oracle.snapshot().Scopes()) == 0 {
			return
		}
		sum := s.latest()
		s.same("all", oracle.snapshot(), sum.Totals)
		within, err := s.view.Since(t.Context(), window.at)
		if err != nil {
			t.Fatal(err)
		}
		s.same("a window", oracle.snapshot().Since(window.then), within.Totals)
		if t.Failed() {
			r.FailNow()
		}
	})
}

// TestWhoIsCounted says who is there, and forgets who is gone for longer than is kept.
func TestWhoIsCounted(t *testing.T) {
	s := share(t)
	if _, err := s.view.Latest(t.Context()); telemetry.KindOf(err) != telemetry.Unavailable {
		t.Errorf("an empty history: %v", err)
	}
	a, b := s.replica("a", nil), s.replica("b", nil)
	both(1, a)
	both(2, b)
	a.sample()
	b.sample()
	s.wait(time.Second)
	if diff := cmp.Diff([]Replica{{"a", true}, {"b", true}}, s.latest().Replicas); diff != "" {
		t.Error(diff)
	}
	s.wait(6 * time.Minute)
	a.sample()
	s.wait(time.Second)
	sum := s.latest()
	if diff := cmp.Diff([]Replica{{"a", true}, {"b", false}}, sum.Replicas); diff != "" {
		t.Error(diff)
	}
	if sum.Present() != 1 || sum.Totals.Tally("").Chats != 2 {
		t.Errorf("%d there, %d chats; want 1 and 2", sum.Present(), sum.Totals.Tally("").Chats)
	}
	s.wait(24 * time.Hour)
	a.sample()
	s.wait(time.Second)
	if sum := s.latest(); len(sum.Replicas) != 1 || sum.Totals.Tally("").Chats != 1 {
		t.Errorf("after a day: %v, %d chats; want the one that is there", sum.Replicas, sum.Totals.Tally("").Chats)
	}
	if _, err := s.view.From(t.Context(), 25*time.Hour); telemetry.KindOf(err) != telemetry.Unprocessable {
		t.Errorf("a window longer than is kept: %v", err)
	}
}

// TestAskersShare lets all who ask within a second have one answer, and says in the
// product's words what is wrong with the history.
func TestAskersShare(t *testing.T) {
	asked, fails := 0, false
	clock := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	v, err := New(Options{Now: func() time.Time { return clock }, Query: func(context.Context, string, time.Time) (promql.Vector, error) {
		asked++
		if fails {
			return nil, errors.New("connection refused")
		}
		return promql.Vector{{F: 1}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := v.Latest(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	once := asked
	clock = clock.Add(time.Second)
	fails = true
	if _, err := v.Latest(t.Context()); telemetry.KindOf(err) != telemetry.Unavailable {
		t.Errorf("a history that is away: %v", err)
	}
	if asked != once+1 {
		t.Errorf("asked %d times within the second, then %d", once, asked-once)
	}
	fails = false
	sum, err := v.Latest(t.Context())
	if err != nil || math.IsNaN(sum.System.CPUPercent) {
		t.Errorf("back: %v", err)
	}
}
