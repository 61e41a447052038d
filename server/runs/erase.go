package runs

import (
	"context"
	"sync/atomic"

	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/otlp"
	"treq/telemetry/understand"
)

// Erased says what an erasure did.
type Erased struct {
	// Runs is how many traces were erased, Records how many records of the journal
	// were overwritten for it.
	Runs    int `json:"runs"`
	Records int `json:"records"`
	// DeadLetters is how many requests that sinks would not take were overwritten.
	DeadLetters int `json:"dead_letters"`
}

// erasing keeps erasures from each other: each reads the journal from its beginning.
type erasing struct{ busy atomic.Bool }

// Erase overwrites the content of the run that an id means, with the whole trace
// that it is of: texts of spans, of judgements, and of the native requests it came
// in, in the journal and in dead letters; of a run that is not here, of judgements that
// name it by this id. Ids, models, times and numbers stay, and so
// does what was counted. What sinks were sent is theirs. Errors are of kind NotFound, or Unavailable: then some of it
// may be erased, and it can be called again.
func (v *Viewer) Erase(ctx context.Context, id string) (Erased, error) {
	w, err := want(id)
	if err != nil {
		return Erased{}, err
	}
	p, err := v.locate(ctx, w)
	if telemetry.KindOf(err) == telemetry.NotFound {
		// Dead letters stay longer than the journal.
		missed := err
		_, err = v.letters(ctx, func(kind journal.Kind, body []byte) bool {
			if kind.Spans() {
				p.take(&w, body)
			}
			return false
		})
		if err == nil && !p.any {
			return v.eraseSaid(ctx, w, missed)
		}
	}
	if err != nil {
		return Erased{}, err
	}
	return v.erase(ctx, v.eraser(p.trace), "")
}

// eraseSaid erases what was said of a run that is not here, or not any more: whoever
// judged it may have asked another replica than the one that has it. missed is the
// error where nothing was said either.
func (v *Viewer) eraseSaid(ctx context.Context, w wanted, missed error) (Erased, error) {
	if w.run == (understand.RunID{}) {
		return Erased{}, missed // what names no run has it
	}
	e := v.eraser()
	e.runs[w.run] = true
	done, err := v.erase(ctx, e, "")
	if err == nil && done == (Erased{}) {
		err = missed
	}
	return done, err
}

// letters goes over the dead letters.
func (v *Viewer) letters(ctx context.Context, blank func(kind journal.Kind, body []byte) bool) (changed int, err error) {
	if v.o.DeadLetters == nil {
		return 0, nil
	}
	return v.o.DeadLetters(ctx, blank)
}

// EraseUser is Erase for every trace of which a span names the user, or a
// conversation or session of that id. None is no error.
func (v *Viewer) EraseUser(ctx context.Context, user string) (Erased, error) {
	if user == "" || len(user) > mostID {
		return Erased{}, telemetry.Errorf(telemetry.Unprocessable, "a user's id has 1 to %d bytes", mostID)
	}
	return v.erase(ctx, v.eraser(), user)
}

func (v *Viewer) eraser(traces ...[16]byte) *eraser {
	e := &eraser{traces: map[[16]byte]bool{}, runs: map[understand.RunID]bool{}, native: v.o.EraseNative}
	for _, t := range traces {
		e.traces[t] = true
	}
	return e
}

// erase reads the whole journal and the dead letters: once for what the traces are
// called elsewhere, once for what says something of them.
func (v *Viewer) erase(ctx context.Context, e *eraser, user string) (done Erased, err error) {
	if !v.erasing.busy.CompareAndSwap(false, true) {
		return done, &telemetry.Error{Kind: telemetry.Unavailable, Message: "another erasure is under way; try again when it has ended"}
	}
	defer v.erasing.busy.Store(false)
	gathered := collected{e}
	e.user = user
	var scanner otlp.Scanner
	err = v.whole(ctx, journal.Kind.Spans, func(_ *journal.Record, body []byte) {
		_ = scanner.Traces(body, &gathered) // a damaged record names nothing
	})
	if err != nil {
		return done, err
	}
	_, err = v.letters(ctx, func(kind journal.Kind, body []byte) bool {
		if kind.Spans() {
			_ = scanner.Traces(body, &gathered)
		}
		return false
	})
	if err != nil || len(e.traces) == 0 && len(e.runs) == 0 && user == "" {
		return done, err
	}
	var positions []journal.Position
	every := func(k journal.Kind) bool { return k != journal.Metrics }
	err = v.whole(ctx, every, func(rec *journal.Record, body []byte) {
		// Readers share the body.
		if e.blank(rec.Kind, append([]byte(nil), body...)) {
			positions = append(positions, rec.Position)
		}
	})
	if err != nil {
		return done, err
	}
	done.Runs = len(e.traces)
	done.Records, err = v.o.Journal.Erase(ctx, positions, e.blank)
	if err != nil {
		return done, err
	}
	v.rows.erase(e.traces)
	done.DeadLetters, err = v.letters(ctx, e.blank)
	return done, err
}

// whole tells all records of some kinds that the journal has.
func (v *Viewer) whole(ctx context.Context, wanted func(journal.Kind) bool, see func(rec *journal.Record, body []byte)) error {
	c, done, err := v.lend(ctx, 0)
	if err != nil {
		return err
	}
	defer done()
	to := v.o.Journal.Durable()
	return eachOf(ctx, c, to, wanted, func(rec *journal.Record, body []byte) bool {
		see(rec, body)
		return true
	})
}

// erase overwrites what rows hold of content. Their chunks keep the room.
func (t *rows) erase(traces map[[16]byte]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for trace := range traces {
		if r, c := t.find(&trace); r != nil {
			clear(c.bytesOf(r.words))
			r.words, r.user, r.talk = 0, 0, 0
			r.flags |= isErased
		}
	}
}
