package journal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"treq/telemetry/compress"
)

// copyStep is how much of a segment is copied with one call.
const copyStep = 1 << 20

// Erase overwrites content in records that are kept: for each record at one of the
// positions, blank gets the body decompressed, to change in place without changing
// its length, and says whether it did. Position, length, times and everything else
// of the record stay, its compression may change. A position without a record is
// passed over.
//
// When it returns, the old content is in no file of the journal and readers get the
// new one; a record that a reader holds already is as it was. A segment is replaced
// as a whole, so that a crash leaves all of its old records or all of its new ones:
// whoever did not see Erase succeed calls it again. It gives how many records it
// changed. Errors are of kind Unavailable: the disk failed, the journal was closed,
// or a record could not be kept to its length.
func (j *Journal) Erase(ctx context.Context, positions []Position, blank func(kind Kind, data []byte) bool) (changed int, err error) {
	positions = slices.Compact(slices.Sorted(slices.Values(positions)))
	for len(positions) > 0 {
		if err := ctx.Err(); err != nil {
			return changed, err
		}
		s, err := j.sealedAt(ctx, positions[0])
		if err != nil {
			return changed, err
		}
		n := 1
		for s != nil && n < len(positions) && positions[n] < s.fileEnd() {
			n++
		}
		if s != nil {
			done, err := j.eraseIn(s, positions[:n], blank)
			changed += done
			if err != nil {
				return changed, err
			}
		}
		positions = positions[n:]
	}
	return changed, nil
}

// sealedAt gives the segment that a position lies in, nil if none, after ending it
// if it is the one appended to.
func (j *Journal) sealedAt(ctx context.Context, pos Position) (*segment, error) {
	for {
		j.mu.Lock()
		var found *segment
		for _, s := range j.segments {
			if s.base <= pos && pos < s.end {
				found = s
			}
		}
		done := found == nil || found.sealed
		j.mu.Unlock()
		if done {
			return found, nil
		}
		select {
		case j.sealing <- found.base:
		case <-j.stopping:
			return nil, errClosed()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// sealIf ends the active segment if it still is the one with that base. The writer
// calls it.
func (j *Journal) sealIf(base Position) {
	if j.active != nil && j.active.base == base {
		j.seal()
	}
}

// eraseIn replaces a sealed segment by a copy with changed records.
func (j *Journal) eraseIn(s *segment, positions []Position, blank func(Kind, []byte) bool) (changed int, err error) {
	j.sidecars.Lock()
	defer j.sidecars.Unlock()
	if !j.live(s.base) {
		return 0, nil
	}
	name := fileName(s.base, segmentSuffix)
	old, err := j.fs.Open(j.path(name))
	if err != nil {
		return 0, unavailable("cannot erase: a segment cannot be read", soon, err)
	}
	// Read only: nothing can be lost.
	defer func() { _ = old.Close() }()
	patches, err := j.patches(s, old, positions, blank)
	if err != nil {
		return 0, err
	}
	if len(patches) > 0 {
		if err := j.replaceSegment(name, old, patches); err != nil {
			j.fault(err)
			return 0, unavailable("cannot erase: a segment cannot be written", soon, err)
		}
	}
	j.mu.Lock()
	s.generation++
	evicted := j.ring.until(positions[len(positions)-1], nil)
	for _, pos := range positions {
		delete(j.shared, pos)
	}
	j.mu.Unlock()
	releaseAll(evicted)
	return len(patches), nil
}

// patch is what takes the place of the bytes at an offset.
type patch struct {
	offset int64
	frame  []byte
}

// patches makes the frames of the records that blank changes.
func (j *Journal) patches(s *segment, file File, positions []Position, blank func(Kind, []byte) bool) ([]patch, error) {
	scan := newScanner(file, s.base, s.salt, int64(s.end-s.base), wideWindow)
	var out []patch
	for _, pos := range positions {
		off := int64(pos - s.base)
		h, ok, err := scan.frame(off)
		if err != nil {
			return nil, unavailable("cannot erase: a segment cannot be read", soon, err)
		}
		if !ok {
			continue
		}
		// The names go with the scanner's window.
		h.door, h.project, h.tenant = bytes.Clone(h.door), bytes.Clone(h.project), bytes.Clone(h.tenant)
		body := make([]byte, h.bodyLen())
		if ok, err = scan.read(body, &h, off); err != nil {
			return nil, unavailable("cannot erase: a segment cannot be read", soon, err)
		} else if !ok {
			continue
		}
		coding, err := h.encoding.coding()
		if err != nil {
			continue // nobody can read it
		}
		data := body
		if h.encoding != Identity {
			if data, err = compress.Decode(nil, coding, body, max(j.o.MaxDecoded, int64(h.decodedLen))); err != nil {
				continue // nobody can read it
			}
		}
		if !blank(h.kind, data) {
			continue
		}
		if h.encoding != Identity {
			if body, h.encoding, ok = fit(data, len(body)); !ok {
				return nil, unavailable("cannot erase: a record's content cannot be packed into its place", 0, nil)
			}
		}
		h.decodedLen, h.bodyCRC = uint32(len(data)), crc32.Checksum(body, castagnoli)
		if h.encoding == Identity {
			h.decodedLen = 0
		}
		out = append(out, patch{off, append(h.append(nil), body...)})
	}
	return out, nil
}

// fit packs data into exactly so many bytes: what compresses better than before is
// filled up with what decoders pass over.
func fit(data []byte, size int) ([]byte, Encoding, bool) {
	const skippable, skippableHeader = 0x184d2a50, 8
	for _, level := range []zstd.EncoderLevel{zstd.SpeedDefault, zstd.SpeedBestCompression, zstd.SpeedFastest} {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(level), zstd.WithEncoderCRC(false))
		if err != nil {
			continue
		}
		packed := e.EncodeAll(data, make([]byte, 0, size))
		switch rest := size - len(packed); {
		case rest == 0:
			return packed, Zstd, true
		case rest >= skippableHeader:
			packed = binary.LittleEndian.AppendUint32(packed, skippable)
			packed = binary.LittleEndian.AppendUint32(packed, uint32(rest-skippableHeader))
			return append(packed, make([]byte, rest-skippableHeader)...), Zstd, true
		}
	}
	for level := gzip.BestCompression; level >= gzip.BestSpeed; level-- {
		packed := compress.AppendGzip(nil, data, level)
		const fieldHeader = 2 // of the header's extra field, which holds what nobody reads
		rest := size - len(packed)
		if rest == 0 {
			return packed, Gzip, true
		}
		if rest < fieldHeader || rest-fieldHeader > 0xffff {
			continue
		}
		var b bytes.Buffer
		w, err := gzip.NewWriterLevel(&b, level)
		if err != nil {
			continue
		}
		w.Extra = make([]byte, rest-fieldHeader)
		if _, err := w.Write(data); err == nil && w.Close() == nil && b.Len() == size {
			return b.Bytes(), Gzip, true
		}
	}
	return nil, 0, false
}

// replaceSegment puts a copy of a segment's file with patches where the file is.
func (j *Journal) replaceSegment(name string, old File, patches []patch) error {
	temporary := j.path(name + temporarySuffix)
	f, err := j.fs.Create(temporary)
	if err != nil {
		return err
	}
	err = copyFile(f, old)
	for _, p := range patches {
		if err == nil {
			err = f.WriteVec([][]byte{p.frame}, p.offset)
		}
	}
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = j.fs.Rename(temporary, j.path(name))
	}
	if err != nil {
		_ = j.fs.Remove(temporary)
		return err
	}
	return j.fs.SyncDir(j.dir)
}

func copyFile(to, from File) error {
	size, err := from.Size()
	if err != nil {
		return err
	}
	b := make([]byte, min(size, copyStep))
	for off := int64(0); off < size; {
		n, err := from.ReadAt(b[:min(int64(len(b)), size-off)], off)
		if n == 0 && err != nil {
			return err
		}
		if err := to.WriteVec([][]byte{b[:n]}, off); err != nil {
			return err
		}
		off += int64(n)
	}
	return nil
}
