package feedback

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"treq/telemetry/journal"
	"treq/telemetry/judgement"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeLog keeps judgements in their order.
type fakeLog struct {
	mu      sync.Mutex
	entries int
	kept    []judgement.Judgement
	err     error
}

func (l *fakeLog) Append(_ context.Context, e *journal.Entry) (journal.Receipt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return journal.Receipt{}, l.err
	}
	l.entries++
	if e.Kind != journal.Posts {
		return journal.Receipt{}, errors.New("a record of another kind")
	}
	err := judgement.Each(e.Body, func(j judgement.Judgement) { l.kept = append(l.kept, j) })
	return journal.Receipt{End: journal.Position(l.entries)}, err
}

type fakeMeter struct {
	ready  error
	err    error
	waited []journal.Position
}

func (m *fakeMeter) WaitCounted(_ context.Context, end journal.Position) error {
	m.waited = append(m.waited, end)
	return m.err
}

func (m *fakeMeter) Ready() error { return m.ready }

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

func open() (*Door, *fakeLog, *fakeMeter) {
	l, m := &fakeLog{}, &fakeMeter{}
	return New(Options{Log: l, Meter: m, Now: func() time.Time { return noon }}), l, m
}

func TestTheSameAgainIsKeptOnceAndAChangedVoteAnew(t *testing.T) {
	d, l, m := open()
	up := judgement.Judgement{RunID: "0af7651916cd43dd8448eb211c80319c", Scored: true, Score: 1}
	down := up
	down.RunID, down.Score = "0AF76519-16cd-43dd-8448-eb211c80319c", 0
	var repeated []bool
	for _, j := range []judgement.Judgement{up, up, down, up, up} {
		r, err := d.Record(t.Context(), j)
		if err != nil || !r.Counted || r.ID != judgement.ID(up.RunID, "user-score", "api") {
			t.Errorf("%+v %v", r, err)
		}
		repeated = append(repeated, r.Repeated)
	}
	if diff := cmp.Diff([]bool{false, true, false, false, true}, repeated); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]journal.Position{1, 1, 2, 3, 3}, m.waited); diff != "" {
		t.Errorf("waited for what does not count it: %s", diff)
	}
	if len(l.kept) != 3 || l.kept[0].Time != noon || l.kept[0].Key != "user-score" {
		t.Errorf("%+v", l.kept)
	}
}

func TestWhatWasNotKeptIsNotKnown(t *testing.T) {
	d, l, m := open()
	j := judgement.Judgement{RunID: "r", Scored: true}
	l.err = errors.New("no room")
	if _, err := d.Record(t.Context(), j); !errors.Is(err, l.err) || len(m.waited) != 0 {
		t.Errorf("%v, waited %v", err, m.waited)
	}
	l.err = nil
	if r, err := d.Record(t.Context(), j); err != nil || r.Repeated || len(l.kept) != 1 {
		t.Errorf("%+v %v %d", r, err, len(l.kept))
	}
	m.ready = errors.New("replay")
	if r, err := d.Record(t.Context(), judgement.Judgement{RunID: "s"}); err != nil || r.Counted {
		t.Errorf("%+v %v", r, err)
	}
}

func TestThumbsOfNoRunAreEachTheirOwn(t *testing.T) {
	d, _, _ := open()
	a, errA := d.Record(t.Context(), judgement.Judgement{Scored: true})
	b, errB := d.Record(t.Context(), judgement.Judgement{Scored: true})
	if errA != nil || errB != nil || a.ID == b.ID || b.Repeated {
		t.Errorf("%+v %+v %v %v", a, b, errA, errB)
	}
}

func TestOneRequestIsOneEntry(t *testing.T) {
	d, l, _ := open()
	list := []judgement.Judgement{{RunID: "a", Scored: true}, {RunID: "b", Scored: true}}
	for range 2 {
		if err := d.Keep(t.Context(), list...); err != nil {
			t.Fatal(err)
		}
	}
	if l.entries != 1 || len(l.kept) != 2 {
		t.Errorf("%d entries, %d judgements", l.entries, len(l.kept))
	}
}

// TestWhatIsKeptTellsTheVotesOfEach votes at random: what is kept of each run, key
// and source are its votes without repetitions, so that its last is the last kept.
func TestWhatIsKeptTellsTheVotesOfEach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, l, _ := open()
		want := map[string][]float64{}
		for range rapid.IntRange(1, 60).Draw(t, "votes") {
			j := judgement.Judgement{
				RunID: rapid.SampledFrom([]string{"r1", "r2"}).Draw(t, "run"), Key: rapid.SampledFrom([]string{"", "tone"}).Draw(t, "key"),
				Source: rapid.SampledFrom([]string{"", "browser"}).Draw(t, "source"),
				Scored: true, Score: float64(rapid.IntRange(0, 1).Draw(t, "score")),
			}
			r, err := d.Record(context.Background(), j)
			if err != nil {
				t.Fatal(err)
			}
			votes := want[r.ID]
			isNew := len(votes) == 0 || votes[len(votes)-1] != j.Score
			if r.Repeated == isNew {
				t.Fatalf("vote %v after %v: repeated %v", j.Score, votes, r.Repeated)
			}
			if isNew {
				want[r.ID] = append(votes, j.Score)
			}
		}
		got := map[string][]float64{}
		for _, j := range l.kept {
			got[j.ID] = append(got[j.ID], j.Score)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	})
}
