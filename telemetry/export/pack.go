package export

import (
	"bytes"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"treq/telemetry/journal"
	"treq/telemetry/langsmith"
)

// packer makes request bodies, one after the other, in memory of its own.
type packer struct {
	plain  [][]byte
	packed bytes.Buffer
	gzip   *gzip.Writer
	zstd   *zstd.Encoder
	spans  []stretch
	// runs are those that the batch it works on tells of; the pump's.
	runs []langsmith.ID
}

// body is a request's body: its chunks alias records or the packer and are valid
// until the packer's next.
type body struct {
	chunks [][]byte
	size   int64
	gzip   bool
	zstd   bool
	// contentType is "" for that of OTLP.
	contentType string
	// members tells that the gzip has several of which a client made one.
	members bool
	// probe marks a request that asks how the sink reads.
	probe bool
}

// coding says how a packer makes bodies.
type coding uint8

const (
	// uncompressed sends records as they are, decompressed.
	uncompressed coding = iota
	// compressed makes one gzip member, or passes one record's gzip on.
	compressed
	// inMembers passes every client's gzip on, and compresses what is between.
	inMembers
)

// passes tells whether the piece is gzip as its client made it.
func (p *piece) passes() bool { return p.whole && p.ticket.record.Encoding == journal.Gzip }

// passing counts the pieces that pass.
func (b *batch) passing() (n int) {
	for i := range b.pieces {
		if b.pieces[i].passes() {
			n++
		}
	}
	return n
}

// pack makes the body of b. bad is the index of a piece whose record does not
// decompress, told with err; fits is false where the batch is larger than a request
// may be.
func (k *packer) pack(b *batch, how coding) (out body, fits bool, bad int, err error) {
	if p := &b.pieces[0]; how != uncompressed && len(b.pieces) == 1 && p.passes() && p.size() <= MaxRequestBytes {
		raw := p.ticket.record.Body
		k.plain = append(k.plain[:0], raw)
		return body{chunks: k.plain, size: int64(len(raw)), gzip: true}, true, 0, nil
	}
	if how == inMembers && b.passing() > 0 && (b.size <= MaxRequestBytes || b.spans <= 1) {
		out, bad, err = k.join(b)
		return out, true, bad, err
	}
	var total int64
	k.plain = k.plain[:0]
	for i := range b.pieces {
		data, err := b.pieces[i].bytes()
		if err != nil {
			return body{}, true, i, err
		}
		total += int64(len(data))
		k.plain = append(k.plain, data)
	}
	// A single span beyond the limit is offered all the same: the sink may take it.
	if total > MaxRequestBytes && b.spans > 1 {
		return body{}, false, 0, nil
	}
	if how == uncompressed {
		return body{chunks: k.plain, size: total}, true, 0, nil
	}
	k.reset()
	k.compress(k.plain)
	k.plain = append(k.plain[:0], k.packed.Bytes())
	return body{chunks: k.plain, size: int64(k.packed.Len()), gzip: true}, true, 0, nil
}

// stretch is a chunk of a body: bytes that pass, or a part of what was packed.
type stretch struct {
	raw      []byte
	from, to int
}

// join makes a body of members: what clients compressed as it came, and each run
// of pieces between as one member of ours. The messages in them follow each other
// as they would uncompressed.
func (k *packer) join(b *batch) (out body, bad int, err error) {
	k.reset()
	k.plain, k.spans = k.plain[:0], k.spans[:0]
	flush := func() {
		if len(k.plain) > 0 {
			from := k.packed.Len()
			k.compress(k.plain)
			k.spans = append(k.spans, stretch{from: from, to: k.packed.Len()})
			k.plain = k.plain[:0]
		}
	}
	for i := range b.pieces {
		p := &b.pieces[i]
		if p.passes() {
			flush()
			k.spans = append(k.spans, stretch{raw: p.ticket.record.Body})
			continue
		}
		data, err := p.bytes()
		if err != nil {
			return body{}, i, err
		}
		k.plain = append(k.plain, data)
	}
	flush()
	out = body{gzip: true, members: len(k.spans) > 1}
	k.plain = k.plain[:0]
	packed := k.packed.Bytes() // stays where it is from here on
	for _, s := range k.spans {
		chunk := s.raw
		if chunk == nil {
			chunk = packed[s.from:s.to]
		}
		k.plain = append(k.plain, chunk)
		out.size += int64(len(chunk))
	}
	clear(k.spans)
	out.chunks = k.plain
	return out, 0, nil
}

// reset empties what was packed, and lets an unusually large buffer go.
func (k *packer) reset() {
	if k.packed.Cap() > MaxRequestBytes {
		k.packed = bytes.Buffer{}
	}
	k.packed.Reset()
	if k.gzip == nil {
		k.gzip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed)
	}
}

// compress adds one member to what was packed.
func (k *packer) compress(chunks [][]byte) {
	k.gzip.Reset(&k.packed)
	for _, chunk := range chunks {
		_, _ = k.gzip.Write(chunk)
	}
	_ = k.gzip.Close()
}
