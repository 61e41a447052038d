package mirror

import (
	"slices"
	"time"

	"treq/telemetry/journal"
	"treq/telemetry/judgement"
)

// read fills the outbox from the journal until it is stopped.
func (b *outbox) read() {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		more, err := b.step()
		if err != nil {
			b.mu.Lock()
			if b.gate.lastErr != err.Error() {
				b.log.Warn("the journal cannot be read for judgements; it is tried again", "error", err)
			}
			b.gate.note(time.Now(), err.Error())
			b.mu.Unlock()
		}
		if more {
			select {
			case <-b.stopping:
				return
			case <-tick.C:
				_ = b.save(false) // noted, and tried again
			default:
			}
			continue
		}
		select {
		case <-b.stopping:
			return
		case <-b.cursor.Wake():
		case <-b.room:
		case <-tick.C:
			_ = b.save(false) // noted, and tried again
		}
	}
}

// step takes one record, and tells whether there may be another at once.
func (b *outbox) step() (more bool, err error) {
	if b.held == nil {
		if more, err = b.take(); b.held == nil {
			return more, err
		}
	}
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.full(now) {
		return false, nil
	}
	for _, j := range b.held {
		if !j.Deleted && !b.words.takes(&j) {
			continue
		}
		b.add(j, now)
		for _, key := range b.alsoAs(&j) {
			b.add(j.Renamed(key), now)
		}
	}
	b.held, b.position = nil, b.heldTo
	b.signal()
	return true, nil
}

// take reads the next record. Judgements that it has are held until there is room.
func (b *outbox) take() (more bool, err error) {
	rec, err := b.cursor.TryNext()
	if rec == nil {
		b.pass(b.cursor.Position())
		return false, err
	}
	defer rec.Release()
	if rec.Kind == journal.Posts || rec.Kind == journal.Logs {
		body, err := rec.Data()
		if err == nil && b.sink.Strip != nil {
			body, err = b.sink.Strip(rec.Kind, body)
		}
		if err == nil {
			// A record that does not scan was counted as damaged by whoever counts.
			_ = judgement.Each(body, func(j judgement.Judgement) { b.held = append(b.held, j) })
		}
	}
	if b.held == nil {
		b.pass(rec.End)
	}
	b.heldTo = rec.End
	return true, nil
}

// alsoAs gives the further keys of a judgement: none for one in LangSmith's own
// words, whose sender chose what to say under which key.
func (b *outbox) alsoAs(j *judgement.Judgement) []string {
	ours := j.Source == judgement.FromAPI || j.Source == judgement.FromBrowser
	if b.sink.Words != LangSmith || j.Told != nil || j.Key != judgement.DefaultKey || !ours ||
		j.ID != judgement.ID(j.RunID, j.Key, j.Source) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(b.sink.AlsoAs), func(key string) bool { return key == j.Key })
}

func (b *outbox) pass(p journal.Position) {
	b.mu.Lock()
	b.position = max(b.position, p)
	b.mu.Unlock()
}
