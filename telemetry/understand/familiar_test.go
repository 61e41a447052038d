package understand

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"treq/telemetry/otlp"
	"treq/test/recorded"
)

// requests gives every request of traces of the recorded clients and of the scripts.
func requests(t *testing.T) (all [][]byte) {
	t.Helper()
	for _, c := range recorded.Load(t) {
		all = append(all, c.Requests...)
	}
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, cases := parseCases(string(text))
		for _, c := range cases {
			s := parseScript(t, c.script)
			for i := range s.steps {
				if s.steps[i].post == nil {
					all = append(all, s.steps[i].request())
				}
			}
		}
	}
	return all
}

// twin understands each span twice: as familiar, where it is, and by reading it whole.
type twin struct {
	t         *testing.T
	short     *Reader
	whole     *Reader
	known     familiars
	shapes    shapes
	outline   otlp.Outline
	read, fit int
	// learns has spans learnt from once they were compared.
	learns bool
}

func newTwin(t *testing.T) *twin {
	c := DefaultConfig()
	c.Entries = []Rule{{Name: "chat_endpoint"}}
	w := &twin{t: t, learns: true}
	for _, r := range []**Reader{&w.short, &w.whole} {
		made, err := NewReader(c)
		if err != nil {
			t.Fatal(err)
		}
		*r = made
	}
	return w
}

func (w *twin) Resource(r *otlp.Resource) {
	w.short.Resource(r)
	w.whole.Resource(r)
}

func (w *twin) Scope(s *otlp.Scope) {
	w.short.Scope(s)
	w.whole.Scope(s)
}

func (w *twin) Span(sp *otlp.Span) {
	w.t.Helper()
	var want, got Span
	w.whole.Read(sp, &want)
	w.read++
	if w.outline.Read(sp.Raw) {
		if f := w.known.find(&w.outline, w.short); f != nil && w.short.again(f, &w.outline, &got) {
			w.fit++
			for _, name := range f.unmapped {
				w.short.unmapped.note(name, w.short.texts)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				w.t.Fatalf("span %q (-read +familiar):\n%s", sp.Name, diff)
			}
			if !f.shape.says(&want) {
				w.t.Fatalf("span %q does not have the shape of its familiar, %+v", sp.Name, f.shape)
			}
			if diff := cmp.Diff(w.whole.rejected.n, w.short.rejected.n); diff != "" {
				w.t.Fatalf("span %q: refused (-read +familiar):\n%s", sp.Name, diff)
			}
			if diff := cmp.Diff(fmt.Sprint(w.whole.unmapped), fmt.Sprint(w.short.unmapped)); diff != "" {
				w.t.Fatalf("span %q: unmapped (-read +familiar):\n%s", sp.Name, diff)
			}
		} else if w.short.rejected.any {
			w.t.Fatalf("span %q is not familiar, and values of it were refused", sp.Name)
		}
	}
	w.short.rejected, w.whole.rejected = rejections{}, rejections{}
	w.short.unmapped, w.whole.unmapped = unmapped{}, unmapped{}
	if w.learns {
		w.short.Read(sp, &got)
		w.known.credit = mostCredit
		w.known.learn(w.short, sp, &got, w.shapes.of(&got))
		w.short.rejected, w.short.unmapped = rejections{}, unmapped{}
	}
}

// renewed gives a copy of a request whose spans have other ids, kept apart by n.
func renewed(body []byte, n uint16) []byte {
	body = bytes.Clone(body)
	_ = new(otlp.Scanner).Traces(body, eachSpan(func(sp *otlp.Span) {
		for raw := sp.Raw; len(raw) > 0; {
			number, _, size := protowire.ConsumeField(raw)
			if number == 1 && size == 18 {
				binary.BigEndian.PutUint16(raw[2:], n^binary.BigEndian.Uint16(raw[2:]))
			}
			raw = raw[size:]
		}
	}))
	return body
}

type eachSpan func(*otlp.Span)

func (eachSpan) Resource(*otlp.Resource) {}
func (eachSpan) Scope(*otlp.Scope)       {}
func (f eachSpan) Span(sp *otlp.Span)    { f(sp) }

// TestFamiliarSpansAreReadAsAllAre: what is told of a span that fits a familiar one is
// what reading it whole tells, whatever its figures; so it is for all spans of the
// recorded clients and of the scripts, as they came and with values changed.
func TestFamiliarSpansAreReadAsAllAre(t *testing.T) {
	all := requests(t)
	r := rand.New(rand.NewPCG(3, 3))
	w := newTwin(t)
	var s otlp.Scanner
	for range 2 {
		for i, body := range all {
			if err := s.Traces(renewed(body, uint16(i)), w); err != nil {
				t.Fatal(err)
			}
		}
	}
	if w.fit < w.read/3 {
		t.Errorf("of %d spans that came twice %d were familiar", w.read, w.fit)
	}
	w.learns = false
	w.read, w.fit = 0, 0
	for _, body := range all {
		var spans [][]byte
		if err := s.Traces(body, eachSpan(func(sp *otlp.Span) { spans = append(spans, sp.Raw) })); err != nil {
			t.Fatal(err)
		}
		// Resource and scope are those of the request.
		if err := s.Traces(body, w); err != nil {
			t.Fatal(err)
		}
		for _, raw := range spans {
			for range 30 {
				changed := otherwise(r, raw)
				var o otlp.Outline
				fits := o.Read(changed) && w.known.find(&o, w.short) != nil
				told := false
				err := s.Traces(wrapped(changed), eachSpan(func(sp *otlp.Span) {
					told = true
					w.Span(sp)
				}))
				if fits && (err != nil || !told) {
					t.Fatalf("a malformed span is familiar: %v", err)
				}
			}
		}
	}
	if w.fit < w.read/20 {
		t.Errorf("of %d spans with other values %d were familiar: too few to prove anything", w.read, w.fit)
	}
}

// wrapped makes a request of one encoded span.
func wrapped(raw []byte) []byte {
	for _, number := range []protowire.Number{2, 2, 1} {
		raw = protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), raw)
	}
	return raw
}

// TestFamiliarSpansCountAsAllDo: an engine to which spans become familiar tells what one
// tells that reads them all, and is in the same state in the end; also where what becomes
// familiar is written as no SDK writes it.
func TestFamiliarSpansCountAsAllDo(t *testing.T) {
	all := requests(t)
	t.Run("recorded", func(t *testing.T) { countAlike(t, all, 50) })
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("changed ", seed), func(t *testing.T) { countAlike(t, variants(rand.New(rand.NewPCG(seed, 7)), all), 20) })
	}
}

// countAlike holds the two engines to each other; at least so many familiar spans have to
// come again.
func countAlike(t *testing.T, all [][]byte, least int) {
	short, shortRec := newEngine(t, DefaultConfig())
	whole, wholeRec := newEngine(t, DefaultConfig())
	whole.familiars.off = true
	r := rand.New(rand.NewPCG(5, 5))
	at := epoch
	for n := range 3000 {
		body := all[r.IntN(len(all))]
		if n%5 > 0 { // else spans come again
			body = renewed(body, uint16(n))
		}
		at = at.Add(time.Duration(r.IntN(1000)) * time.Millisecond)
		for _, e := range []*Engine{short, whole} {
			if err := e.Traces(at, uint8(n%3/2), body); err != nil {
				t.Fatal(err)
			}
		}
		if len(shortRec.lines) != len(wholeRec.lines) {
			break
		}
	}
	if diff := cmp.Diff(wholeRec.lines, shortRec.lines); diff != "" {
		t.Fatalf("(-all read +familiar):\n%.3000s", diff)
	}
	a, err := short.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	b, err := whole.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("the same was told, and the states differ")
	}
	if diff := cmp.Diff(whole.horizon.Export(nil, 0), short.horizon.Export(nil, 0)); diff != "" {
		t.Error("the spans seen differ")
	}
	used := 0
	for _, set := range short.familiars.sets {
		for _, f := range set {
			if f != nil && f.used > 0 {
				used++
			}
		}
	}
	if used < least {
		t.Errorf("%d familiar spans came again: too few to prove anything", used)
	}
}

// TestLearningIsBounded: of spans whose words never repeat one in so many is learnt from,
// and no more are kept than there is room for; those that come again and again are found
// all the same.
func TestLearningIsBounded(t *testing.T) {
	e, _ := newEngine(t, DefaultConfig())
	const spans = 60_000
	one := func(n int, name string) {
		s := step{resource: "app", span: &otlp.SpanData{
			TraceID: [16]byte{1, byte(n >> 16), byte(n >> 8), byte(n)}, SpanID: [8]byte{1}, Name: name, Start: 1, End: 2,
		}}
		if err := e.Traces(epoch, 0, s.request()); err != nil {
			t.Fatal(err)
		}
	}
	for n := range spans {
		one(n, fmt.Sprint("GET /items/", n))
		if n%1000 == 0 {
			one(spans+n, "GET /items")
		}
	}
	kept, found := 0, uint32(0)
	for _, set := range e.familiars.sets {
		for _, f := range set {
			if f != nil {
				kept++
				found += f.used
			}
		}
	}
	if most := min(familiarSets*len(familiarSet{}), (mostCredit+spans)/learning+1); kept > most || kept < 500 {
		t.Errorf("%d of %d spans are familiar, at most %d should be", kept, spans, most)
	}
	for range 2 * learning {
		one(2*spans+kept, "GET /items")
		kept++
	}
	again := uint32(0)
	for _, set := range e.familiars.sets {
		for _, f := range set {
			if f != nil {
				again += f.used
			}
		}
	}
	if again <= found {
		t.Error("a span that came many times never became familiar")
	}
}
