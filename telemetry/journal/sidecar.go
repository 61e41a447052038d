package journal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"treq/telemetry"
)

// A sidecar is a file beside a segment: magic, CRC32C of the data, the data.
const (
	sidecarMagic  = "treqside"
	sidecarHeader = 12
)

// PutSidecar stores data beside the segment with that base, in place of what was
// there, at once and durably. It goes when its segment goes. A segment that is not
// there is an error of kind NotFound; a failing disk is Unavailable and leaves what
// was there.
func (j *Journal) PutSidecar(base Position, data []byte) error {
	j.sidecars.Lock()
	defer j.sidecars.Unlock()
	if !j.live(base) {
		return telemetry.Errorf(telemetry.NotFound, "the journal has no segment %s", fileName(base, ""))
	}
	head := append(make([]byte, 0, sidecarHeader), sidecarMagic...)
	head = binary.LittleEndian.AppendUint32(head, crc32.Checksum(data, castagnoli))
	if err := j.replaceFile(fileName(base, sidecarSuffix), head, data); err != nil {
		return unavailable("cannot write a sidecar", soon, err)
	}
	size := int64(len(head) + len(data))
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segments {
		if s.base == base {
			j.bytes += size - s.sidecar
			s.sidecar = size
			return nil
		}
	}
	// It expired meanwhile, and did not know of this file.
	_ = j.fs.Remove(j.path(fileName(base, sidecarSuffix)))
	return nil
}

// Sidecar gives what PutSidecar stored for the segment with that base. It reports
// false where nothing is, or what is there was damaged.
func (j *Journal) Sidecar(base Position) ([]byte, bool, error) {
	f, err := j.fs.Open(j.path(fileName(base, sidecarSuffix)))
	if isMissing(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, unavailable("cannot open a sidecar", soon, err)
	}
	b, err := readAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, false, unavailable("cannot read a sidecar", soon, err)
	}
	if len(b) < sidecarHeader || string(b[:8]) != sidecarMagic ||
		crc32.Checksum(b[sidecarHeader:], castagnoli) != binary.LittleEndian.Uint32(b[8:]) {
		j.mu.Lock()
		j.stats.DamagedSidecars++
		j.mu.Unlock()
		return nil, false, nil
	}
	return b[sidecarHeader:], true, nil
}

func (j *Journal) live(base Position) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segments {
		if s.base == base {
			return true
		}
	}
	return false
}

// replaceFile puts bytes where name is, so that a crash leaves the old or the new.
func (j *Journal) replaceFile(name string, b ...[]byte) error {
	temporary := j.path(name + temporarySuffix)
	f, err := j.fs.Create(temporary)
	if err != nil {
		return err
	}
	err = f.WriteVec(b, 0)
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

func readAll(f File) ([]byte, error) {
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	b := make([]byte, size)
	if n, err := f.ReadAt(b, 0); n < len(b) {
		return nil, err
	}
	return b, nil
}
