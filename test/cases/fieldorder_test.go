package cases

import (
	"math/rand/v2"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"treq/telemetry/understand"
)

// TestTheOrderOfFieldsChangesNothing: encoders may write the fields of a span in any
// order, and JSON may name them in any: a span that names its parent last, or is written
// in any other order, counts for what it counts in the order of the SDKs.
func TestTheOrderOfFieldsChangesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for what, reorder := range map[string]func([][]byte){
		"parent last": func(fields [][]byte) {
			slices.SortStableFunc(fields, func(x, y []byte) int { return rankOf(x) - rankOf(y) })
		},
		"any": func(fields [][]byte) {
			// Attributes keep their order: what is told twice is told in that order.
			r.Shuffle(len(fields), func(i, j int) {
				if number(fields[i]) != fieldAttributes && number(fields[j]) != fieldAttributes {
					fields[i], fields[j] = fields[j], fields[i]
				}
			})
		},
	} {
		t.Run(what, func(t *testing.T) {
			for _, c := range told(t) {
				w := newWitness()
				e, err := understand.New(configOf(t, &c), w)
				if err != nil {
					t.Fatal(err)
				}
				for _, request := range c.Requests {
					if err := e.Traces(epoch, 0, rewrite(t, request, 0, reorder)); err != nil {
						t.Fatal(err)
					}
				}
				e.Flush()
				w.settle()
				want := play(t, &c)
				want.Truth.Feedback = nil // judgements come beside spans
				if diff := difference(want.Truth, w.Truth); diff != "" {
					t.Errorf("%s (- in the usual order, + in this one):\n%s", c.Name, diff)
				}
			}
		})
	}
}

const fieldAttributes = 9

func number(field []byte) protowire.Number {
	n, _, _ := protowire.ConsumeTag(field)
	return n
}

// rankOf puts the parent behind all other fields.
func rankOf(field []byte) int {
	if number(field) == 4 {
		return 1
	}
	return 0
}

// rewrite writes a message anew whose spans are so many messages of field 2 below
// that of field 1, with the fields of these reordered.
func rewrite(t *testing.T, message []byte, depth int, reorder func([][]byte)) []byte {
	t.Helper()
	var fields [][]byte
	for rest := message; len(rest) > 0; {
		number, kind, size := protowire.ConsumeTag(rest)
		if size < 0 {
			t.Fatal(protowire.ParseError(size))
		}
		n := protowire.ConsumeFieldValue(number, kind, rest[size:])
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		field := rest[:size+n]
		if depth < 3 && number == [...]protowire.Number{1, 2, 2}[depth] {
			inner, _ := protowire.ConsumeBytes(rest[size:])
			field = protowire.AppendBytes(protowire.AppendTag(nil, number, kind), rewrite(t, inner, depth+1, reorder))
		}
		fields = append(fields, field)
		rest = rest[size+n:]
	}
	if depth == 3 {
		reorder(fields)
	}
	return slices.Concat(fields...)
}
