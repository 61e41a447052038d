package runs

import (
	"bytes"
	"cmp"
	"slices"
)

// mostDepth bounds how deep the document nests: what lies deeper stands beside its
// parent there.
const mostDepth = 100

// tree hangs spans below their parents and gives the roots: spans without a parent,
// spans whose parent is not there, and, of spans that are each other's parents, the
// earliest.
func tree(spans []*Span, byID map[[8]byte]*Span) []*Span {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, earlier)
	kids := make(map[*Span][]*Span, len(spans))
	var roots []*Span
	for _, s := range spans {
		if p := byID[s.parent]; p != nil && p != s {
			kids[p] = append(kids[p], s)
		} else {
			roots = append(roots, s)
		}
	}
	hung := make(map[*Span]bool, len(spans))
	for _, r := range roots {
		hang(r, kids, hung)
	}
	for _, s := range spans {
		if !hung[s] {
			roots = append(roots, s)
			hang(s, kids, hung)
		}
	}
	slices.SortFunc(roots, earlier)
	return roots
}

// hang puts below a root all that belongs there and hangs nowhere yet.
func hang(root *Span, kids map[*Span][]*Span, hung map[*Span]bool) {
	type open struct {
		span, under *Span // under takes the span's children
		depth       int
	}
	hung[root] = true
	for queue := []open{{root, root, 1}}; len(queue) > 0; queue = queue[1:] {
		o := queue[0]
		for _, k := range kids[o.span] {
			if hung[k] {
				continue
			}
			hung[k] = true
			o.under.Children = append(o.under.Children, k)
			if o.depth+1 < mostDepth {
				queue = append(queue, open{k, k, o.depth + 1})
			} else {
				queue = append(queue, open{k, o.under, o.depth})
			}
		}
	}
}

func earlier(a, b *Span) int {
	return cmp.Or(cmp.Compare(a.start, b.start), bytes.Compare(a.id[:], b.id[:]))
}

// top gives the root that stands for a whole trace: the first without a parent,
// else the first.
func top(roots []*Span) *Span {
	for _, r := range roots {
		if r.parent == ([8]byte{}) {
			return r
		}
	}
	return roots[0]
}

// count gives how many spans some trees have.
func count(roots []*Span) int {
	n := 0
	for _, r := range roots {
		n += 1 + count(r.Children)
	}
	return n
}
