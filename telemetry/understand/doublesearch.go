package understand

import "slices"

// doubleSearches finds the searches that two instrumentations tell of, as
// doubles does for calls: of one service, neither above the other, from
// different scopes, with the same source and number of documents where both
// tell them, and start and end within the window. The view that tells more of
// its documents is the search.
func (s *settling) doubleSearches() {
	s.slots = s.slots[:0]
	for i := range s.nodes {
		if s.nodes[i].role == search {
			s.slots = append(s.slots, int32(i))
		}
	}
	if len(s.slots) < 2 {
		return
	}
	slices.SortFunc(s.slots, func(x, y int32) int { return order(s.nodes[x].span, s.nodes[y].span) })
	for k, x := range s.slots {
		a := &s.nodes[x]
		for _, y := range s.slots[k+1 : min(len(s.slots), k+1+mostRivals)] {
			b := &s.nodes[y]
			if a.role != search || b.span.Start-a.span.Start > window {
				break
			}
			if b.role != search || !sameSearch(a.span, b.span) || s.over(x, y) || s.over(y, x) {
				continue
			}
			if tells(b.span) > tells(a.span) {
				a.role = double
			} else {
				b.role = double
			}
		}
	}
}

func sameSearch(a, b *held) bool {
	x, y := a.Search, b.Search
	return a.Scope != b.Scope && a.Service == b.Service && near(a.Start, b.Start) && near(a.End, b.End) &&
		(x.Documents < 0 || y.Documents < 0 || x.Documents == y.Documents) &&
		(a.DataSource == "" || b.DataSource == "" || a.DataSource == b.DataSource)
}

// tells ranks a search by what it says of its documents.
func tells(sp *held) int {
	switch {
	case sp.Search.Scored > 0:
		return 2
	case sp.Search.Documents >= 0:
		return 1
	}
	return 0
}
