package merger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"treq/telemetry/langsmith"
	"treq/telemetry/otlp"
)

func TestARunBecomesASpanWhenItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.start(-1, false)
		h.send(request([]string{post(1, 0, 1), post(2, 1, 1)}, nil))
		settle(time.Second)
		if got := h.made(); len(got) > 0 {
			t.Errorf("before their end: %v", got)
		}
		if s := h.merger.Stats(); s.Running != 2 || s.RunningBytes == 0 {
			t.Errorf("%+v", s)
		}
		for text, want := range map[string]int{id(1): 2, id(2): 2, id(3): 0, "": 1} {
			asked, _ := langsmith.ParseID(text)
			v := &reading{}
			var s otlp.Scanner
			if err := s.Traces(h.merger.Going(asked), v); err != nil || len(v.lines) != want || want > 0 && !strings.Contains(v.lines[0], " running 0s") {
				t.Errorf("of %q go on: %v, %v", text, v.lines, err)
			}
		}
		h.send(request(nil, []string{patch(2)}))
		h.send(request(nil, []string{patch(1)}))
		settle(time.Second)
		want := []string{
			`loja/ a0000002-0000-7000-8000-000000000002 a000000200007000<a000000100007000 "run 2" ended 1s`,
			`loja/ a0000001-0000-7000-8000-000000000001 a000000100007000<0000000000000000 "run 1" ended 1s`,
		}
		if diff := cmp.Diff(want, h.made()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		// What comes again makes nothing.
		h.send(request([]string{post(1, 0, 1)}, []string{patch(1), patch(2)}))
		settle(2 * time.Hour)
		if diff := cmp.Diff(want, h.made()); diff != "" {
			t.Errorf("told again (-want +got):\n%s", diff)
		}
		if s := h.merger.Stats(); s.Late != 3 || s.Spans != 2 || s.Running != 0 || s.RunningBytes != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Who waits for what was acknowledged finds it: what goes on, and the spans of what ended.
func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.start(-1, false)
		h.send(request([]string{post(1, 0, 1)}, nil))
		await := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			return h.merger.Await(ctx, h.journal.Durable())
		}
		run, _ := langsmith.ParseID(id(1))
		if err := await(); err != nil || h.merger.Going(run) == nil {
			t.Errorf("%v; of run 1 go on %d bytes", err, len(h.merger.Going(run)))
		}
		h.log.refuse.Store(true)
		h.send(request(nil, []string{patch(1)}))
		if err := await(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("before the span could be appended: %v", err)
		}
		h.log.refuse.Store(false)
		if err := await(); err != nil || len(h.made()) != 1 || h.merger.Going(run) != nil {
			t.Errorf("%v; spans %v; of run 1 go on %d bytes", err, h.made(), len(h.merger.Going(run)))
		}

		// One whose time is up, with nothing new in the journal.
		h.send(request([]string{post(2, 0, 2)}, nil))
		settle(time.Second)
		h.log.refuse.Store(true)
		settle(DefaultTimeout)
		run, _ = langsmith.ParseID(id(2))
		if err := await(); !errors.Is(err, context.DeadlineExceeded) || h.merger.Going(run) != nil {
			t.Errorf("before the span of a run that timed out could be appended: %v; of run 2 go on %d bytes", err, len(h.merger.Going(run)))
		}
		h.log.refuse.Store(false)
		if err := await(); err != nil || len(h.made()) != 2 {
			t.Errorf("%v; spans %v", err, h.made())
		}
	})
}

// The end of a run that was not told whole is seen: in the figures and on its span.
func TestUnended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.start(-1, false)
		h.send(request([]string{post(1, 0, 1)}, []string{patch(2)}))
		settle(DefaultOrphanWait - time.Second)
		if s := h.merger.Stats(); s.Running != 2 {
			t.Errorf("%+v", s)
		}
		settle(2 * time.Second)
		if s := h.merger.Stats(); s.Running != 1 || s.Orphans != 1 {
			t.Errorf("an end without beginning: %+v", s)
		}
		settle(time.Hour)
		if s := h.merger.Stats(); s.Running != 0 || s.TimedOut != 1 {
			t.Errorf("%+v", s)
		}
		want := []string{
			`default/ a0000002-0000-7000-8000-000000000002 a000000200007000<0000000000000000 "chain" ended 0s`,
			`loja/ a0000001-0000-7000-8000-000000000001 a000000100007000<0000000000000000 "run 1" timed_out 0s`,
		}
		if diff := cmp.Diff(want, h.made()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		// The end comes after all, behind a span that says it did not.
		h.send(request(nil, []string{patch(1)}))
		settle(time.Hour)
		if s := h.merger.Stats(); s.Late != 1 || len(h.made()) != 2 {
			t.Errorf("%+v, %v", s, h.made())
		}
	})
}

func TestWhatIsWaitedForIsBounded(t *testing.T) {
	for name, o := range map[string]Options{"runs": {PendingRuns: 10}, "bytes": {PendingBytes: 10_000}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				h.options = o
				h.start(-1, false)
				for n := 1; n <= 100; n++ {
					h.send(request([]string{post(n, 0, n)}, nil))
					settle(time.Millisecond)
				}
				s := h.merger.Stats()
				if s.Running == 0 || s.Running > 25 || s.RunningBytes > 10_000 || int(s.Evicted)+s.Running != 100 {
					t.Errorf("%+v", s)
				}
				made := h.made()
				if len(made) != int(s.Evicted) || !strings.Contains(made[0], `"run 1" evicted`) {
					t.Errorf("%d spans of %d: %v", len(made), s.Evicted, made[:1])
				}
			})
		})
	}
}

// Two runs of one trace whose ids begin alike are two spans, and their children
// know which is their parent.
func TestSpanIDsAreOfOneRunEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.start(-1, false)
		const first, second, child = "a0000001-0000-7000-8000-000000000001", "a0000001-0000-7000-9000-000000000002", "b0000001-0000-7000-8000-000000000003"
		one := func(id, parent string) string {
			return fmt.Sprintf(`{"id":%q,"trace_id":%q,"parent_run_id":%q,"name":"n","session_name":"loja","start_time":%q,"end_time":%q}`, id, first, parent, began, began)
		}
		h.send(request([]string{one(child, second)}, nil))
		h.send(request([]string{one(second, first), one(first, "")}, nil))
		settle(time.Second)
		want := []string{
			`loja/ ` + child + ` b000000100007000<a000000100007000 "n" ended 0s`,
			`loja/ ` + second + ` a000000100007000<8000000000000001 "n" ended 0s`,
			`loja/ ` + first + ` 8000000000000001<0000000000000000 "n" ended 0s`,
		}
		if diff := cmp.Diff(want, h.made()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// A run that does not say of which trace it is belongs to its parent's, also where
// the parent comes later.
func TestTracesThatAreNotTold(t *testing.T) {
	var got []string
	l := limits{timeout: DefaultTimeout, orphan: DefaultOrphanWait, bytes: DefaultPendingBytes, runs: DefaultPendingRuns}
	table := newTable(l, func(e ended) { got = append(got, e.run.ID.String()[:8]+" in "+e.run.Trace.String()[:8]) })
	for _, body := range []string{
		`{"patch":[{"id":"` + id(3) + `","parent_run_id":"` + id(2) + `","end_time":"2026-01-02T03:04:06Z"}]}`,
		request([]string{post(2, 1, 1)}, nil),
		`{"post":[{"id":"` + id(3) + `"}]}`,
		`{"post":[{"id":"` + id(4) + `","end_time":"2026-01-02T03:04:06Z"}]}`,
		`{"post":[{"id":"` + id(5) + `","parent_run_id":"` + id(9) + `","end_time":"2026-01-02T03:04:06Z"}]}`,
	} {
		r, err := langsmith.Read([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		table.take(&r.Ops[0], "", 1)
	}
	want := []string{"a0000003 in a0000001", "a0000004 in a0000004", "a0000005 in a0000009"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// In whatever order and however often the pieces of runs come, in whatever batches,
// each run becomes one span, and the same.
func TestOrderChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var pieces []string
		n := rapid.IntRange(1, 12).Draw(rt, "runs")
		for i := 1; i <= n; i++ {
			parent := 0
			if i > 1 {
				parent = rapid.IntRange(1, i-1).Draw(rt, "parent")
			}
			pieces = append(pieces, `{"post":[`+post(i, parent, 1)+`]}`, `{"patch":[`+patch(i)+`]}`)
		}
		spans := func(pieces []string) []string {
			var got []string
			l := limits{timeout: DefaultTimeout, orphan: DefaultOrphanWait, bytes: DefaultPendingBytes, runs: DefaultPendingRuns}
			table := newTable(l, func(e ended) { got = append(got, fmt.Sprintf("%+v", e.run.Span(e.span, e.parent, e.state))) })
			for at, piece := range pieces {
				r, err := langsmith.Read([]byte(piece))
				if err != nil {
					rt.Fatal(err)
				}
				table.take(&r.Ops[0], "", int64(at))
				if rapid.IntRange(0, 3).Draw(rt, "restart") == 0 {
					if table, err = unmarshal(table.marshal(), l, table.out); err != nil {
						rt.Fatal(err)
					}
				}
			}
			if len(table.runs) > 0 || table.bytes != 0 {
				rt.Fatalf("%d runs and %d bytes are left", len(table.runs), table.bytes)
			}
			slices.Sort(got)
			return got
		}
		want := spans(pieces)
		mixed := rapid.Permutation(append(pieces, pieces...)).Draw(rt, "order")
		if diff := cmp.Diff(want, spans(mixed)); diff != "" {
			rt.Fatalf("(-in order +mixed):\n%s", diff)
		}
	})
}

// scenario sends what makes the merger append at many places: ends, ends before
// their beginnings, judgements, what times out.
func scenario(h *house) []func() {
	judged := func(n int) string {
		return "--b\r\nContent-Disposition: form-data; name=\"feedback." + id(n) + "\"\r\nContent-Type: application/json\r\n\r\n" +
			`{"id":"` + id(n) + `","run_id":"` + id(1) + `","key":"user-score","score":1}` + "\r\n--b--\r\n"
	}
	return []func(){
		func() { h.send(request([]string{post(1, 0, 1), post(2, 1, 1)}, nil)) },
		func() { h.send(request(nil, []string{patch(2), patch(3)})) },
		func() { h.send(judged(50)) },
		func() { h.send(request([]string{post(3, 1, 1)}, nil)) },
		func() { h.send(request([]string{post(4, 0, 4)}, nil)) },
		func() { settle(2 * time.Minute) },
		func() { h.send(request(nil, []string{patch(1)})) },
		func() { h.send(request([]string{post(5, 0, 5)}, []string{patch(5)})) },
		func() { h.send(judged(51)) },
	}
}

// TestKilledAtEveryAppend: wherever the process dies, before or behind an append,
// every run and judgement stands in the journal once, and says the same.
func TestKilledAtEveryAppend(t *testing.T) {
	play := func(t *testing.T, left int, after bool, interval time.Duration) (lines []string, died bool) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t)
			h.options.CheckpointInterval, h.options.Timeout = interval, time.Minute
			h.start(left, after)
			for _, step := range scenario(h) {
				step()
				settle(10 * time.Millisecond)
				if h.log.dead.Load() {
					died = true
					h.stop()
					h.start(-1, false)
					settle(10 * time.Millisecond)
				}
			}
			settle(10 * time.Second)
			lines = h.made()
			slices.Sort(lines)
		})
		return lines, died
	}
	want, _ := play(t, -1, false, time.Hour)
	if len(want) != 7 {
		t.Fatalf("undisturbed: %v", want)
	}
	for _, interval := range []time.Duration{time.Millisecond, time.Hour} {
		for _, after := range []bool{false, true} {
			kills := 0
			for left := 0; ; left++ {
				got, died := play(t, left, after, interval)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("killed at append %d, kept: %v, checkpoints each %v (-undisturbed +killed):\n%s", left, after, interval, diff)
				}
				if !died {
					break
				}
				kills++
			}
			if kills < 6 {
				t.Errorf("%d kills", kills)
			}
		}
	}
}

// A journal without room is waited for, and nothing is lost.
func TestNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.start(-1, false)
		h.log.refuse.Store(true)
		h.send(request([]string{post(1, 0, 1)}, []string{patch(1)}))
		settle(time.Minute)
		if got := h.made(); len(got) > 0 {
			t.Fatalf("%v", got)
		}
		h.log.refuse.Store(false)
		settle(time.Second)
		if got := h.made(); len(got) != 1 {
			t.Errorf("%v", got)
		}
	})
}

func TestCheckpointsThatDoNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.start(-1, false)
		h.send(request([]string{post(1, 0, 1), post(2, 0, 2)}, []string{patch(2)}))
		settle(time.Minute)
		h.stop()
		damage := func(i int, at int) {
			path := generations(h.dir).Path(i)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b[at] ^= 1
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		// Without any checkpoint the journal is read from its beginning, and what was
		// appended is not appended again.
		damage(0, 40)
		damage(1, 40)
		h.start(-1, false)
		h.send(request(nil, []string{patch(1)}))
		settle(time.Minute)
		if got := h.made(); len(got) != 2 {
			t.Errorf("%v", got)
		}
		h.stop()
	})
}

// TestCheckpointFormat: the file is as docs/upgrade.md promises that later versions read it.
func TestCheckpointFormat(t *testing.T) {
	g := generations(t.TempDir())
	if _, err := store(g, 1000, 7, []byte("table")); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(g.Path(0))
	if err != nil {
		t.Fatal(err)
	}
	want := append([]byte("TREQRUNS\x01\x00\x00\x00\xe8\x03\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00"), "table"...)
	want = binary.LittleEndian.AppendUint32(want, crc32.Checksum(want, crc32.MakeTable(crc32.Castagnoli)))
	if !bytes.Equal(got, want) || filepath.Base(g.Path(0)) != "runs-0" {
		t.Errorf("%s holds %q, want %q", g.Path(0), got, want)
	}
}
