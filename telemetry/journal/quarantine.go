package journal

import (
	"encoding/binary"
	"errors"
	"io"
)

// A quarantine file holds what was found damaged in a segment: for each stretch its
// magic, its position, its length and its bytes.
const (
	quarantineMagic  = "treqbad1"
	quarantineHeader = 24
	// maxDamaged bounds the stretches that are told apart, and so the memory for it.
	maxDamaged = 1 << 16
)

// damage counts a stretch of s that holds no valid record, and copies it from file
// into the quarantine file, once however many readers come by.
func (j *Journal) damage(s *segment, d damage, file File) {
	j.sidecars.Lock()
	defer j.sidecars.Unlock()
	at := s.base + Position(d.from)
	if j.damaged[at] || len(j.damaged) >= maxDamaged {
		return
	}
	j.damaged[at] = true
	j.mu.Lock()
	j.stats.Damaged++
	j.stats.DamagedRecords += d.records
	j.stats.DamagedItems += d.items
	j.mu.Unlock()
	j.log.Warn("skipped a damaged stretch of the journal", "segment", fileName(s.base, segmentSuffix),
		"offset", d.from, "bytes", d.to-d.from, "records", d.records)
	if file == nil {
		return
	}
	if err := j.quarantine(s, d, file); err != nil {
		j.fault(err)
	}
}

// quarantine copies a stretch unless an earlier process did.
func (j *Journal) quarantine(s *segment, d damage, file File) error {
	name := fileName(s.base, quarantineSuffix)
	var held []byte
	old, err := j.fs.Open(j.path(name))
	if err == nil {
		held, err = readAll(old)
		err = errors.Join(err, old.Close())
	}
	if err != nil && !isMissing(err) {
		return err
	}
	at := s.base + Position(d.from)
	if quarantined(held, at) {
		return nil
	}
	bad := make([]byte, d.to-d.from)
	n, err := file.ReadAt(bad, d.from)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	before := int64(len(held))
	held = append(held, quarantineMagic...)
	held = binary.LittleEndian.AppendUint64(held, uint64(at))
	held = binary.LittleEndian.AppendUint64(held, uint64(n))
	held = append(held, bad[:n]...)
	if err := j.replaceFile(name, held); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stats.QuarantinedBytes += int64(n)
	j.bytes += int64(len(held)) - before
	s.quarantine = int64(len(held))
	return nil
}

// quarantined tells whether the quarantine file with this content holds the stretch
// that starts at a position.
func quarantined(held []byte, at Position) bool {
	for len(held) >= quarantineHeader && string(held[:8]) == quarantineMagic {
		if Position(binary.LittleEndian.Uint64(held[8:])) == at {
			return true
		}
		n := binary.LittleEndian.Uint64(held[16:])
		if n > uint64(len(held)-quarantineHeader) {
			return false
		}
		held = held[quarantineHeader+int(n):]
	}
	return false
}
