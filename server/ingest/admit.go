package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/zeebo/xxh3"

	"treq/telemetry"
	"treq/telemetry/compress"
	"treq/telemetry/journal"
	"treq/telemetry/otlp"
)

// maxRoute bounds the headers that are kept with a record.
const maxRoute = 256

// request is one body on its way into the log.
type request struct {
	signal   *signal
	door     string
	counters *counters
	format   format
	encoding compress.Encoding
	scope    uint64
	limit    int64 // of the body, as it comes and decompressed
	project  string
	tenant   string
	// shape may make of the decompressed body what is kept; nil keeps it as it is.
	shape func(body []byte) ([]byte, error)
	// mend may make of a body that was refused what can be kept of it; nil for none.
	mend func(body []byte) ([]byte, error)
	// partly tells that the log keeps some of it although the answer is a refusal.
	partly bool
	lease  lease
	// wire is the body as it came, of came bytes, plain decompressed (nil if it came
	// so), made what was built from it (nil if nothing was).
	wire, plain, made *compress.Buffer
	came              int
}

// release gives back the buffers that are left.
func (q *request) release() {
	q.unmade()
	give(&q.made)
}

// unmade gives back what came, once something was made of it.
func (q *request) unmade() {
	give(&q.wire)
	give(&q.plain)
}

func give(b **compress.Buffer) {
	if *b != nil {
		(*b).Release()
		*b = nil
	}
}

// end gives back everything that the request holds.
func (q *request) end() {
	q.release()
	q.lease.end()
}

// make replaces what was built so far by what build appends, in a buffer with
// room for n bytes.
func (q *request) make(n int, build func(dst []byte) ([]byte, error)) ([]byte, error) {
	q.lease.turn(int64(n))
	if err := q.lease.grow(int64(n)); err != nil {
		return nil, err
	}
	next := compress.NewBuffer(n)
	data, err := build(next.B)
	if q.made != nil {
		q.made.Release()
	}
	q.made = next
	if err != nil {
		return nil, err
	}
	next.B = data
	return data, nil
}

// admit takes the body q.wire in: decompress, check, convert, cut, append. It
// returns when the log has kept it.
func (i *Ingest) admit(ctx context.Context, q *request) (otlp.Partial, error) {
	var none otlp.Partial
	q.came = len(q.wire.B)
	i.quota.charge(q.scope, q.came)
	if len(q.project) > maxRoute || len(q.tenant) > maxRoute {
		return none, telemetry.Errorf(telemetry.Invalid, "Langsmith-Project and x-tenant-id may have %d bytes each", maxRoute)
	}
	body := q.wire.B
	if q.encoding != compress.Identity {
		b, err := decompress(q.encoding, body, q.limit, &q.lease)
		if err != nil {
			return none, err
		}
		q.plain, body = b, b.B
	}
	e := &journal.Entry{Kind: q.signal.kind, Door: q.door, Hash: i.hash(q, body), Project: q.project, Tenant: q.tenant}
	if q.format == formatJSON {
		whole := body
		var err error
		if body, err = q.make(len(whole), func(dst []byte) ([]byte, error) { return q.signal.fromJSON(dst, whole) }); err != nil {
			return none, err
		}
		q.unmade() // it may be large, and be cut yet
	}
	if q.shape != nil {
		var err error
		if body, err = q.shape(body); err != nil {
			return none, err
		}
		e.Hash = i.hash(q, body) // what the address said is in it now
	}
	items, bad, err := q.signal.check(body)
	if err != nil && q.mend != nil {
		if body, err = q.mend(body); err == nil {
			items, bad, err = q.signal.check(body)
		}
	}
	if err != nil {
		return none, err
	}
	var partial otlp.Partial
	if bad > 0 {
		whole := body
		if body, err = q.make(len(whole), func(dst []byte) ([]byte, error) { return q.signal.cut(dst, whole), nil }); err != nil {
			return none, err
		}
		partial = otlp.Partial{
			Rejected: int64(bad),
			Message:  fmt.Sprintf("%d of %d spans refused: an id of theirs is zero or of wrong length", bad, items),
		}
	}
	e.Items, e.Body = uint32(items-bad), body
	if err := i.append(ctx, q, e); err != nil {
		return none, err
	}
	n := &q.counters.signals[q.signal.index]
	n.requests.Add(1)
	n.partial.Add(uint64(bad))
	return partial, nil
}

// append hands e to the log, unless it is empty: that is a success with nothing
// to keep. What came as gzip or zstd and was only decompressed goes as it came,
// so that nobody has to compress it again.
func (i *Ingest) append(ctx context.Context, q *request, e *journal.Entry) error {
	if e.Items == 0 {
		return nil
	}
	wire, plain := q.came, len(e.Body)
	switch {
	case q.made != nil:
		e.Release = q.made.Release
		q.made = nil
	case q.encoding == compress.Gzip || q.encoding == compress.Zstd:
		e.Encoding = journal.Gzip
		if q.encoding == compress.Zstd {
			e.Encoding = journal.Zstd
		}
		e.Body, e.Decoded = q.wire.B, e.Body
		w, p := q.wire, q.plain
		e.Release = func() { w.Release(); p.Release() }
		q.wire, q.plain = nil, nil
	case q.plain != nil:
		e.Release = q.plain.Release
		q.plain = nil
	default:
		e.Release = q.wire.Release
		q.wire = nil
	}
	q.release()
	q.lease.rest()
	if n := int64(len(e.Body) + len(e.Decoded)); veryLarge(n) {
		release, done := e.Release, i.budget.behind.add(n)
		e.Release = func() {
			release()
			done()
		}
	}
	receipt, err := i.log.Append(ctx, e)
	if err != nil {
		return i.hinted(err)
	}
	n := &q.counters.signals[q.signal.index]
	if receipt.Duplicate {
		n.duplicates.Add(1)
		return nil
	}
	n.items.Add(uint64(e.Items))
	n.bytes.Add(uint64(plain))
	n.wire.Add(uint64(wire))
	return nil
}

// hinted gives a refusal for want of room this process's own hint where it has none.
func (i *Ingest) hinted(err error) error {
	e, ok := errors.AsType[*telemetry.Error](err)
	if !ok || e.Kind != telemetry.Unavailable || e.RetryAfter > 0 || i.retryAfter == 0 {
		return err
	}
	return &telemetry.Error{Kind: e.Kind, Message: e.Message, Err: e.Err, RetryAfter: i.retryAfter}
}

// hash names the request: what came, decompressed and before anything was made
// of it, with the signal, the token and the headers that route it. The seed
// keeps an outsider from making two requests that collide.
func (i *Ingest) hash(q *request, plain []byte) [16]byte {
	seed := i.seed ^ q.scope
	for _, s := range [...]string{q.signal.name, q.project, q.tenant} {
		seed = xxh3.HashStringSeed(s, seed)
	}
	return xxh3.Hash128Seed(plain, seed).Bytes()
}
