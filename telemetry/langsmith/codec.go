package langsmith

import (
	"encoding/binary"

	"treq/telemetry"
)

// codecVersion is the form in which AppendBinary writes.
const codecVersion = 1

// parts lists the fields that are bytes, in the order of the binary form.
func (r *Run) parts() [7]*[]byte {
	return [...]*[]byte{&r.inputs, &r.outputs, &r.events, &r.extra, &r.failure, &r.serialized, &r.tags}
}

func (r *Run) texts() [6]*string {
	return [...]*string{&r.Name, &r.Type, &r.Project, &r.Order, &r.ProjectID, &r.Example}
}

// AppendBinary appends the run as ReadBinary reads it; it never fails.
func (r *Run) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, codecVersion)
	b = append(append(append(b, r.ID[:]...), r.Trace[:]...), r.Parent[:]...)
	posted := byte(0)
	if r.Posted {
		posted = 1
	}
	b = append(b, posted)
	b = binary.AppendUvarint(b, uint64(r.patched))
	b = binary.AppendVarint(b, r.Start)
	b = binary.AppendVarint(b, r.End)
	b = binary.AppendUvarint(b, uint64(r.attachments))
	for _, t := range r.texts() {
		b = binary.AppendUvarint(b, uint64(len(*t)))
		b = append(b, *t...)
	}
	for _, p := range r.parts() {
		b = binary.AppendUvarint(b, uint64(len(*p)))
		b = append(b, *p...)
	}
	return b, nil
}

// ReadBinary reads a run off b and gives what is behind it. The error, of kind
// Invalid, means that b was damaged or written by a newer version.
func (r *Run) ReadBinary(b []byte) (rest []byte, err error) {
	d := decoder{b: b}
	if v := d.take(1); v == nil || v[0] != codecVersion {
		return nil, errDamaged
	}
	*r = Run{ID: d.id(), Trace: d.id(), Parent: d.id()}
	if v := d.take(1); v != nil {
		r.Posted = v[0] != 0
	}
	r.patched = uint32(d.uvarint())
	r.Start, r.End = d.varint(), d.varint()
	r.attachments = int(d.uvarint())
	for _, t := range r.texts() {
		*t = string(d.bytes())
	}
	for _, p := range r.parts() {
		if v := d.bytes(); len(v) > 0 {
			*p = append([]byte(nil), v...)
		}
	}
	if d.bad {
		return nil, errDamaged
	}
	return d.b, nil
}

var errDamaged = telemetry.Errorf(telemetry.Invalid, "a run that was kept does not decode")

type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) take(n int) []byte {
	if d.bad || n < 0 || n > len(d.b) {
		d.bad = true
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) id() (id ID) {
	copy(id[:], d.take(16))
	return id
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.bad = true
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad = true
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.bad = true
		return nil
	}
	return d.take(int(n))
}
