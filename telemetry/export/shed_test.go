package export

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"treq/telemetry/journal"
	"treq/telemetry/judgement"
)

// judge appends a judgement of a run.
func (s *stand) judge(run string, score float64) {
	s.t.Helper()
	j := judgement.Judgement{RunID: run, Key: "user-score", Source: judgement.FromAPI, Scored: true, Score: score, Time: time.Now()}
	s.append(journal.Entry{Kind: journal.Posts, Items: 1, Body: judgement.Append(nil, &j)})
}

// TestWhatWasJudgedBadlyIsSentAfterAll leaves out most traces, and has some of them
// judged, by whatever id, good and bad, later and before: those that were judged badly
// arrive, whole, once each, and nothing else of what was left out; the account
// holds at every moment, and shows how many.
func TestWhatWasJudgedBadlyIsSentAfterAll(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		sink := stand.sink(b, Config{SpansPerHour: 2400, OverBudget: OverBudgetSample, BatchSpans: 100})
		arrived := func() map[uint64]int {
			spans := map[uint64]int{}
			for _, p := range b.got() {
				for _, span := range p.spans {
					spans[span.trace]++
				}
			}
			return spans
		}
		const early = 5000 // judged before it came
		stand.judge(fmt.Sprintf("%032x", early), 0)
		for trace := range uint64(1000) {
			stand.append(journal.Entry{Items: 2, Body: worthy(t, trace+1, ordinary)})
		}
		stand.append(journal.Entry{Items: 2, Body: worthy(t, early, ordinary)})
		settleFor(time.Minute)
		before := arrived()
		if before[early] != 2 || len(before) > 400 {
			t.Fatalf("%d traces arrived, of the one that was judged before %d spans", len(before), before[early])
		}
		var out []uint64
		for trace := range uint64(1000) {
			if before[trace+1] == 0 {
				out = append(out, trace+1)
			}
		}
		bad := map[uint64]bool{}
		for i, trace := range out[:40] {
			root := fmt.Sprintf("00010203%08x", trace) // of its first span
			switch i % 4 {
			case 0:
				stand.judge(fmt.Sprintf("%032x", trace), 0)
			case 1:
				stand.judge(root, 0.25)
			case 2:
				stand.judge("00000000-0000-0000-"+root[:4]+"-"+root[4:], 0)
				stand.judge("00000000-0000-0000-"+root[:4]+"-"+root[4:], 0) // again is no more
			default:
				stand.judge(root, 1)
				continue
			}
			bad[trace] = true
		}
		settleFor(time.Second)
		checkAccount(t, sink, accountOf(sink.Status()))
		settleFor(3 * time.Hour)
		after := arrived()
		for trace, n := range after {
			if n != 2 || before[trace] == 0 && !bad[trace] {
				t.Errorf("trace %d arrived with %d of its 2 spans", trace, n)
			}
		}
		for trace := range bad {
			if after[trace] != 2 {
				t.Errorf("trace %d was judged badly and arrived with %d spans", trace, after[trace])
			}
		}
		// What of such a trace comes later goes too.
		for trace := range bad {
			stand.append(journal.Entry{Items: 2, Body: worthy(t, trace, ordinary)})
			break
		}
		settleFor(time.Hour)
		status := sink.Status()
		if status.PromotedSpans != int64(2*len(bad)) || status.QueueSpans != 0 || status.SentSpans != int64(2*len(after)+2) {
			t.Errorf("%+v", status)
		}
		if want := float64(status.SentSpans) / float64(status.SentSpans+status.SampledOutSpans); status.SentRatio != want {
			t.Errorf("sent ratio %v, want %v", status.SentRatio, want)
		}
		checkAccount(t, sink, accountOf(status))
	})
}

// TestARunThatWasJudgedBadlyIsSentAsItCame does so with LangSmith's own protocol, by the
// id of a run below the root.
func TestARunThatWasJudgedBadlyIsSentAsItCame(t *testing.T) {
	l := newLangSmith(t, everything)
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, journal.Options{})
		d := s.deps(nil)
		d.Transport = l
		sink, err := New(Config{
			Name: "langsmith", Profile: "langsmith", Endpoint: "http://langsmith.test", SpansPerHour: 12, OverBudget: OverBudgetSample,
		}, d)
		if err != nil {
			t.Fatal(err)
		}
		sink.Start()
		defer stop(t, sink)
		run := func(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-000000000001", n) }
		for n := range 50 {
			s.appendRuns([]byte(`{"post":[` + placed(run(n), run(n), "") + `]}`))
		}
		settleFor(time.Hour)
		taken := func(id string) bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.runs[id] != nil
		}
		chosen := ""
		for n := range 50 {
			if !taken(run(n)) {
				chosen = run(n)
				break
			}
		}
		if chosen == "" {
			t.Fatal("nothing was left out")
		}
		s.judge(chosen, 0)
		settleFor(3 * time.Hour)
		if !taken(chosen) {
			t.Error("the run did not come")
		}
		status := sink.Status()
		if status.PromotedSpans != 1 || status.QueueSpans != 0 {
			t.Errorf("%+v", status)
		}
		checkAccount(t, sink, accountOf(status))
	})
}
