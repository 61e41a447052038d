package otlp

// Skimmer is a TraceVisitor that may know a span before it is scanned: it is told
// each span's encoded message, without tag and length, and says whether it has dealt
// with it. Those that it has not are scanned and told by Span. It says so of well-formed
// spans only, which those are that fit a Mold.
type Skimmer interface {
	Skim(raw []byte) bool
}

// Outline is what a span says that a Mold cannot know: its ids, its times and the
// values of some attributes. The zero value is ready, and is used again for the next
// span. Its bytes alias the span.
type Outline struct {
	TraceID          [16]byte
	SpanID, ParentID [8]byte
	Start, End       uint64 // Unix nanoseconds
	// Values are those of the attributes that the Mold takes, in their order, once
	// the span was found to fit.
	Values []Value

	said []byte // name and kind, encoded
	rest []byte // attributes, and what stands behind them
}

// Read reads ids and times of an encoded Span. It gives false for one that is not
// written as nearly every encoder writes spans: ids, what else is told of the trace, a
// name of fewer than 128 bytes, kind, times, attributes, in this order. Such a span fits
// no mold.
func (o *Outline) Read(b []byte) bool {
	const ids, times = 2 + 16 + 2 + 8, 2 * (1 + 8)
	if len(b) < ids || b[0] != 1<<3|wireLen || b[1] != 16 || b[18] != 2<<3|wireLen || b[19] != 8 {
		return false
	}
	o.TraceID, o.SpanID, o.ParentID = [16]byte(b[2:]), [8]byte(b[20:]), [8]byte{}
	b = b[ids:]
	for len(b) >= 10 && b[0] != 5<<3|wireLen {
		switch {
		case b[0] == 4<<3|wireLen && b[1] == 8:
			o.ParentID = [8]byte(b[2:])
			b = b[10:]
		case b[0] == 0x85 && b[1] == 0x01:
			b = b[2+4:] // flags, field 16
		case b[0] == 3<<3|wireLen && b[1] < 0x80 && int(b[1]) <= len(b)-2:
			b = b[2+int(b[1]):] // the trace's state
		default:
			return false
		}
	}
	if len(b) < 2 || b[0] != 5<<3|wireLen || b[1] >= 0x80 {
		return false
	}
	n := 2 + int(b[1])
	if len(b) >= n+2 && b[n] == 6<<3|wireVarint && b[n+1] < 0x80 {
		n += 2
	}
	if len(b) < n+times || b[n] != 7<<3|wireI64 || b[n+9] != 8<<3|wireI64 {
		return false
	}
	o.Start, _ = fixed64(b, n+1)
	o.End, _ = fixed64(b, n+10)
	o.said, o.rest = b[:n], b[n+times:]
	return true
}

// Said gives the span's name and kind as they are encoded: equal bytes are spans of
// one name and kind.
func (o *Outline) Said() []byte { return o.said }

// Treatment says what a Mold does with an attribute.
type Treatment uint8

// The treatments.
const (
	// Same attributes have the value of the span that the mold was made of, byte for byte.
	Same Treatment = iota
	// Skip attributes have any value, which nobody is told.
	Skip
	// Take attributes have any value but none and the empty text; Outline.Values has it.
	Take
)

// Mold is all that spans of one kind have in common, as bytes: services make millions
// of spans of a few dozen kinds, and comparing one with what is known takes a quarter of
// the time that reading it takes. Not safe for concurrent use.
type Mold struct {
	said  string
	parts []moldPart
	runs  []moldRun
	tail  string // what stands behind the attributes
}

// moldPart is an attribute.
type moldPart struct {
	field     string // as it was in the span that the mold was made of, with its tag and length
	key       string // of that, the key with tag and length, and the tag of the value
	treatment Treatment
	// varies tells of one to skip that a span had otherwise, or that is too long to be
	// compared for nothing.
	varies bool
}

// moldRun is attributes in a row. Nearly always they are as they were, also those that
// may be otherwise, so that one comparison does for all of them.
type moldRun struct {
	fields string // "" if they are known to vary
	parts  []moldPart
}

// The bounds of what a mold is made of, in bytes.
const (
	moldBytes = 4 << 10 // that are to be the same
	moldTail  = 64
	moldSkip  = 96 // of an attribute to skip, for it to be compared
)

// NewMold makes the mold of a scanned span: treat says what to do with its attributes,
// one for each and in their order. It gives nil for a span that has no mold: one that is
// no Outline, or written in an unusual way, or of which too much is to be the same.
// Encoders may write fields in any order, and where JSON names a parent behind the
// attributes, so is it written here: what the Outline reads has to stand in front of them.
func NewMold(sp *Span, treat []Treatment) *Mold {
	var o Outline
	if !o.Read(sp.Raw) {
		return nil
	}
	m := &Mold{said: string(o.said)}
	b, size := o.rest, 0
	for _, t := range treat {
		if len(b) == 0 || b[0] != 9<<3|wireLen {
			return nil
		}
		kv, end := chunk(b, 1)
		if end < 0 {
			return nil
		}
		n := 0
		if len(kv) >= 2 && kv[0] == 1<<3|wireLen && kv[1] < 0x80 {
			n = 2 + int(kv[1])
		}
		if n == 0 || len(kv) < n+2 || kv[n] != 2<<3|wireLen {
			return nil
		}
		p := moldPart{key: string(kv[:n+1]), treatment: t, varies: t == Take || t == Skip && end > moldSkip}
		if !p.varies {
			p.field = string(b[:end])
		}
		if size += len(p.key) + len(p.field); size > moldBytes {
			return nil
		}
		m.parts = append(m.parts, p)
		b = b[end:]
	}
	if len(b) > moldTail || outlined(b) {
		return nil
	}
	m.tail = string(b)
	m.cut()
	return m
}

// outlined tells whether the rest of a span holds a field that an Outline reads, or an
// attribute.
func outlined(b []byte) bool {
	for i := 0; i < len(b); {
		tag, at := varint(b, i)
		if at < 0 {
			return true
		}
		if number := tag >> 3; number <= 9 && number != 3 {
			return true
		}
		if i = skipWire(b, at, int(tag&7)); i < 0 {
			return true
		}
	}
	return false
}

// cut puts the attributes that do not vary into runs.
func (m *Mold) cut() {
	m.runs = m.runs[:0]
	for from := 0; from < len(m.parts); {
		to := from + 1
		for to < len(m.parts) && m.parts[to].varies == m.parts[from].varies {
			to++
		}
		var fields []byte
		for _, p := range m.parts[from:to] {
			if !p.varies {
				fields = append(fields, p.field...)
			}
		}
		m.runs = append(m.runs, moldRun{string(fields), m.parts[from:to]})
		from = to
	}
}

// Fits tells whether a span, whose outline was read, is one of those that the mold was
// made for, and sets the outline's values if so. Spans that fit are well-formed: they
// differ from one that is in values alone, and these are validated.
func (m *Mold) Fits(o *Outline) bool {
	if string(o.said) != m.said {
		return false
	}
	o.Values = o.Values[:0]
	b, varied := o.rest, false
	for i := range m.runs {
		r := &m.runs[i]
		if n := len(r.fields); n > 0 && len(b) >= n && string(b[:n]) == r.fields {
			b = b[n:]
			continue
		}
		for k := range r.parts {
			p := &r.parts[k]
			n, skipped := p.fits(b, o)
			if n < 0 {
				return false
			}
			if skipped && !p.varies {
				p.varies, varied = true, true
			}
			b = b[n:]
		}
	}
	if string(b) != m.tail {
		return false
	}
	if varied {
		m.cut()
	}
	return true
}

// fits gives the length of the field with which b begins, -1 if that is not what the
// attribute may be. skipped tells that it is not what it was.
func (p *moldPart) fits(b []byte, o *Outline) (size int, skipped bool) {
	if n := len(p.field); n > 0 && len(b) >= n && string(b[:n]) == p.field {
		return n, false
	}
	if p.treatment == Same || len(b) < 3 || b[0] != 9<<3|wireLen {
		return -1, false
	}
	n, at := int(b[1]), 2
	if n >= 0x80 {
		if n, at = n&0x7f|int(b[2])<<7, 3; n >= 0x80<<7 {
			long, end := varint(b, 1)
			if end < 0 || long > uint64(len(b)) {
				return -1, false
			}
			n, at = int(long), end
		}
	}
	key := len(p.key)
	if n <= key || n > len(b)-at || string(b[at:at+key]) != p.key {
		return -1, false
	}
	value := b[at+key : at+n]
	if p.treatment == Skip {
		var v Value
		if !plainText(value) && !wholeValue(value, &v) {
			return -1, false
		}
		return at + n, true
	}
	o.Values = append(o.Values, Value{})
	v := &o.Values[len(o.Values)-1]
	if !wholeValue(value, v) || v.Type == Empty || (v.Type == String || v.Type == Bytes) && len(v.Bytes) == 0 {
		return -1, false
	}
	return at + n, true
}

// plainText tells whether b is the length of an AnyValue, and that a text, and nothing
// else, as long as it has fewer than 126 bytes.
func plainText(b []byte) bool {
	return len(b) >= 3 && int(b[0]) == len(b)-1 && b[1] == 1<<3|wireLen && int(b[2]) == len(b)-3 && len(b) <= 0x80
}

// wholeValue reads into v an AnyValue of which b has the length and the content, and
// nothing else; v is to be the zero value.
func wholeValue(b []byte, v *Value) bool {
	part, end := chunk(b, 0)
	if end != len(b) {
		return false
	}
	if len(part) >= 2 {
		switch part[0] {
		case 1<<3 | wireLen:
			if text, end := chunk(part, 1); end == len(part) {
				v.Type, v.Bytes = String, text
				return true
			}
		case 3<<3 | wireVarint:
			if n, end := varint(part, 1); end == len(part) {
				v.Type, v.Num = Int, n
				return true
			}
		}
	}
	return readValue(part, v, 1)
}

// Forget lets go of the span that was read.
func (o *Outline) Forget() {
	clear(o.Values[:cap(o.Values)])
	*o = Outline{Values: o.Values[:0]}
}
