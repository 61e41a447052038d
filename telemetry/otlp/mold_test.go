package otlp

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// lookOne keeps a copy of the one span that a scan tells, and its attributes.
type lookOne struct{ spans []Span }

func (*lookOne) Resource(*Resource) {}
func (*lookOne) Scope(*Scope)       {}

func (l *lookOne) Span(sp *Span) {
	one := *sp
	one.Attributes = append([]Attribute(nil), sp.Attributes...)
	l.spans = append(l.spans, one)
}

// scannedSpan scans one encoded Span; nil if it is malformed.
func scannedSpan(raw []byte) *Span {
	scope := appendTag(nil, 2, wireLen)
	scope = append(appendVarint(scope, uint64(len(raw))), raw...)
	resource := appendTag(nil, 2, wireLen)
	resource = append(appendVarint(resource, uint64(len(scope))), scope...)
	body := appendTag(nil, 1, wireLen)
	body = append(appendVarint(body, uint64(len(resource))), resource...)
	var l lookOne
	if err := new(Scanner).Traces(body, &l); err != nil {
		return nil
	}
	return &l.spans[0]
}

// TestWhatFitsIsWhatAScanFinds: a span that fits a mold is well-formed, has the name,
// kind, status and same attributes of the span that the mold was made of, and ids, times
// and taken values are those that a scan tells of it.
func TestWhatFitsIsWhatAScanFinds(t *testing.T) {
	r := random{rand.New(rand.NewPCG(7, 7))}
	fitted, molds := 0, 0
	for range 2000 {
		data := r.span()
		data.Name, data.Events, data.StatusMessage = "span", nil, ""
		data.Start, data.End = 1+r.Uint64(), 1+r.Uint64()
		raw := AppendSpan(nil, &data)
		model := scannedSpan(raw)
		if model == nil {
			t.Fatal("a built span is malformed")
		}
		treat := make([]Treatment, len(model.Attributes))
		for i := range treat {
			treat[i] = Treatment(r.IntN(3))
		}
		m := NewMold(model, treat)
		if m == nil {
			continue
		}
		molds++
		for range 20 {
			one := data
			one.Start, one.End = r.Uint64(), r.Uint64()
			one.SpanID[r.IntN(8)]++
			one.Attributes = append([]KV(nil), data.Attributes...)
			if n := len(one.Attributes); n > 0 {
				i := r.IntN(n)
				one.Attributes[i] = r.kv(3)
				one.Attributes[i].key = data.Attributes[i].key
			}
			raw := AppendSpan(nil, &one)
			if r.IntN(2) == 0 {
				raw = r.mutate(raw)
			}
			var o Outline
			if !o.Read(raw) || !m.Fits(&o) {
				continue
			}
			fitted++
			heldToTheScan(t, &o, model, treat, scannedSpan(raw))
		}
	}
	if molds < 500 || fitted < molds {
		t.Errorf("%d spans fit %d molds: too few to prove anything", fitted, molds)
	}
}

func heldToTheScan(t *testing.T, o *Outline, model *Span, treat []Treatment, sp *Span) {
	t.Helper()
	if sp == nil {
		t.Fatal("a malformed span fits")
	}
	if o.TraceID != sp.TraceID || o.SpanID != sp.SpanID || o.ParentID != sp.ParentID || o.Start != sp.Start || o.End != sp.End {
		t.Fatalf("outline %+v, scanned %+v", o, sp)
	}
	if string(sp.Name) != string(model.Name) || sp.Kind != model.Kind || sp.Status != model.Status || len(sp.StatusMessage) > 0 {
		t.Fatalf("fits, but is %q %d %d, not %q %d %d", sp.Name, sp.Kind, sp.Status, model.Name, model.Kind, model.Status)
	}
	if len(sp.Attributes) != len(model.Attributes) {
		t.Fatalf("fits with %d attributes, not %d", len(sp.Attributes), len(model.Attributes))
	}
	taken := 0
	for i, a := range sp.Attributes {
		if !bytes.Equal(a.Key, model.Attributes[i].Key) {
			t.Fatalf("attribute %d is %q, not %q", i, a.Key, model.Attributes[i].Key)
		}
		switch treat[i] {
		case Same:
			if want := model.Attributes[i].Value; !equalValues(a.Value, want) {
				t.Fatalf("attribute %d is %.100s, to be the same as %.100s", i, valueText(a.Value), valueText(want))
			}
		case Take:
			if got := o.Values[taken]; !equalValues(a.Value, got) {
				t.Fatalf("attribute %d is %.100s, taken as %.100s", i, valueText(a.Value), valueText(got))
			}
			if a.Value.Type == Empty || (a.Value.Type == String || a.Value.Type == Bytes) && len(a.Value.Bytes) == 0 {
				t.Fatalf("attribute %d is taken and says nothing", i)
			}
			taken++
		}
	}
	if taken != len(o.Values) {
		t.Fatalf("%d values are taken, want %d", len(o.Values), taken)
	}
}

// TestFieldsBehindTheAttributesAreRead: encoders may write a span's fields in any order,
// and one that tells its parent, its times or its name last is what a scan says it is.
func TestFieldsBehindTheAttributesAreRead(t *testing.T) {
	attribute := func() []byte {
		data := SpanData{TraceID: [16]byte{1}, SpanID: [8]byte{1}, Name: "n", Start: 1, End: 2, Attributes: []KV{Str("key", "x")}}
		raw := AppendSpan(nil, &data)
		var o Outline
		if !o.Read(raw) {
			t.Fatal("a built span has no outline")
		}
		return raw
	}
	parent := append(appendTag(nil, 4, wireLen), 8, 1, 2, 3, 4, 5, 6, 7, 8)
	name := append(appendTag(nil, 5, wireLen), 1, 'm')
	kind := append(appendTag(nil, 6, wireVarint), 2)
	start := append(appendTag(nil, 7, wireI64), 9, 0, 0, 0, 0, 0, 0, 0)
	end := append(appendTag(nil, 8, wireI64), 9, 0, 0, 0, 0, 0, 0, 0)
	trace := append(append(appendTag(nil, 1, wireLen), 16), make([]byte, 16)...)
	state := append(appendTag(nil, 3, wireLen), 1, 'x')
	for what, behind := range map[string][]byte{
		"parent": parent, "name": name, "kind": kind, "start": start, "end": end, "trace": trace,
		"state and parent": append(bytes.Clone(state), parent...), "nothing": nil, "state": state,
	} {
		raw := append(attribute(), behind...)
		model := scannedSpan(raw)
		if model == nil {
			t.Fatalf("%s: malformed", what)
		}
		treat := []Treatment{Same}
		m := NewMold(model, treat)
		if fits := what == "nothing" || what == "state"; (m != nil) != fits {
			t.Errorf("%s behind the attributes: a mold %t, want %t", what, m != nil, fits)
		}
		var o Outline
		if m != nil && o.Read(raw) && m.Fits(&o) {
			heldToTheScan(t, &o, model, treat, model)
		}
	}
}

// TestLongValuesFit: lengths of one, two and three bytes, on either side of their borders.
func TestLongValuesFit(t *testing.T) {
	span := func(n int, treat Treatment) (*Mold, *Span, []byte) {
		data := SpanData{TraceID: [16]byte{1}, SpanID: [8]byte{1}, Name: "n", Start: 1, End: 2, Attributes: []KV{
			Str("key", string(bytes.Repeat([]byte{'x'}, n))), I64("n", 3),
		}}
		raw := AppendSpan(nil, &data)
		sp := scannedSpan(raw)
		return NewMold(sp, []Treatment{treat, Take}), sp, raw
	}
	for _, treat := range []Treatment{Skip, Take} {
		m, model, _ := span(5, treat)
		for _, n := range []int{1, 100, 110, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 16350, 16383, 16384, 16390, 1 << 21, 1<<21 + 1} {
			_, sp, raw := span(n, treat)
			var o Outline
			if !o.Read(raw) || !m.Fits(&o) {
				t.Errorf("a value of %d bytes, treated as %d, does not fit", n, treat)
				continue
			}
			heldToTheScan(t, &o, model, []Treatment{treat, Take}, sp)
		}
	}
}

func equalValues(a, b Value) bool {
	return a.Type == b.Type && a.Num == b.Num && bytes.Equal(a.Bytes, b.Bytes)
}
