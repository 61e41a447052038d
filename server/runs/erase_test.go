package runs

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/judgement"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// holdsText tells whether a text stands in any file below a directory.
func holdsText(t *testing.T, dir, text string) bool {
	t.Helper()
	found := false
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		found = found || bytes.Contains(b, []byte(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// letters are what a sink would not take.
type letters struct {
	kinds  []journal.Kind
	bodies [][]byte
}

func (l *letters) each(_ context.Context, blank func(kind journal.Kind, body []byte) bool) (changed int, err error) {
	for i, b := range l.bodies {
		if blank(l.kinds[i], b) {
			changed++
		}
	}
	return changed, nil
}

// Dead letters are erased with the journal, and where only they have a run or a user.
func TestEraseDeadLetters(t *testing.T) {
	dead := &letters{}
	within(t, func(o *Options) { o.DeadLetters = dead.each }, func(h *house) {
		t := h.t
		secret, user := otlp.Str(semconv.GenAIPrompt, "my secret"), otlp.Str(semconv.UserID, "maria")
		h.append(body(llm(1, 1, 0, secret)))
		dead.kinds = []journal.Kind{journal.Traces, journal.Traces, journal.Traces, journal.Runs}
		dead.bodies = [][]byte{
			body(llm(1, 1, 0, secret)), body(llm(2, 2, 0, secret, user)), body(llm(3, 3, 0, secret)),
			[]byte(`{"id":"` + traceText(3) + `","inputs":{"q":"my secret"}}`),
		}
		hold := func() (hold [4]bool) {
			for i, b := range dead.bodies {
				hold[i] = bytes.Contains(b, []byte("my secret"))
			}
			return hold
		}
		if done, err := h.viewer.Erase(t.Context(), traceText(1)); err != nil || done != (Erased{Runs: 1, Records: 1, DeadLetters: 1}) || hold() != [4]bool{false, true, true, true} {
			t.Errorf("%+v, %v, left are %v", done, err, hold())
		}
		if done, err := h.viewer.EraseUser(t.Context(), "maria"); err != nil || done != (Erased{Runs: 1, DeadLetters: 1}) || hold() != [4]bool{false, false, true, true} {
			t.Errorf("%+v, %v, left are %v", done, err, hold())
		}
		if _, err := h.viewer.Erase(t.Context(), traceText(9)); telemetry.KindOf(err) != telemetry.NotFound {
			t.Error(err)
		}
		if done, err := h.viewer.Erase(t.Context(), traceText(3)); err != nil || done != (Erased{Runs: 1, DeadLetters: 1}) || hold()[2] {
			t.Errorf("%+v, %v, left are %v", done, err, hold())
		}
	})
}

func TestErase(t *testing.T) {
	within(t, nil, func(h *house) {
		t := h.t
		secret := otlp.Str(semconv.GenAIPrompt, "my secret")
		user := otlp.Str(semconv.UserID, "maria")
		model := otlp.Str(semconv.GenAIRequestModel, "llama")
		tokens := otlp.I64(semconv.GenAIInputTokens, 12)
		h.append(body(llm(1, 2, 1, secret, model, tokens), llm(2, 3, 0, otlp.Str(semconv.GenAIPrompt, "another's"))))
		h.append(body(llm(1, 1, 0, secret, user, otlp.Str("made.up", "my secret too"))))
		h.append(body(llm(3, 4, 0, otlp.Str(semconv.GenAIPrompt, "her other secret"), user)))
		h.judge(judgement.Judgement{RunID: traceText(1), Key: "user-score", Source: "api", Scored: true, Score: 1, Comment: "a secret comment", Time: time.Unix(1e9, 0)})
		before := h.explained(traceText(1))

		done, err := h.viewer.Erase(t.Context(), traceText(1))
		if err != nil || done.Runs != 1 || done.Records != 3 {
			t.Fatalf("%+v, %v", done, err)
		}
		check := func() {
			t.Helper()
			after := h.explained(traceText(1))
			text, _ := json.Marshal(after)
			if bytes.Contains(text, []byte("secret")) || bytes.Contains(text, []byte("maria")) {
				t.Errorf("%s", text)
			}
			if *after.Counted != *before.Counted || after.Spans != 2 || *after.Tokens != 12 || after.Model != "llama" ||
				*after.Feedback != 1 || after.Start != before.Start || *after.DurationMS != *before.DurationMS {
				t.Errorf("%s", text)
			}
			if got := h.get(traceText(2)).Tree[0].Input.Text; got != "another's" {
				t.Errorf("%q", got)
			}
		}
		check()
		for _, text := range []string{"my secret", "secret comment"} {
			if holdsText(t, h.dir, text) {
				t.Errorf("%q still stands in a file", text)
			}
		}
		if l, err := h.viewer.List(t.Context(), Query{Text: "my secret"}); err != nil || len(l.Runs) != 0 {
			t.Errorf("%+v, %v", l, err)
		}
		h.again()
		h.settle()
		check()

		done, err = h.viewer.EraseUser(t.Context(), "maria")
		if err != nil || done.Runs != 1 || done.Records != 1 || holdsText(t, h.dir, "secret") || holdsText(t, h.dir, "maria") {
			t.Errorf("%+v, %v", done, err)
		}
		if done, err = h.viewer.EraseUser(t.Context(), "maria"); err != nil || done != (Erased{}) {
			t.Errorf("again: %+v, %v", done, err)
		}
		if _, err := h.viewer.Erase(t.Context(), traceText(9)); telemetry.KindOf(err) != telemetry.NotFound {
			t.Error(err)
		}
	})
}

// What was said of a run that another replica has, or nobody any more, is erased by the
// id that it was said of, however that is spelled; nothing else is.
func TestEraseJudgementsAlone(t *testing.T) {
	within(t, nil, func(h *house) {
		t := h.t
		h.append(body(llm(1, 1, 0)))
		for run, comment := range map[string]string{traceText(1): "of one here", traceText(7): "of a trace", "00000000-0000-0000-0011-223344556677": "of a span", traceText(8): "of another"} {
			h.judge(judgement.Judgement{RunID: run, Key: "user-score", Source: "api", Scored: true, Score: 1, Comment: comment, Time: time.Unix(1e9, 0)})
		}
		for id, comment := range map[string]string{uuidText(t, traceText(7)): "of a trace", "0011223344556677": "of a span"} {
			if done, err := h.viewer.Erase(t.Context(), id); err != nil || done != (Erased{Records: 1}) || holdsText(t, h.dir, comment) {
				t.Errorf("%s: %+v, %v", id, done, err)
			}
			if _, err := h.viewer.Erase(t.Context(), id); telemetry.KindOf(err) != telemetry.NotFound {
				t.Errorf("%s again: %v", id, err)
			}
		}
		h.judge(judgement.Judgement{RunID: "00000000-0000-0000-0000-000000000000", Key: "user-score", Source: "api", Scored: true, Score: 1, Comment: "of no run", Time: time.Unix(1e9, 0)})
		if _, err := h.viewer.Erase(t.Context(), "00000000000000000000000000000000"); telemetry.KindOf(err) != telemetry.NotFound || !holdsText(t, h.dir, "of no run") {
			t.Errorf("no run: %v", err)
		}
		if !holdsText(t, h.dir, "of one here") || !holdsText(t, h.dir, "of another") {
			t.Error("another's comment is gone")
		}
	})
}

// uuidText spells an id as a UUID.
func uuidText(t *testing.T, id string) string {
	t.Helper()
	u, err := uuid.Parse(id)
	if err != nil {
		t.Fatal(err)
	}
	return u.String()
}
