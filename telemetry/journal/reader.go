package journal

import (
	"errors"
	"io/fs"

	"treq/telemetry/compress"
)

// reader reads records of one segment after the other from the disk.
type reader struct {
	file       File
	generation int // of the segment's file
	scan       *scanner
	// only tells the kinds whose bodies are read; nil: all.
	only func(Kind) bool
	// The last names read, since they hardly ever change.
	door, project, tenant string
}

// readStep says what to read: the next record of one segment.
type readStep struct {
	base             Position
	generation       int
	salt             uint64
	from, limit      Position
	seq, items       uint64 // before from
	seqEnd, itemsEnd uint64 // before limit
}

// next gives the first undamaged record at or after step.from, nil if there is none
// before step.limit, and the damage it skipped.
func (d *reader) next(j *Journal, step readStep) (*Record, []damage, error) {
	if err := d.open(j, step); err != nil {
		if isMissing(err) {
			// Somebody removed the file. Its records are lost and counted as damaged.
			return nil, nil, nil
		}
		return nil, nil, err
	}
	var bad []damage
	off := int64(step.from - step.base)
	for off < d.scan.limit {
		h, ok, err := d.scan.frame(off)
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			next, err := d.scan.seek(off + 1)
			if err != nil {
				return nil, nil, err
			}
			bad = append(bad, damage{from: off, to: next})
			off = next
			continue
		}
		r, err := d.record(j, &h, off)
		if err != nil {
			return nil, nil, err
		}
		if r != nil {
			attribute(bad, h.seq-min(step.seq, h.seq), h.itemsBefore-min(step.items, h.itemsBefore))
			return r, bad, nil
		}
		bad = append(bad, damage{from: off, to: off + int64(h.length)})
		off += int64(h.length)
	}
	attribute(bad, step.seqEnd-min(step.seq, step.seqEnd), step.itemsEnd-min(step.items, step.itemsEnd))
	return nil, bad, nil
}

// attribute notes what a run of damage is known to have held.
func attribute(bad []damage, records, items uint64) {
	if len(bad) > 0 {
		bad[0].records, bad[0].items = records, items
	}
}

// record reads the record of a frame whose header is valid, nil if its body is not.
func (d *reader) record(j *Journal, h *head, off int64) (*Record, error) {
	r := &Record{
		Position: h.position, End: h.position + Position(h.length), Kind: h.kind, Encoding: h.encoding,
		Door: same(&d.door, h.door), Items: h.items, Hash: h.hash, Check: h.check,
		Project: same(&d.project, h.project), Tenant: same(&d.tenant, h.tenant),
		Admitted: instant(h.admitted), seq: h.seq, itemsBefore: h.itemsBefore,
		decodedLen: h.decodedLen, maxDecoded: j.o.MaxDecoded,
	}
	r.refs.Store(1)
	if d.only != nil && !d.only(h.kind) {
		return r, nil
	}
	if r.large() {
		return j.share(r, d.generation, func() (bool, error) { return d.body(r, h, off) })
	}
	if ok, err := d.body(r, h, off); err != nil || !ok {
		return nil, err
	}
	return r, nil
}

// body reads the body of r, the record of h at off, and tells whether it is undamaged.
func (d *reader) body(r *Record, h *head, off int64) (bool, error) {
	buf := compress.NewBuffer(h.bodyLen())
	body := buf.B[:h.bodyLen()]
	if ok, err := d.scan.read(body, h, off); err != nil || !ok {
		buf.Release()
		return false, err
	}
	r.Body, r.release = body, buf.Release
	return true, nil
}

// same gives b as a string, the last one if it is equal.
func same(last *string, b []byte) string {
	if *last != string(b) {
		*last = string(b)
	}
	return *last
}

func (d *reader) open(j *Journal, step readStep) error {
	if d.file != nil && d.scan.base == step.base && d.generation == step.generation {
		d.scan.limit = int64(step.limit - step.base)
		return nil
	}
	d.close()
	f, err := j.fs.Open(j.path(fileName(step.base, segmentSuffix)))
	if err != nil {
		return err
	}
	d.file, d.generation = f, step.generation
	window := wideWindow
	if d.only != nil {
		window = narrowWindow
	}
	d.scan = newScanner(f, step.base, step.salt, int64(step.limit-step.base), window)
	return nil
}

// close lets the file and the window go.
func (d *reader) close() {
	if d.file != nil {
		// Read only: nothing can be lost.
		_ = d.file.Close()
		d.file, d.scan = nil, nil
	}
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
