package export

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/zeebo/xxh3"

	"treq/telemetry/journal"
	"treq/telemetry/langsmith"
)

// takes tells whether records of a kind are for the sink: where it speaks the run
// protocol the runs as they came, and everywhere else the spans made of them.
func (c Config) takes(k journal.Kind) bool {
	if c.Protocol == Native {
		return k == journal.Traces || k == journal.Runs
	}
	return k.Spans()
}

var errMiscounted = errors.New("the record holds other runs than were counted when it was admitted")

// runs gives what of a record of runs goes to the sink. An operation on a run counts
// as a span does; a judgement among them is told by those who tell judgements.
func (p *pump) runs(t *ticket, items int64) []routed {
	s := p.sink
	to := route{path: pathMultipart, tenant: t.record.Tenant}
	if to.tenant == "" {
		to.tenant = s.config.Tenant
	}
	bad := func(err error) []routed {
		return []routed{{to, piece{ticket: t, spans: items, fault: err}}}
	}
	data, err := t.record.Data()
	if err == nil && s.rewrite != nil {
		data, err = s.rewrite(journal.Runs, data)
	}
	if err != nil {
		return bad(err)
	}
	parcels, judgements, err := langsmith.Parcels(data)
	if err != nil {
		return bad(err)
	}
	if int64(len(parcels)+judgements) != items {
		return bad(errMiscounted)
	}
	p.end(t, counts{Sent: int64(judgements)})
	if p.choice != nil {
		all := len(parcels)
		parcels = p.choice.ofParcels(parcels)
		p.end(t, counts{SampledOut: int64(all - len(parcels))})
	}
	if p.thrift != nil {
		all := len(parcels)
		parcels = p.thrift.ofParcels(parcels, time.Now(), t.record.Position)
		p.end(t, counts{SampledOut: int64(all - len(parcels))})
	}
	return parcelsTo(to, t, parcels)
}

// runsOf gives what a record of runs has of a trace.
func (p *pump) runsOf(t *ticket, data []byte, trace uint64) (pieces []routed, runs int64) {
	to := route{path: pathMultipart, tenant: t.record.Tenant}
	if to.tenant == "" {
		to.tenant = p.sink.config.Tenant
	}
	if p.sink.rewrite != nil {
		clean, err := p.sink.rewrite(journal.Runs, data)
		if err != nil {
			return nil, 0
		}
		data = clean
	}
	parcels, _, err := langsmith.Parcels(data)
	if err != nil {
		return nil, 0
	}
	parcels = pick(parcels, func(i int) bool { return xxh3.Hash(parcels[i].Trace[:]) == trace })
	return parcelsTo(to, t, parcels), int64(len(parcels))
}

// parcelsTo puts parcels into pieces: those that came one by one go so.
func parcelsTo(to route, t *ticket, parcels []langsmith.Parcel) []routed {
	var pieces []routed
	together := piece{ticket: t}
	for _, parcel := range parcels {
		if parcel.Single == nil {
			together.add(parcel)
			continue
		}
		alone := piece{ticket: t}
		alone.add(parcel)
		own := route{path: pathRuns, tenant: to.tenant}
		if parcel.Patch {
			own.path += "/" + parcel.ID.String()
		}
		pieces = append(pieces, routed{own, alone})
	}
	if len(together.runs) > 0 {
		pieces = append(pieces, routed{to, together})
	}
	return pieces
}

// end gives spans of a record an end before they were put into a batch.
func (p *pump) end(t *ticket, ends counts) {
	p.sink.mu.Lock()
	t.ends.add(ends)
	p.sink.ends.add(ends)
	p.sink.mu.Unlock()
}

func (p *piece) add(parcel langsmith.Parcel) {
	p.runs = append(p.runs, parcel)
	p.spans++
	p.length += parcel.Size()
}

// halveRuns puts the halves of a piece of runs into the batches.
func (p *piece) halveRuns(left, right *batch, b *batch) bool {
	middle := len(p.runs) / 2
	if middle == 0 {
		return false
	}
	l, r := piece{ticket: p.ticket}, piece{ticket: p.ticket}
	for i, parcel := range p.runs {
		if i < middle {
			l.add(parcel)
		} else {
			r.add(parcel)
		}
	}
	left.add(l, b.oldest)
	right.add(r, b.oldest)
	return true
}

// ofParcels gives the parcels whose traces go to the sink, which are those of the
// spans that are made of them.
func (h *choice) ofParcels(parcels []langsmith.Parcel) []langsmith.Parcel {
	var request []byte
	if filtered := !h.only.empty() || !h.except.empty(); filtered {
		for i := range parcels {
			request = parcels[i].AppendSpan(request)
		}
		verdicts, _, err := h.decide(request)
		if err != nil || len(verdicts) != len(parcels) {
			return parcels
		}
		return pick(parcels, func(i int) bool { return verdicts[i] })
	}
	return pick(parcels, func(i int) bool { return xxh3.Hash(parcels[i].Trace[:]) <= h.share })
}

func pick(parcels []langsmith.Parcel, keep func(i int) bool) []langsmith.Parcel {
	kept := parcels[:0]
	for i := range parcels {
		if keep(i) {
			kept = append(kept, parcels[i])
		}
	}
	return kept
}

// packRuns makes the body of a batch of runs; see pack.
func (k *packer) packRuns(b *batch, info runsInfo) (out body, fits bool, bad int, err error) {
	total := 0
	for i := range b.pieces {
		if err := b.pieces[i].fault; err != nil {
			return body{}, true, i, err
		}
		total += b.pieces[i].length
	}
	if total > info.bytes && b.spans > 1 {
		return body{}, false, 0, nil
	}
	if b.path != pathMultipart {
		object := b.pieces[0].runs[0].Single
		k.plain = append(k.plain[:0], object)
		return body{chunks: k.plain, size: int64(len(object)), contentType: "application/json"}, true, 0, nil
	}
	boundary := newBoundary()
	content := make([]byte, 0, total+128)
	for i := range b.pieces {
		content = langsmith.AppendMultipart(content, boundary, b.pieces[i].runs)
	}
	content = langsmith.AppendEnd(content, boundary)
	out = body{contentType: "multipart/form-data; boundary=" + boundary}
	switch {
	case info.zstd:
		if k.zstd == nil {
			k.zstd, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		}
		content, out.zstd = k.zstd.EncodeAll(content, nil), true
	case info.gzip:
		k.reset()
		k.compress([][]byte{content})
		content, out.gzip = k.packed.Bytes(), true
	}
	k.plain = append(k.plain[:0], content)
	out.chunks, out.size = k.plain, int64(len(content))
	return out, true, 0, nil
}

// newBoundary gives a boundary that nobody can have put into a run.
func newBoundary() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// asBody gives the runs of a piece as one body, as dead letters keep it.
func (p *piece) asBody() []byte {
	if len(p.runs) == 1 && p.runs[0].Single != nil {
		return p.runs[0].Single
	}
	boundary := newBoundary()
	return langsmith.AppendEnd(langsmith.AppendMultipart(nil, boundary, p.runs), boundary)
}
