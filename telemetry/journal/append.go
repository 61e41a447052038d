package journal

import (
	"context"
	"hash/crc32"
	"time"

	"treq/telemetry"
	"treq/telemetry/compress"
)

const (
	// maxQueued bounds the bytes that wait for the writer.
	maxQueued = 256 << 20
	// soon is when to try again after something that may pass at any moment, later
	// after something that takes space to come back.
	soon  = time.Second
	later = 5 * time.Second
)

// request is an append that waits. Its record is complete but for position, time
// and counts, which the writer fills in.
type request struct {
	record  *Record
	bodyCRC uint32
	frame   int64
	// Guarded by Journal.mu:
	taken   bool // by the writer
	waiters int  // duplicates that wait for it

	done    chan struct{} // closed when receipt and err are set
	receipt Receipt
	err     error
}

// Append stores an entry and returns when it is durable as Options.Ack says. An
// entry whose hash was appended within the horizon is a duplicate: it waits until
// the original is durable, shares its fate, and stores nothing.
//
// Errors: Invalid, TooLarge and Unsupported for an entry that can never be stored;
// Unavailable, with RetryAfter, where there is no room or the disk failed: nothing
// is stored, and the hash is forgotten. When ctx ends first its error is returned
// unless the entry is being written already.
func (j *Journal) Append(ctx context.Context, e *Entry) (Receipt, error) {
	release := e.Release
	give := func() {
		if release != nil {
			release()
		}
	}
	if err := e.validate(); err != nil {
		give()
		return Receipt{}, err
	}
	if err := ctx.Err(); err != nil {
		give()
		return Receipt{}, err
	}
	original, receipt, err := j.duplicate(e)
	if err != nil || receipt.Duplicate {
		give()
		return receipt, err
	}
	if original == nil {
		r := j.prepare(e)
		if original, receipt, err = j.enqueue(e, r); original == r {
			return j.await(ctx, r)
		}
		// Another one with the same hash came first, or the journal cannot take it.
		r.record.Release()
		if original == nil {
			return receipt, err
		}
	} else {
		give()
	}
	return j.follow(ctx, original)
}

// duplicate looks for an original of e: one that waits, which then counts this
// follower, or the receipt of one that is stored.
func (j *Journal) duplicate(e *Entry) (*request, Receipt, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.duplicateLocked(e)
}

func (j *Journal) duplicateLocked(e *Entry) (*request, Receipt, error) {
	if j.closed {
		return nil, Receipt{}, errClosed()
	}
	if e.Hash == ([16]byte{}) {
		return nil, Receipt{}, nil
	}
	if r, ok := j.pending[e.Hash]; ok {
		r.waiters++
		return r, Receipt{}, nil
	}
	if o, ok := j.horizon.find(e.Hash, j.clock.tick()); ok {
		j.stats.Duplicates++
		receipt := o.receipt
		receipt.Duplicate = true
		return nil, receipt, nil
	}
	return nil, Receipt{}, nil
}

// prepare makes the record of an entry, with bytes of its own unless the entry
// gives its bytes away.
func (j *Journal) prepare(e *Entry) *request {
	rec := &Record{
		Kind: e.Kind, Encoding: e.Encoding, Door: e.Door, Items: e.Items, Hash: e.Hash,
		Check: e.Check, Project: e.Project, Tenant: e.Tenant, Body: e.Body,
		decodedLen: uint32(len(e.Decoded)), maxDecoded: j.o.MaxDecoded,
		decoded: e.Decoded, release: e.Release,
	}
	if e.Encoding == Identity {
		rec.decoded, rec.decodedLen = nil, 0
	}
	rec.refs.Store(1)
	if e.Release == nil && j.o.RingBytes > 0 {
		buf := compress.NewBuffer(len(e.Body) + len(rec.decoded))
		buf.B = append(append(buf.B, e.Body...), rec.decoded...)
		rec.Body = buf.B[:len(e.Body):len(e.Body)]
		if rec.decoded != nil {
			rec.decoded = buf.B[len(e.Body):]
		}
		rec.release = buf.Release
	}
	return &request{
		record:  rec,
		bodyCRC: crc32.Checksum(rec.Body, castagnoli),
		frame:   int64(frameHeader + len(e.Door) + len(e.Project) + len(e.Tenant) + len(e.Body)),
		done:    make(chan struct{}),
	}
}

// enqueue hands r to the writer and gives it back, unless a duplicate overtook it.
func (j *Journal) enqueue(e *Entry, r *request) (*request, Receipt, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if original, receipt, err := j.duplicateLocked(e); original != nil || receipt.Duplicate || err != nil {
		return original, receipt, err
	}
	if r.frame > j.o.MaxBytes/2 {
		return nil, Receipt{}, telemetry.Errorf(telemetry.TooLarge,
			"entry of %d bytes does not fit into a journal of %d", r.frame, j.o.MaxBytes)
	}
	if j.queued+r.frame > maxQueued && len(j.queue) > 0 {
		j.stats.Refused.Queue++
		return nil, Receipt{}, unavailable("too much waits to be written", soon, nil)
	}
	if e.Hash != ([16]byte{}) {
		j.pending[e.Hash] = r
	}
	j.queue = append(j.queue, r)
	j.queued += r.frame
	select {
	case j.kick <- struct{}{}:
	default:
	}
	return r, Receipt{}, nil
}

// await waits for the writer's answer.
func (j *Journal) await(ctx context.Context, r *request) (Receipt, error) {
	select {
	case <-r.done:
	case <-ctx.Done():
		if j.withdraw(r) {
			r.record.Release()
			return Receipt{}, ctx.Err()
		}
		<-r.done
	}
	return r.receipt, r.err
}

// withdraw takes back a request that the writer has not taken and nobody follows.
func (j *Journal) withdraw(r *request) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r.taken || r.waiters > 0 {
		return false
	}
	for i, q := range j.queue {
		if q == r {
			j.queue = append(j.queue[:i], j.queue[i+1:]...)
			break
		}
	}
	j.queued -= r.frame
	delete(j.pending, r.record.Hash)
	return true
}

// follow waits for the answer to another request of the same hash.
func (j *Journal) follow(ctx context.Context, original *request) (Receipt, error) {
	select {
	case <-original.done:
	case <-ctx.Done():
		return Receipt{}, ctx.Err()
	}
	if original.err != nil {
		return Receipt{}, original.err
	}
	j.mu.Lock()
	j.stats.Duplicates++
	j.mu.Unlock()
	receipt := original.receipt
	receipt.Duplicate = true
	return receipt, nil
}

func unavailable(message string, after time.Duration, cause error) *telemetry.Error {
	return &telemetry.Error{Kind: telemetry.Unavailable, Message: message, Err: cause, RetryAfter: after}
}
