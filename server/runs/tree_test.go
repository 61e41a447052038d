package runs

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func spansOf(parents []int) ([]*Span, map[[8]byte]*Span) {
	var spans []*Span
	byID := map[[8]byte]*Span{}
	for i, p := range parents {
		s := &Span{Name: fmt.Sprint(i + 1), id: spanID(uint64(i + 1)), start: int64(i), Children: []*Span{}}
		if p != 0 {
			s.parent = spanID(uint64(p))
		}
		spans = append(spans, s)
		byID[s.id] = s
	}
	return spans, byID
}

func TestTree(t *testing.T) {
	tests := []struct {
		name    string
		parents []int // of span 1, 2, …; 0 is none, what is not there is missing
		want    string
	}{
		{"one trace", []int{0, 1, 1, 2}, "1\n  2\n    4\n  3\n"},
		{"several roots", []int{0, 0, 2}, "1\n2\n  3\n"},
		{"the parent was never told", []int{9, 1, 9}, "1\n  2\n3\n"},
		{"its own parent", []int{1, 1}, "1\n  2\n"},
		{"each other's parents", []int{3, 1, 2, 3}, "1\n  2\n    3\n      4\n"},
		{"below a circle", []int{2, 3, 2}, "2\n  1\n  3\n"},
	}
	for _, tt := range tests {
		spans, byID := spansOf(tt.parents)
		if tt.name == "below a circle" {
			spans[1].start = -1 // the earliest of the circle
		}
		if got := outline(tree(spans, byID)); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

func TestTreeIsNotDeeperThanItMayBe(t *testing.T) {
	parents := make([]int, 500)
	for i := range parents {
		parents[i] = i
	}
	spans, byID := spansOf(parents)
	roots := tree(spans, byID)
	deepest := 0
	for line := range strings.Lines(outline(roots)) {
		deepest = max(deepest, 1+(len(line)-len(strings.TrimLeft(line, " ")))/2)
	}
	if deepest != mostDepth || count(roots) != len(parents) {
		t.Errorf("%d levels with %d spans", deepest, count(roots))
	}
}

// Whatever the parents are, every span is in the tree once.
func TestTreeHoldsEverySpanOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "spans")
		parents := rapid.SliceOfN(rapid.IntRange(0, n+2), n, n).Draw(t, "parents")
		spans, byID := spansOf(parents)
		seen := map[string]int{}
		for name := range strings.FieldsSeq(outline(tree(spans, byID))) {
			seen[name]++
		}
		for _, s := range spans {
			if seen[s.Name] != 1 {
				t.Fatalf("span %s is there %d times", s.Name, seen[s.Name])
			}
		}
	})
}
