package mirror

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"treq/telemetry/journal"
	"treq/telemetry/judgement"
)

func TestARunThatIsNotKnownYetIsTriedAgain(t *testing.T) {
	within(t, Sink{Words: LangSmith}, func(h *house) {
		h.backend.unknown[runA] = true
		j := h.judge(thumb(runA, 1))
		other := h.judge(thumb(runB, 0))
		if h.backend.has()[other.ID] == nil {
			t.Error("a judgement whose run is not known holds up another")
		}
		h.pass(time.Hour)
		tries := h.backend.seen()
		if n := len(tries); n < 10 || n > 40 {
			t.Errorf("%d tries in an hour", n)
		}
		h.backend.know(runA)
		h.pass(mostRunBackoff)
		if h.backend.has()[j.ID] == nil {
			t.Error("it is not sent once the run is known")
		}
		if s := h.status(); s.Sent != 2 || s.Waiting != 0 || s.State != Running {
			t.Errorf("%+v", s)
		}
	})
}

func TestARunOfAnotherNameWaitsUntilItIsKnownHere(t *testing.T) {
	within(t, Sink{Words: LangSmith}, func(h *house) {
		j := h.judge(thumb("question 7", 1))
		h.pass(time.Minute)
		if n := len(h.backend.seen()); n != 0 {
			t.Errorf("%d requests for a run that nobody knows", n)
		}
		h.runs.add("question 7", Run{ID: runB})
		h.pass(mostRunBackoff)
		if got := h.backend.has()[j.ID]; got["run_id"] != runB {
			t.Errorf("%v", got)
		}
	})
}

func TestWhatNobodyEverKnowsIsGivenUp(t *testing.T) {
	within(t, Sink{Words: LangSmith}, func(h *house) {
		h.backend.unknown[runA] = true
		j := h.judge(judgement.Judgement{RunID: runA, Scored: true, Score: 1, Comment: "kept"})
		h.pass(25 * time.Hour)
		if s := h.status(); s.DeadLettered != 1 || s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
		letter := h.dead()
		if len(letter) != 1 || letter[0].Judgement.ID != j.ID || letter[0].Judgement.Comment != "kept" || letter[0].Status != 404 {
			t.Errorf("%+v", letter)
		}
	})
}

func (h *house) dead() (letters []deadLetter) {
	h.t.Helper()
	content, err := os.ReadFile(filepath.Join(h.dir, "sinks", "sink.feedback.dead"))
	if err != nil {
		h.t.Fatal(err)
	}
	for line := range bytes.Lines(content) {
		var l deadLetter
		if err := json.Unmarshal(line, &l); err != nil {
			h.t.Fatal(err)
		}
		letters = append(letters, l)
	}
	return letters
}

func TestTheSinksOwnFaultsHoldEverythingAndLoseNothing(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault fault
		wait  time.Duration // the least until the next request
		state State
	}{
		{"hung up", fault{}, 500 * time.Millisecond, Retrying},
		{"500", fault{status: 500}, 500 * time.Millisecond, Retrying},
		{"503 that asks for a minute", fault{status: 503, retryAfter: "60"}, time.Minute, Retrying},
		{"429 that asks for an hour", fault{status: 429, retryAfter: "3600"}, time.Hour, Retrying},
		{"429 that names a time", fault{status: 429, retryAfter: "Sat, 01 Jan 2000 00:01:40 GMT"}, 99 * time.Second, Retrying},
		{"401", fault{status: 401, body: `{"detail":"the key sealed-key is not known"}`}, probeInterval, Paused},
		{"a redirect", fault{status: 302}, probeInterval, Paused},
	} {
		t.Run(c.name, func(t *testing.T) {
			within(t, Sink{Words: LangSmith}, func(h *house) {
				h.backend.faults = []fault{c.fault}
				began := time.Now()
				j := h.judge(thumb(runA, 1))
				s := h.status()
				if s.State != c.state || s.Waiting != 1 || s.LastError == "" || s.NextTry == nil {
					t.Errorf("%+v", s)
				}
				if strings.Contains(s.LastError+h.logs.String(), "sealed-key") {
					t.Errorf("a key is shown: %s %s", s.LastError, h.logs)
				}
				h.judge(thumb(runB, 1)) // goes nowhere meanwhile
				h.pass(2 * time.Hour)
				calls := h.backend.seen()
				if len(calls) != 3 || calls[1].at.Sub(began) < c.wait || calls[1].at.Sub(began) > c.wait+c.wait/4+time.Minute {
					t.Fatalf("%d calls, the second after %v", len(calls), calls[1].at.Sub(began))
				}
				if s := h.status(); s.Sent != 2 || s.State != Running || h.backend.has()[j.ID] == nil {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestWhatTheSinkRefusesForGoodIsKeptAside(t *testing.T) {
	within(t, Sink{Words: LangSmith}, func(h *house) {
		h.backend.faults = []fault{{status: 422, body: `{"detail":"key is too long"}`}}
		h.judge(thumb(runA, 1))
		h.judge(thumb(runB, 1))
		if s := h.status(); s.DeadLettered != 1 || s.Sent != 1 || s.State != Running || s.LastError != "HTTP 422 Unprocessable Entity: key is too long" {
			t.Errorf("%+v", s)
		}
		if l := h.dead(); len(l) != 1 || l[0].Status != 422 {
			t.Errorf("%+v", l)
		}
	})
}

func TestAChangedVoteTakesThePlaceOfTheOneBefore(t *testing.T) {
	for _, conflicts := range []bool{false, true} {
		t.Run(fmt.Sprintf("conflicts %v", conflicts), func(t *testing.T) {
			within(t, Sink{Words: LangSmith}, func(h *house) {
				h.backend.conflicts = conflicts
				first := h.judge(judgement.Judgement{RunID: runA, Scored: true, Score: 1, Comment: "good"})
				h.judge(thumb(runA, 0))
				got := h.backend.has()
				if len(got) != 1 || got[first.ID]["score"] != 0. || got[first.ID]["comment"] != nil {
					t.Errorf("%v", got)
				}
				// A process that does not remember what it sent comes to the same.
				h.stop()
				h.start()
				h.judge(thumb(runA, 1))
				if got := h.backend.has(); len(got) != 1 || got[first.ID]["score"] != 1. {
					t.Errorf("after a restart: %v", got)
				}
			})
		})
	}
}

func TestAVoteThatChangesBeforeItIsSentIsSentOnce(t *testing.T) {
	within(t, Sink{Words: LangSmith}, func(h *house) {
		h.backend.faults = []fault{{status: 503}}
		h.judge(thumb(runA, 1))
		h.judge(thumb(runA, 0))
		j := h.judge(thumb(runA, 1))
		h.pass(time.Minute)
		if calls := h.backend.seen(); len(calls) != 2 || h.backend.has()[j.ID]["score"] != 1. {
			t.Errorf("%d calls, %v", len(calls), h.backend.has())
		}
		if s := h.status(); s.Replaced != 2 || s.Sent != 1 || s.Judgements != 3 {
			t.Errorf("%+v", s)
		}
	})
}

func TestAVoteThatChangesWhileItIsSentIsSentAfterIt(t *testing.T) {
	within(t, Sink{Words: LangSmith}, func(h *house) {
		h.backend.slow = 10 * time.Second
		h.judge(thumb(runA, 1))
		j := h.judge(thumb(runA, 0))
		if n := len(h.backend.seen()); n != 0 {
			t.Fatalf("%d answers", n)
		}
		h.pass(time.Minute)
		if calls := h.backend.seen(); len(calls) != 2 || h.backend.has()[j.ID]["score"] != 0. {
			t.Errorf("%d calls, %v", len(calls), h.backend.has())
		}
		if s := h.status(); s.Sent != 1 || s.Replaced != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestARequestThatTakesTooLongIsMadeAgain(t *testing.T) {
	within(t, Sink{Words: LangSmith, Timeout: time.Second}, func(h *house) {
		h.backend.slow = time.Hour
		j := h.judge(thumb(runA, 1))
		h.pass(time.Minute)
		if h.backend.has()[j.ID] == nil {
			t.Errorf("%+v", h.status())
		}
	})
}

func TestADeletedJudgementIsMadeAgain(t *testing.T) {
	within(t, Sink{Words: LangSmith}, func(h *house) {
		j := h.judge(thumb(runA, 1))
		h.backend.mu.Lock()
		delete(h.backend.taken, j.ID)
		h.backend.mu.Unlock()
		h.judge(thumb(runA, 0))
		if got := h.backend.has()[j.ID]; got["score"] != 0. {
			t.Errorf("%v", got)
		}
	})
}

func TestAFullOutboxLeavesTheRestInTheJournal(t *testing.T) {
	within(t, Sink{Words: LangSmith}, func(h *house) {
		h.backend.faults = []fault{{status: 503, retryAfter: "60"}}
		const n = mostItems + 50
		for i := range n {
			h.judge(thumb(fmt.Sprintf("00000000-0000-4000-8000-%012d", i+1), 1))
		}
		if s := h.status(); s.Waiting != mostItems {
			t.Errorf("%d wait", s.Waiting)
		}
		h.pass(2 * time.Minute)
		if s := h.status(); s.Sent != n || len(h.backend.has()) != n {
			t.Errorf("%d of %d: %+v", len(h.backend.has()), n, s)
		}
	})
}

func TestRunsThatNobodyKnowsDoNotKeepOutTheOthers(t *testing.T) {
	within(t, Sink{Words: LangSmith}, func(h *house) {
		for i := range mostItems {
			h.judge(thumb(fmt.Sprintf("no run %d", i), 1))
		}
		j := h.judge(thumb(runA, 1))
		if h.backend.has()[j.ID] != nil {
			t.Fatal("the outbox was not full")
		}
		h.pass(stale + mostRunBackoff)
		if h.backend.has()[j.ID] == nil {
			t.Errorf("it is kept out: %+v", h.status())
		}
		if s := h.status(); s.DeadLettered != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestRecordsOfOtherThingsArePassed(t *testing.T) {
	within(t, Sink{Words: LangSmith}, func(h *house) {
		for _, kind := range []journal.Kind{journal.Traces, journal.Metrics, journal.Logs, journal.Posts} {
			_, err := h.journal.Append(h.t.Context(), &journal.Entry{Kind: kind, Door: "http", Items: 1, Body: []byte("treq.feedback, but no request")})
			if err != nil {
				t.Fatal(err)
			}
		}
		h.pass(passEvery + saveEvery)
		h.stop()
		known, err := loadState(filepath.Join(h.dir, "sinks", "sink.feedback.json"))
		if err != nil || known.Position != h.journal.Durable() || known.Counts.Read != 0 {
			t.Errorf("%+v %v, not at %d", known, err, h.journal.Durable())
		}
		h.start()
	})
}

func TestADamagedStateIsSetAside(t *testing.T) {
	within(t, Sink{Words: LangSmith}, func(h *house) {
		j := h.judge(thumb(runA, 1))
		h.stop()
		path := filepath.Join(h.dir, "sinks", "sink.feedback.json")
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bytes.Replace(content, []byte(`"sent":1`), []byte(`"sent":2`), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		h.start()
		h.pass(0)
		if s := h.status(); s.Sent != 1 || len(h.backend.has()) != 1 || h.backend.has()[j.ID] == nil {
			t.Errorf("%+v %v", s, h.backend.has())
		}
		if _, err := os.Stat(path + ".damaged"); err != nil {
			t.Error(err)
		}
	})
}
