package understand

import (
	"slices"

	"treq/telemetry/semconv"
)

// touches tells whether a fragment lies below or above spans that are kept.
func (t *trace) touches(f *fragment, host int32) bool {
	if len(t.kept) == 0 {
		return false
	}
	if host >= 0 || t.keptIndex(t.spans[f.top].Parent) >= 0 {
		return true
	}
	for i := f.head; i >= 0; i = t.spans[i].next {
		found := false
		t.keptBelow(t.spans[i].ID, func(*kept) bool {
			found = true
			return false
		})
		if found {
			return true
		}
	}
	return false
}

// connect finds the kept spans that the fragment lies below or above: then it is
// late. into is the chat, among the trace's, that its calls are added to, -1 if
// none was counted.
func (s *settling) connect(t *trace, host int32) (into int32, late bool) {
	into = -1
	s.above = kept{}
	if len(t.kept) == 0 {
		return -1, false
	}
	if host < 0 && s.nodes[0].span.Parent != 0 {
		host = t.keptIndex(s.nodes[0].span.Parent)
	}
	if host >= 0 {
		s.above = t.kept[host]
		into, late = s.above.chat, true
	}
	for i := range s.nodes {
		t.keptBelow(s.nodes[i].span.ID, func(k *kept) bool {
			late = true
			if into < 0 {
				into = k.chat
			}
			return true
		})
	}
	return into, late
}

// overKept tells the spans above kept ones what these are.
func (s *settling) overKept(t *trace) {
	for i := range s.nodes {
		t.keptBelow(s.nodes[i].span.ID, func(k *kept) bool {
			s.overOne(int32(i), k)
			// It is its fragment's top no longer: it hangs below this span.
			k.flags &^= keptTop
			return true
		})
	}
}

func (s *settling) overOne(at int32, k *kept) {
	n := &s.nodes[at]
	if k.flags&overModel != 0 {
		up := n.up
		if n.span.Kind == semconv.KindLLM {
			up = at
		} else if blocks(n.span.Kind) || isModel(n.span.Kind) {
			up = -1
		}
		if up >= 0 && s.nodes[up].span.Kind == semconv.KindLLM {
			s.nodes[up].overKept = true
		}
	}
	if k.flags&overSearch != 0 {
		outer := n.outer
		switch {
		case n.span.Kind == semconv.KindTool || n.span.Kind == semconv.KindAgent:
			outer = -1
		case outer < 0 && isSearch(n.span.Kind):
			outer = at
		}
		if outer >= 0 {
			s.nodes[outer].role = counted
		}
	}
}

// remember keeps what late spans will have to know of the fragment. into is the
// chat that it was added to, -1 if it had its own or none.
func (s *settling) remember(a *assembly, t *trace, into int32) {
	t.kept = slices.Grow(t.kept, len(s.nodes))
	for i := range s.nodes {
		n := &s.nodes[i]
		k := kept{
			id: n.span.ID, parent: n.span.Parent, start: n.span.Start, end: n.span.End,
			from: n.span.source, chat: into, kind: n.span.Kind,
		}
		if n.entry >= 0 {
			k.chat = s.chats[n.entry].kept
		}
		if n.parent < 0 || n.span.adopted {
			k.flags = s.overFlags(int32(i)) | keptTop
		}
		k.flags |= s.inherited(int32(i))
		t.keep(k)
		if n.role == call && (n.span.model() != "" || n.span.Call.Answer != 0) && len(t.calls) < mostRivals {
			t.calls = append(t.calls, keptOf(n.span))
		}
	}
	a.remembered += len(s.nodes)
	a.remember(t)
}

// overFlags says what a late span above a span would be above of.
func (s *settling) overFlags(top int32) (f keptFlags) {
	for i := top; int(i) < len(s.nodes) && (i == top || s.nodes[i].parent >= top); i++ {
		n := &s.nodes[i]
		wanted := keptFlags(0)
		switch {
		case n.span.Kind == semconv.KindLLM && f&overModel == 0:
			wanted = overModel
		case isSearch(n.span.Kind) && f&overSearch == 0:
			wanted = overSearch
		default:
			continue
		}
		for at := i; at != top; {
			at = s.nodes[at].parent
			kind := s.nodes[at].span.Kind
			if wanted == overModel && (blocks(kind) || isModel(kind)) ||
				wanted == overSearch && (kind == semconv.KindTool || kind == semconv.KindAgent) {
				wanted = 0
				break
			}
		}
		f |= wanted
	}
	return f
}

// inherited says what a late span below a span is below of.
func (s *settling) inherited(i int32) (f keptFlags) {
	n := &s.nodes[i]
	if n.excluded {
		f |= keptExcluded
	}
	up := n.up
	switch {
	case n.span.Kind == semconv.KindLLM:
		up = i
	case blocks(n.span.Kind) || isModel(n.span.Kind):
		up = -1
	}
	switch {
	case up >= 0 && s.nodes[up].role == call:
		f |= underCall
	case up >= 0:
		f |= underWrapper
	case n.clear && !blocks(n.span.Kind) && !isModel(n.span.Kind):
		f |= s.above.flags & (underCall | underWrapper)
	}
	switch {
	case n.span.Kind == semconv.KindTool || n.span.Kind == semconv.KindAgent:
	case isSearch(n.span.Kind) || n.outer >= 0:
		f |= inSearch
	case n.clearTop:
		f |= s.above.flags & inSearch
	}
	return f
}
