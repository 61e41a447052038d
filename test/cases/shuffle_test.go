package cases

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"treq/telemetry/understand"
	"treq/test/recorded"
)

// group is cases that one configuration can count side by side.
type group struct {
	config understand.Config
	cases  []member
}

// member is a case with its spans and with what they give on their own.
type member struct {
	recorded.Case
	pieces []piece
	alone  *witness
}

func groups(t testing.TB) []group {
	byPreset := map[string]*group{}
	for _, c := range told(t) {
		config := configOf(t, &c)
		g := byPreset[config.Preset]
		if g == nil {
			g = &group{config: config}
			byPreset[config.Preset] = g
		}
		alone := play(t, &c)
		alone.Truth.Feedback = nil // judgements come beside spans
		g.cases = append(g.cases, member{c, piecesOf(t, &c), alone})
	}
	var all []group
	for _, preset := range slices.Sorted(maps.Keys(byPreset)) {
		all = append(all, *byPreset[preset])
	}
	return all
}

// TestOrderSplitsAndDuplicatesChangeNothing: the spans of several cases in any
// order, mixed, in batches of any size, some spans and some whole batches sent
// again, give what the cases give on their own; and at every moment each span that
// came is open or has one disposition.
func TestOrderSplitsAndDuplicatesChangeNothing(t *testing.T) {
	all := groups(t)
	rapid.Check(t, func(rt *rapid.T) {
		g := all[rapid.IntRange(0, len(all)-1).Draw(rt, "group")]
		var pieces []piece
		want := map[string]int64{}
		most := min(3, len(g.cases))
		if g.config.Preset != "" {
			most = 1 // whose chats have calls in traces of their own, which name a service only
		}
		for range rapid.IntRange(1, most).Draw(rt, "cases") {
			i := rapid.IntRange(0, len(g.cases)-1).Draw(rt, "case")
			pieces = append(pieces, g.cases[i].pieces...)
			add(want, g.cases[i].alone)
			g.cases = slices.Delete(slices.Clone(g.cases), i, i+1)
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		spans := int64(len(pieces))
		for range rapid.IntRange(0, 5).Draw(rt, "spans again") {
			pieces = append(pieces, pieces[r.IntN(len(pieces))])
		}
		r.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })

		w := newWitness()
		e, err := understand.New(g.config, w)
		if err != nil {
			rt.Fatal(err)
		}
		most = rapid.IntRange(1, 40).Draw(rt, "largest batch")
		admitted, at := int64(0), epoch
		send := func(batch []piece) {
			if err := e.Traces(at, 0, requestOf(t, batch)); err != nil {
				rt.Fatal(err)
			}
			admitted += int64(len(batch))
			if found := w.spans + int64(e.Open()); found != admitted {
				rt.Fatalf("%d spans came, %d are open or have a disposition", admitted, found)
			}
		}
		// All within the shortest delay of closing.
		step := 5 * time.Second / time.Duration(2*len(pieces))
		for len(pieces) > 0 {
			n := 1 + r.IntN(min(most, len(pieces)))
			send(pieces[:n])
			if r.IntN(8) == 0 {
				send(pieces[:n])
			}
			pieces = pieces[n:]
			at = at.Add(step)
		}
		e.Flush()
		w.settle()
		got := map[string]int64{}
		add(got, w)
		if n := admitted - spans; n > 0 {
			want["spans duplicate"] += n
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("(-alone and in order +mixed):\n%s", diff)
		}
	})
}

// add counts what a witness saw, line by line.
func add(counts map[string]int64, w *witness) {
	for _, line := range lines(w.Truth) {
		if n, isTools := strings.CutPrefix(line, "tools "); !isTools {
			counts[line]++
		} else if n != "0" {
			counts["tools"] += int64(w.Tools)
		}
	}
	for name, n := range w.dispositions {
		counts["spans "+name] += n
	}
	for reason, n := range w.rejected {
		counts["rejected "+reason] += n
	}
	for name, n := range w.unmapped {
		counts["unmapped "+name] += n
	}
	if w.late > 0 {
		counts["late"] += w.late
	}
}
