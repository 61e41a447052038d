package reported_test

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"treq/telemetry"
	"treq/telemetry/reported"
	"treq/telemetry/snapshot"
)

func stamp(after time.Duration) pcommon.Timestamp {
	return pcommon.NewTimestampFromTime(epoch.Add(after))
}

func TestEveryKindIsKept(t *testing.T) {
	s := reported.NewStore(reported.Options{})
	for i := range 3 {
		at := time.Duration(i) * time.Minute
		v := float64(i + 1)
		consume(t, s, at, request(t, "app", "one",
			number("queue", 0, false, at, v, "name", "a"),
			number("requests", cumulative, true, at, v),
			number("requests.delta", delta, true, at, v),
			number("open", delta, false, at, -v),
			explicit("latency", cumulative, v, []float64{1, 2}, 1, uint64(i), 0),
			explicit("latency.delta", delta, v, []float64{1, 2}, 1, uint64(i), 0),
			exponentialPoint("size", cumulative, 3, int32(i), 1, 2),
			exponentialPoint("size.delta", delta, 3, int32(i), 1, 2),
		))
		consume(t, s, at, request(t, "", "", number("queue", 0, false, at, v, "name", "a")))
	}
	golden(t, "kinds.txt", dump(t, s))
}

func TestSumsStayNumbers(t *testing.T) {
	s := reported.NewStore(reported.Options{})
	for range 3 {
		consume(t, s, 0, request(t, "app", "", number("sum", delta, true, 0, math.MaxFloat64), explicit("latency", delta, -math.MaxFloat64, nil, 1)))
	}
	if text := dump(t, s); strings.Contains(text, "Inf") || strings.Contains(text, "NaN") {
		t.Error(text)
	}
}

func TestExposed(t *testing.T) {
	s := reported.NewStore(reported.Options{})
	consume(t, s, 0, request(t, "app", "one",
		number("process.memory.usage", cumulative, false, 0, 5), number("http.server.requests", cumulative, true, 0, 3, "http.route", "/chat"),
		explicit("http.server.duration", delta, 1.5, []float64{1, 2}, 1, 1, 0), exponentialPoint("size", cumulative, 20, 5, 1, 2)))
	consume(t, s, 0, request(t, "app", "two", number("process.memory.usage", cumulative, false, 0, 6), number("size", 0, false, 0, 1)))
	reader := snapshot.NewReader(snapshot.Options{Producers: []sdkmetric.Producer{s}})
	snapshot.NewProvider(reader)
	e, err := snapshot.NewExposition(reader, snapshot.ExpositionOptions{OnError: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	golden(t, "exposition.txt", w.Body.String())
}

func TestPointsThatCannotBeKept(t *testing.T) {
	s := reported.NewStore(reported.Options{})
	many := []string{}
	for i := range 65 {
		many = append(many, fmt.Sprint("k", i), "v")
	}
	consume(t, s, 0, request(t, "app", "",
		number("good", 0, false, 0, 1),
		number("nan", 0, false, 0, math.NaN()),
		number("inf", cumulative, true, 0, math.Inf(1)),
		number("falls", cumulative, true, 0, -1),
		number("", 0, false, 0, 1),
		number(strings.Repeat("n", 256), 0, false, 0, 1),
		number("good", cumulative, true, 0, 1), // a gauge before
		number("many", 0, false, 0, 1, many...),
		number("late", 0, false, time.Hour, 7),
		number("late", 0, false, time.Minute, 6),
		explicit("unspecified", 0, 1, nil, 1),
		explicit("short", cumulative, 1, []float64{1, 2}, 1, 1),
		explicit("falling", cumulative, 1, []float64{2, 1}, 1, 1, 1),
		exponentialPoint("coarse", cumulative, -5, 0, 1),
		exponentialPoint("far", cumulative, 0, math.MaxInt32, 1),
		exponentialPoint("beyond", cumulative, 0, 1024, make([]uint64, 99)...), // nothing but empty buckets
		exponentialPoint("tiny", cumulative, 2, -5000, 1),
		func(to pmetric.MetricSlice) {
			m := to.AppendEmpty()
			m.SetName("quantiles")
			m.SetEmptySummary().DataPoints().AppendEmpty()
		},
		func(to pmetric.MetricSlice) {
			explicit("labelled", cumulative, 1, nil, 1)(to)
			to.At(to.Len()-1).Histogram().DataPoints().At(0).Attributes().PutStr("le", "1")
		},
		func(to pmetric.MetricSlice) {
			number("nothing", 0, false, 0, 1)(to)
			to.At(to.Len() - 1).Gauge().DataPoints().At(0).SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		},
	))
	want := map[string]int64{
		"not_finite": 2, "negative": 1, "bad_name": 2, "other_type": 1, "too_many_attributes": 1, "out_of_order": 1,
		"no_temporality": 1, "bad_buckets": 4, "bad_scale": 1, "summary": 1, "reserved_label": 1,
	}
	if diff := cmp.Diff(want, s.Refused()); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	golden(t, "refused.txt", dump(t, s))
}

func TestABodyThatDoesNotDecode(t *testing.T) {
	s := reported.NewStore(reported.Options{})
	if err := s.Consume(epoch, []byte("nonsense")); telemetry.KindOf(err) != telemetry.Invalid {
		t.Errorf("got %v", err)
	}
	if s.Series() != 0 {
		t.Errorf("kept %d series", s.Series())
	}
}

func TestTextIsBounded(t *testing.T) {
	s := reported.NewStore(reported.Options{})
	consume(t, s, 0, request(t, "app", "", number("queue", 0, false, 0, 1,
		"long", strings.Repeat("é", 500), "", "no key", "blank", " ", "service.name", "forged")))
	want := fmt.Sprintf("reported_queue{long=%s,service.name=app} gauge 1\ntreq.pipeline.reported.series{} gauge 1\n", strings.Repeat("é", 128))
	if diff := cmp.Diff(want, dump(t, s)); diff != "" {
		t.Error(diff)
	}
}

func TestSeriesAreBounded(t *testing.T) {
	s := reported.NewStore(reported.Options{MaxSeries: 10, Idle: time.Minute})
	fill := func(at time.Duration, from, to int) {
		for i := from; i < to; i++ {
			consume(t, s, at, request(t, "app", "", number("queue", 0, false, at, 1, "n", fmt.Sprint(i))))
		}
	}
	fill(0, 0, 15)
	if got := s.Refused()["too_many_series"]; s.Series() != 10 || got != 5 {
		t.Errorf("%d series, %d points refused, want 10 and 5", s.Series(), got)
	}
	// Two are still heard of; the silent ones make room.
	fill(time.Minute, 0, 2)
	fill(2*time.Minute, 20, 30)
	if got := s.Refused()["too_many_series"]; s.Series() != 10 || got != 7 {
		t.Errorf("%d series, %d points refused, want 10 and 7", s.Series(), got)
	}
	if text := dump(t, s); !strings.Contains(text, "n=0,") || !strings.Contains(text, "n=1,") || !strings.Contains(text, "n=27,") || strings.Contains(text, "n=2,") {
		t.Errorf("the wrong series are left:\n%s", text)
	}
}

func TestNamesAreBounded(t *testing.T) {
	s := reported.NewStore(reported.Options{MaxSeries: 3})
	for i := range 5 {
		consume(t, s, 0, request(t, "app", "", number(fmt.Sprint("m", i), 0, false, 0, 1)))
	}
	if got := s.Refused()["too_many_names"]; got != 2 {
		t.Errorf("%d refused, want 2", got)
	}
}

func TestWhatWasProducedDoesNotChange(t *testing.T) {
	s := reported.NewStore(reported.Options{})
	body := request(t, "app", "", explicit("latency", delta, 1, []float64{1}, 1, 1), exponentialPoint("size", delta, 0, 0, 1))
	consume(t, s, 0, body)
	first, _ := s.Produce(t.Context())
	before := fmt.Sprintf("%+v", first)
	consume(t, s, 0, body)
	if after := fmt.Sprintf("%+v", first); before != after {
		t.Errorf("was %s\nis  %s", before, after)
	}
}

func TestCheckpoint(t *testing.T) {
	first := reported.NewStore(reported.Options{})
	body := func(i int) []byte {
		at := time.Duration(i) * time.Second
		return request(t, fmt.Sprint("app", i%2), fmt.Sprint(i%3),
			number("queue", 0, false, at, float64(i), "k", "v"), number("requests", delta, true, at, 1.5),
			number("open", cumulative, false, at, -1), number("bad", 0, false, at, math.NaN()),
			explicit("latency", delta, 1, []float64{1}, 1, 2), exponentialPoint("size", delta, int32(i%4), 5, 1, 0, 3))
	}
	for i := range 6 {
		consume(t, first, time.Duration(i)*time.Hour, body(i))
	}
	saved, err := first.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	second := reported.NewStore(reported.Options{})
	consume(t, second, 0, request(t, "gone", "", number("gone", 0, false, 0, 1)))
	if err := second.UnmarshalBinary(saved); err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		if diff := cmp.Diff(dump(t, first), dump(t, second)); diff != "" {
			t.Fatalf("after %d more (-first +second):\n%s", i, diff)
		}
		consume(t, first, time.Duration(6+i)*time.Hour, body(6+i))
		consume(t, second, time.Duration(6+i)*time.Hour, body(6+i))
	}
	if err := second.UnmarshalBinary([]byte("nonsense")); err == nil {
		t.Error("nonsense was taken")
	}
	if diff := cmp.Diff(dump(t, first), dump(t, second)); diff != "" {
		t.Errorf("nonsense changed the store:\n%s", diff)
	}
}

func TestIdleTimesSurvive(t *testing.T) {
	first := reported.NewStore(reported.Options{MaxSeries: 2, Idle: time.Minute})
	consume(t, first, 0, request(t, "old", "", number("queue", 0, false, 0, 1)))
	consume(t, first, time.Minute, request(t, "new", "", number("queue", 0, false, 0, 1)))
	saved, _ := first.MarshalBinary()
	second := reported.NewStore(reported.Options{MaxSeries: 2, Idle: time.Minute})
	if err := second.UnmarshalBinary(saved); err != nil {
		t.Fatal(err)
	}
	consume(t, second, 90*time.Second, request(t, "newest", "", number("queue", 0, false, 0, 1)))
	if text := dump(t, second); strings.Contains(text, "=old}") || !strings.Contains(text, "=new}") || !strings.Contains(text, "=newest}") {
		t.Errorf("left are\n%s", text)
	}
}

func FuzzConsume(f *testing.F) {
	f.Add(request(f, "app", "1", number("a", delta, true, 0, 1), explicit("b", delta, 1, []float64{1}, 1, 1), exponentialPoint("c", delta, 0, 0, 1)))
	f.Add(request(f, "", "", exponentialPoint("c", cumulative, 20, 1<<29, 1, 2)))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := reported.NewStore(reported.Options{MaxSeries: 4})
		if s.Consume(epoch, body) != nil {
			return
		}
		consume(t, s, time.Second, body)
		first := dump(t, s)
		if strings.Contains(first, "NaN") && !strings.Contains(string(body), "NaN") || strings.Contains(first, " +Inf") {
			t.Errorf("no number:\n%s", first)
		}
		saved, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		again := reported.NewStore(reported.Options{MaxSeries: 4})
		if err := again.UnmarshalBinary(saved); err != nil {
			t.Fatal(err)
		}
		if second := dump(t, again); first != second {
			t.Errorf("was\n%s\nrestored\n%s", first, second)
		}
	})
}

func BenchmarkConsume(b *testing.B) {
	parts := []func(pmetric.MetricSlice){}
	for i := range 100 {
		parts = append(parts, number(fmt.Sprint("metric.", i), cumulative, true, 0, 1, "a", "b", "c", "d"))
	}
	body := request(b, "app", "1", parts...)
	s := reported.NewStore(reported.Options{})
	b.ReportAllocs()
	for b.Loop() {
		consume(b, s, 0, body)
	}
}
