package runs

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry/journal"
	"treq/telemetry/judgement"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
	"treq/telemetry/understand"
)

// judge lets judgements of runs into the journal, in one record.
func (h *house) judge(list ...judgement.Judgement) journal.Position {
	h.t.Helper()
	var body []byte
	for _, j := range list {
		if j.Key == "" {
			j.Key = judgement.DefaultKey
		}
		if j.Source == "" {
			j.Source = judgement.FromAPI
		}
		j.ID = judgement.ID(j.RunID, j.Key, j.Source)
		body = judgement.Append(body, &j)
	}
	r, err := h.journal.Append(h.t.Context(), &journal.Entry{Kind: journal.Posts, Door: "feedback", Body: body, Items: uint32(len(list))})
	if err != nil {
		h.t.Fatal(err)
	}
	return r.Position
}

// said writes judgements down, one a line.
func said(list []Judged) (lines []string) {
	for _, j := range list {
		score := "-"
		if j.Score != nil {
			score = fmt.Sprint(*j.Score)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s %q", j.RunID, j.SpanID, j.Key, score, j.Comment))
	}
	return lines
}

func up(run, comment string) judgement.Judgement {
	return judgement.Judgement{RunID: run, Scored: true, Score: 1, Comment: comment}
}

func TestARunShowsHowItWasJudged(t *testing.T) {
	within(t, nil, func(h *house) {
		t := h.t
		// A run that is not known yet is judged all the same.
		h.judge(up("question of 12:05", "first"), up("nobody's", ""))
		h.append(body(
			llm(1, 1, 0, otlp.Str(semconv.TreqRunID, "question of 12:05")),
			llm(1, 2, 1, otlp.Str(semconv.LSSpanID, "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e2")),
			llm(2, 9, 0),
		))
		h.judge(up(traceText(1), "whole"), up("01A20595-2DC8-7D7C-BC3A-B8ECB8DEF0E2", "below"))
		h.judge(judgement.Judgement{RunID: spanHex(1), Key: "tone", Value: "polite"})
		h.judge(judgement.Judgement{RunID: "question of 12:05", Scored: true, Comment: "changed"})
		whole := []string{
			"question of 12:05 " + spanHex(1) + ` user-score 0 "changed"`,
			traceText(1) + `  user-score 1 "whole"`,
			"01A20595-2DC8-7D7C-BC3A-B8ECB8DEF0E2 " + spanHex(2) + ` user-score 1 "below"`,
			spanHex(1) + " " + spanHex(1) + ` tone - ""`,
		}
		for range 2 {
			for _, id := range []string{traceText(1), spanHex(1), "question of 12:05"} {
				if diff := cmp.Diff(whole, said(h.get(id).Judgements)); diff != "" {
					t.Errorf("%s: -want +got:\n%s", id, diff)
				}
			}
			if diff := cmp.Diff(whole[2:3], said(h.get(spanHex(2)).Judgements)); diff != "" {
				t.Errorf("below: -want +got:\n%s", diff)
			}
			if got := h.get(spanHex(9)).Judgements; got == nil || len(got) != 0 {
				t.Errorf("a run that nobody judged: %#v", got)
			}
			h.again() // judgements are found after a restart too
			h.settle()
		}
	})
}

func TestResolveGivesWhatARunIsCalledElsewhere(t *testing.T) {
	within(t, func(o *Options) { o.Links.Project = "mine" }, func(h *house) {
		t := h.t
		h.options.Now = time.Now
		h.append(body(
			llm(1, 1, 0, otlp.Str(semconv.TreqRunID, "q"), otlp.Str(semconv.LSProject, "told")),
			llm(1, 2, 1, otlp.Str(semconv.LSSpanID, "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e2")),
		))
		h.settle()
		root := Resolved{
			RunID: "00000000-0000-0000-bb00-000000000001", TraceID: traceText(1), SpanID: spanHex(1), Root: true, Project: "told",
			Start: time.Unix(0, 1e18+1e6),
		}
		child := Resolved{
			RunID: "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e2", TraceID: traceText(1), SpanID: spanHex(2), Project: "sent-to",
			Start: time.Unix(0, 1e18+2e6),
		}
		for id, want := range map[string]Resolved{
			traceText(1): root, spanHex(1): root, "q": root, root.RunID: root,
			child.RunID: child, spanHex(2): child,
		} {
			got, ok := h.viewer.Resolve(h.t.Context(), id)
			if diff := cmp.Diff(want, got); !ok || diff != "" {
				t.Errorf("%s: %v\n%s", id, ok, diff)
			}
		}
		for _, id := range []string{"", "unheard", traceText(3)} {
			if got, ok := h.viewer.Resolve(h.t.Context(), id); ok {
				t.Errorf("%q is %+v", id, got)
			}
		}
	})
}

// Directly behind a start, while the index is made again, a run of before is known.
func TestResolveWaitsForTheIndexBehindAStart(t *testing.T) {
	within(t, nil, func(h *house) {
		t := h.t
		for n := range uint64(200) {
			h.append(body(llm(n+1, 1, 0)))
		}
		for range 10 {
			h.again()
			if got, ok := h.viewer.Resolve(t.Context(), traceText(1)); !ok || got.SpanID != spanHex(1) {
				t.Errorf("%+v %v", got, ok)
			}
		}
	})
}

func TestATraceIsNoRunBeforeItsRootMayBeThere(t *testing.T) {
	within(t, nil, func(h *house) {
		t := h.t
		s := llm(1, 2, 1)
		// The journal of these tests keeps little longer than a root is waited for.
		s.Start = uint64(time.Now().Add(10*time.Second - RootWait).UnixNano())
		s.End = s.Start + 1
		h.append(body(s))
		time.Sleep(5 * time.Second)
		if got, ok := h.viewer.Resolve(h.t.Context(), traceText(1)); ok {
			t.Errorf("%+v", got)
		}
		time.Sleep(10 * time.Second)
		if got, ok := h.viewer.Resolve(h.t.Context(), traceText(1)); !ok || got.SpanID != spanHex(2) || got.Root {
			t.Errorf("%+v %v", got, ok)
		}
	})
}

func TestTheIndexOfJudgementsIsBounded(t *testing.T) {
	var x judged
	run := func(n int) understand.RunID { return understand.ParseRunID(fmt.Append(nil, "run ", n)) }
	for n := range mostJudged + 10 {
		x.add([]judgedAt{{run: run(n), pos: journal.Position(n)}})
	}
	if len(x.queue) != mostJudged || len(x.at) != mostJudged {
		t.Errorf("%d %d", len(x.queue), len(x.at))
	}
	found := func(n int) bool { return len(x.find(map[understand.RunID]string{run(n): ""})) == 1 }
	if found(9) || !found(10) || !found(mostJudged+9) {
		t.Error("not the oldest went")
	}
	x.extend([]judgedAt{{run: run(1), pos: 1}})
	if found(1) {
		t.Error("a full index took older ones")
	}
	x = judged{}
	x.add([]judgedAt{{run: run(5), pos: 50}})
	x.extend([]judgedAt{{run: run(5), pos: 5}, {run: run(4), pos: 40}})
	if diff := cmp.Diff([]journal.Position{5, 40, 50}, x.find(map[understand.RunID]string{run(4): "", run(5): ""})); diff != "" {
		t.Error(diff)
	}
}
