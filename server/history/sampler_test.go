package history

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"google.golang.org/protobuf/proto"
)

// What is stored has the names and labels that a scrape would give.
func TestSamplesLikeAScrape(t *testing.T) {
	s := open(t, Options{})
	a := newApp()
	a.chats.WithLabelValues("app").Add(3)
	a.duration.WithLabelValues("ok", "found", "app").Observe(0.7)
	a.memory.Set(5)
	s.mustSample(t, noon, a.families(t), false)
	var got []string
	for _, x := range s.series(t, `{job="treq-telemetry"}`, noon) {
		got = append(got, x.Metric.String()+" "+number(x.F))
	}
	slices.Sort(got)
	const at = `instance="here", job="treq-telemetry"`
	want := []string{
		`{__name__="process_memory_usage_bytes", ` + at + `} 5.0`,
		`{__name__="treq_chat_duration_seconds_bucket", ` + at + `, le="+Inf", service_name="app", treq_outcome="ok", treq_rag="found"} 1.0`,
		`{__name__="treq_chat_duration_seconds_bucket", ` + at + `, le="0.5", service_name="app", treq_outcome="ok", treq_rag="found"} 0.0`,
		`{__name__="treq_chat_duration_seconds_bucket", ` + at + `, le="1.0", service_name="app", treq_outcome="ok", treq_rag="found"} 1.0`,
		`{__name__="treq_chat_duration_seconds_bucket", ` + at + `, le="2.0", service_name="app", treq_outcome="ok", treq_rag="found"} 1.0`,
		`{__name__="treq_chat_duration_seconds_count", ` + at + `, service_name="app", treq_outcome="ok", treq_rag="found"} 1.0`,
		`{__name__="treq_chat_duration_seconds_sum", ` + at + `, service_name="app", treq_outcome="ok", treq_rag="found"} 0.7`,
		`{__name__="treq_chat_tokens_total", ` + at + `, service_name="app"} 3.0`,
		`{__name__="up", ` + at + `} 1.0`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
	if m := s.Metadata()["treq_chat_duration_seconds"]; m.Type != "histogram" || m.Help != "Time." {
		t.Errorf("metadata %+v", m)
	}
}

// Labels that a target has itself make way, as in a scrape; summaries have quantiles.
func TestLabelsOfTheTargetGoFirst(t *testing.T) {
	s := open(t, Options{})
	family := &dto.MetricFamily{Name: proto.String("reported_x"), Type: dto.MetricType_SUMMARY.Enum(), Metric: []*dto.Metric{{
		Label:   []*dto.LabelPair{{Name: proto.String("instance"), Value: proto.String("elsewhere")}, {Name: proto.String("job"), Value: proto.String("theirs")}, {Name: proto.String("empty"), Value: proto.String("")}},
		Summary: &dto.Summary{SampleCount: proto.Uint64(2), SampleSum: proto.Float64(3), Quantile: []*dto.Quantile{{Quantile: proto.Float64(0.5), Value: proto.Float64(1)}}},
	}}}
	s.mustSample(t, noon, []*dto.MetricFamily{family}, false)
	s.want(t, noon, `reported_x{exported_instance="elsewhere",exported_job="theirs",quantile="0.5",instance="here",empty=""}`, 1)
	s.want(t, noon, `reported_x_sum`, 3)
	// Nobody here knows when a service's own counter began.
	s.want(t, noon, `count_over_time(reported_x_count[1m])`, 1)
}

// The first error of a kind is an increase, and what was there before is none.
func TestANewSeriesBeginsAtZero(t *testing.T) {
	s := open(t, Options{})
	a := newApp()
	a.chats.WithLabelValues("first").Add(7)
	s.mustSample(t, noon, a.families(t), false)
	s.want(t, noon, `sum_over_time(treq_chat_tokens_total{service_name="first"}[1m])`, 7)
	s.want(t, noon, `count_over_time(treq_chat_tokens_total{service_name="first"}[1m])`, 2)
	a.chats.WithLabelValues("late").Add(5)
	s.mustSample(t, noon.Add(15*time.Second), a.families(t), false)
	s.mustSample(t, noon.Add(30*time.Second), a.families(t), false)
	end := noon.Add(30 * time.Second)
	s.want(t, end, `treq_chat_tokens_total{service_name="late"} - treq_chat_tokens_total{service_name="late"} offset 30s`, 5)
	s.want(t, end, `resets(treq_chat_tokens_total{service_name="late"}[1m])`, 0)
	s.want(t, end, `count_over_time(process_memory_usage_bytes[1m])`, 3)
}

// Totals of an earlier process were not counted now, where history begins with them.
func TestRestoredTotalsHaveNoBeginning(t *testing.T) {
	s := open(t, Options{})
	a := newApp()
	a.chats.WithLabelValues("old").Add(1000)
	s.mustSample(t, noon, a.families(t), true)
	s.want(t, noon, `count_over_time(treq_chat_tokens_total[1h])`, 1)
	a.chats.WithLabelValues("new").Add(1)
	s.mustSample(t, noon.Add(15*time.Second), a.families(t), true)
	s.want(t, noon.Add(15*time.Second), `sum(increase(treq_chat_tokens_total{service_name="old"}[1h]))`, 0)
	s.want(t, noon.Add(15*time.Second), `delta(treq_chat_tokens_total{service_name="new"}[15001ms])*15/15.001`, 1)
}

// A history that begins before anything is counted knows that totals were zero then,
// also in a process that took them over from one that never sampled.
func TestBegin(t *testing.T) {
	dir := t.TempDir() + "/history"
	now := noon
	s := open(t, Options{Dir: dir, Now: func() time.Time { return now }})
	if err := s.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{Dir: killed(t, s), Now: func() time.Time { return now }})
	if err := s.Begin(t.Context()); err != nil { // it has begun
		t.Fatal(err)
	}
	a := newApp()
	a.chats.WithLabelValues("app").Add(7)
	now = now.Add(time.Second)
	s.mustSample(t, now, a.families(t), true)
	s.want(t, now, `treq_chat_tokens_total - min_over_time(treq_chat_tokens_total[1m])`, 7)
	s.want(t, now, `count_over_time(up[1m])`, 2)
}

// What is gone has no present value, and comes back.
func TestSeriesThatAreGoneEnd(t *testing.T) {
	s := open(t, Options{})
	a := newApp()
	s.mustSample(t, noon, a.families(t), false)
	b := newApp()
	b.Unregister(b.memory)
	s.mustSample(t, noon.Add(15*time.Second), b.families(t), false)
	s.want(t, noon.Add(16*time.Second), `process_memory_usage_bytes`, math.NaN())
	s.mustSample(t, noon.Add(30*time.Second), a.families(t), false)
	s.want(t, noon.Add(31*time.Second), `process_memory_usage_bytes`, 0)
}

func TestAClockThatStepsBack(t *testing.T) {
	s := open(t, Options{})
	a := newApp()
	s.mustSample(t, noon, a.families(t), false)
	for _, at := range []time.Time{noon, noon.Add(-time.Hour)} {
		if err := s.Sample(t.Context(), at, a.families(t), false); !errors.Is(err, errClock) {
			t.Errorf("at %v: %v", at, err)
		}
	}
	s.mustSample(t, noon.Add(15*time.Second), a.families(t), false)
}

// killed gives what a process that was killed here leaves behind.
func killed(t *testing.T, s *Store) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "history")
	if err := os.CopyFS(to, os.DirFS(s.o.Dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// After kill -9 counters go on where they were: no gap that counts, no reset, also
// where a sum was put together in another order.
func TestKilledAndContinued(t *testing.T) {
	s := open(t, Options{})
	a := newApp()
	at := noon
	chats := a.duration.WithLabelValues("ok", "none", "app")
	sample := func() {
		s.mustSample(t, at, a.families(t), true)
		at = at.Add(15 * time.Second)
	}
	for range 40 {
		chats.Observe(0.1)
		sample()
	}
	s = open(t, Options{Dir: killed(t, s)})
	at = at.Add(2 * time.Minute)
	families := a.families(t)
	for _, f := range families {
		if f.GetName() == "treq_chat_duration_seconds" {
			h := f.Metric[0].Histogram
			h.SampleSum = proto.Float64(math.Nextafter(h.GetSampleSum(), 0))
		}
	}
	s.mustSample(t, at, families, true)
	chats.Observe(0.1)
	at = at.Add(15 * time.Second)
	sample()
	for _, metric := range []string{"treq_chat_duration_seconds_count", "treq_chat_duration_seconds_sum", `treq_chat_duration_seconds_bucket{le="+Inf"}`} {
		s.want(t, at, `resets(`+metric+`[1h])`, 0)
	}
	s.want(t, at, `max_over_time(treq_chat_duration_seconds_count[1h])`, 41)
	s.want(t, at, `count(count_over_time(treq_chat_duration_seconds_count[1h]))`, 1)
	s.want(t, at, `min_over_time(treq_chat_duration_seconds_count[1h])`, 1)
}

// What an earlier process measured and this one does not ends with its first sampling.
func TestAnotherProcessEndsWhatIsNotThere(t *testing.T) {
	s := open(t, Options{})
	a := newApp()
	s.mustSample(t, noon, a.families(t), false)
	app := s.Appendable().Appender(t.Context())
	if _, err := app.Append(0, labels.FromStrings(model.MetricNameLabel, "treq:requests:rate5m", "job", Job, "instance", "here"), noon.UnixMilli(), 4); err != nil {
		t.Fatal(err)
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{Dir: killed(t, s)})
	b := newApp()
	b.Unregister(b.memory)
	s.mustSample(t, noon.Add(time.Minute), b.families(t), false)
	s.want(t, noon.Add(time.Minute), `process_memory_usage_bytes`, math.NaN())
	s.want(t, noon.Add(time.Minute), `treq:requests:rate5m`, 4)
}

// Nothing is stored before the totals are those of now; then a sampling comes at
// once, one every step, and one at the end.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Options{Dir: dir + "/history"})
		a := newApp()
		begin := time.Now()
		var ready, failing atomic.Bool
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Run(ctx, Source{
				Ready: func() error {
					if !ready.Load() {
						return errors.New("counting")
					}
					return nil
				},
				Families: func(context.Context) ([]*dto.MetricFamily, error) {
					if failing.Load() {
						return nil, errors.New("not now")
					}
					return a.Gather()
				},
				Restored: func() bool { return false },
			})
		}()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if _, newest := s.Head(); !newest.IsZero() {
			t.Fatalf("sampled at %v, before it was ready", newest)
		}
		ready.Store(true)
		time.Sleep(untilReady)
		synctest.Wait()
		if oldest, newest := s.Head(); !newest.Equal(begin.Add(10*time.Minute).Truncate(time.Millisecond)) && newest.Sub(begin) > 10*time.Minute+untilReady || oldest.IsZero() {
			t.Errorf("the first sampling is at %v, ready was at %v", newest, begin.Add(10*time.Minute))
		}
		failing.Store(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		failing.Store(false)
		time.Sleep(time.Minute + time.Second)
		a.chats.WithLabelValues("last").Inc()
		cancel()
		<-done
		st := s.Status()
		if st.Samplings != 6 || st.Skipped != 4 {
			t.Errorf("%d samplings and %d skipped, want 1+4+1 and 4", st.Samplings, st.Skipped)
		}
		s.want(t, time.Now(), "treq_chat_tokens_total", 1)
		_ = s.Close()
	})
}

// TestWhatEndedComesAgain samples a counter that was there before, is missing once,
// as those of a process that starts again are, and comes back.
func TestWhatEndedComesAgain(t *testing.T) {
	s := open(t, Options{})
	with, without := newApp(), newApp()
	with.chats.WithLabelValues("app").Add(5)
	s.mustSample(t, noon, with.families(t), false)
	s.mustSample(t, noon.Add(15*time.Second), without.families(t), false)
	without.chats.WithLabelValues("app").Add(2)
	s.mustSample(t, noon.Add(30*time.Second), without.families(t), false)
	s.want(t, noon.Add(30*time.Second), `treq_chat_tokens_total`, 2)
	s.want(t, noon.Add(30*time.Second), `resets(treq_chat_tokens_total[1m])`, 1)
}
