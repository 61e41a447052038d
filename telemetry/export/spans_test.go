package export

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func specsGen(rt *rapid.T) []spanSpec {
	n := rapid.IntRange(1, 30).Draw(rt, "spans")
	specs := make([]spanSpec, n)
	for i := range specs {
		specs[i] = spanSpec{
			id:      uint64(i + 1),
			trace:   uint64(rapid.IntRange(1, 5).Draw(rt, "trace")),
			project: rapid.SampledFrom([]string{"", "", "a", "b"}).Draw(rt, "project"),
			pad:     rapid.IntRange(0, 3).Draw(rt, "pad"),
		}
	}
	return specs
}

// Halving until nothing can be halved gives every span once, in order, as it was.
func TestHalvesArePartitions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		specs := specsGen(rt)
		whole := &batch{}
		for chunk := range slices.Chunk(specs, rapid.IntRange(1, 30).Draw(rt, "record")) {
			whole.pieces = append(whole.pieces, piece{ticket: &ticket{}, spans: int64(len(chunk)), data: encode(t, chunk)})
			whole.spans += int64(len(chunk))
		}
		var got []spanSpec
		work := []*batch{whole}
		for len(work) > 0 {
			b := work[len(work)-1]
			work = work[:len(work)-1]
			left, right, ok := b.halves()
			if ok {
				if left.spans+right.spans != b.spans || left.spans < 1 || right.spans < 1 {
					rt.Fatalf("%d spans are split into %d and %d", b.spans, left.spans, right.spans)
				}
				work = append(work, right, left)
				continue
			}
			if b.spans != 1 {
				rt.Fatalf("%d spans are not split", b.spans)
			}
			got = append(got, decode(t, b.pieces[0].data)...)
		}
		if !slices.Equal(got, specs) {
			rt.Fatalf("got %+v, want %+v", got, specs)
		}
	})
}

// Shares hold every span once, a trace that names one project whole, and their
// number is the record's.
func TestSharesArePartitions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		specs := specsGen(rt)
		parts, err := shares(encode(t, specs), "langsmith.trace.session_name", "fallback", int64(len(specs)))
		if err != nil {
			rt.Fatal(err)
		}
		var spans int64
		var got []uint64
		projectsOf := map[uint64]map[string]bool{}
		for _, part := range parts {
			spans += part.spans
			for _, span := range decode(t, part.data) {
				got = append(got, span.id)
				if span.project != "" && span.project != part.project {
					rt.Fatalf("a span of %q went to %q", span.project, part.project)
				}
				if projectsOf[span.trace] == nil {
					projectsOf[span.trace] = map[string]bool{}
				}
				projectsOf[span.trace][part.project] = true
			}
		}
		slices.Sort(got)
		for i, id := range got {
			if id != uint64(i+1) {
				rt.Fatalf("got spans %v", got)
			}
		}
		if len(got) != len(specs) || spans != int64(len(specs)) {
			rt.Fatalf("%d spans, counted %d, want %d", len(got), spans, len(specs))
		}
		for trace, projects := range projectsOf {
			named := map[string]bool{}
			for _, spec := range specs {
				if spec.trace == trace && spec.project != "" {
					named[spec.project] = true
				}
			}
			if len(named) < 2 && len(projects) > 1 {
				rt.Fatalf("trace %d was torn apart: %v", trace, projects)
			}
		}
	})
}

// Fields that this program does not know stay where they are.
func TestSelectKeepsUnknownFields(t *testing.T) {
	request := encode(t, ids(1, 4))
	unknown := []byte{0xfa, 0x7f, 0x02, 'h', 'i'} // field 2047, two bytes
	out, kept, err := selectSpans(append(slices.Clone(request), unknown...), func([]byte) bool { return true })
	if err != nil || kept != 4 || !bytes.HasSuffix(out, unknown) || !bytes.Equal(out[:len(request)], request) {
		t.Errorf("kept %d in %x (%v)", kept, out, err)
	}
	out, kept, err = selectSpans(request, func([]byte) bool { return false })
	if err != nil || kept != 0 || len(out) != 0 {
		t.Errorf("nothing kept gives %x (%v)", out, err)
	}
}

// Any bytes are either told malformed or fall into spans that add up.
func FuzzSelectSpans(f *testing.F) {
	f.Add(encode(f, ids(1, 5)))
	f.Add(encode(f, []spanSpec{{id: 1, project: "a"}, {id: 2, project: "b"}}))
	f.Add([]byte{0x0a, 0x05, 0x12, 0x03, 0x12, 0x01, 0xff})
	f.Add([]byte{0x0b, 0x0c})
	f.Fuzz(func(t *testing.T, request []byte) {
		var total, index int64
		if err := eachSpan(request, func([]byte) { total++ }); err != nil {
			if _, _, err := selectSpans(request, func([]byte) bool { return true }); err == nil {
				t.Fatal("reading refuses what selecting takes")
			}
			return
		}
		even, n, err := selectSpans(request, func([]byte) bool { index++; return index%2 == 0 })
		if err != nil || n != total/2 || index != total {
			t.Fatalf("selected %d of %d (%v)", n, total, err)
		}
		var again int64
		if err := eachSpan(even, func([]byte) { again++ }); err != nil || again != n {
			t.Fatalf("%d spans in the selection of %d (%v)", again, n, err)
		}
		parts, err := shares(request, "langsmith.trace.session_name", "x", total)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range parts {
			total -= part.spans
		}
		if total != 0 {
			t.Fatalf("shares differ by %d", total)
		}
	})
}
