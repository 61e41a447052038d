package understand

import (
	"treq/telemetry"
	"treq/telemetry/semconv"
)

// searches decides which spans are searches, and gathers what their parts tell.
func (s *settling) searches() {
	for i := range s.nodes {
		n := &s.nodes[i]
		kind := n.span.Kind
		if n.outer >= 0 {
			o := &s.nodes[n.outer]
			switch {
			case kind == semconv.KindReranker:
				o.reranked = true
			case isSearch(kind) && n.span.Outcome == telemetry.Succeeded:
				if n.span.Search.Documents >= 0 && s.later(int32(i), o.inner) {
					o.inner = int32(i)
				}
				if n.span.Search.similar() && s.closer(int32(i), o.scored) {
					o.scored = int32(i)
				}
			}
		}
		switch {
		case !isSearch(kind):
		case n.clearTop && s.above.flags&inSearch != 0:
			n.role = counted
		case n.outer >= 0:
			n.role = searchPart
		case n.role != counted:
			n.role = search
		}
	}
	s.doubleSearches()
}

// later tells whether a search ended after another, or there is no other.
func (s *settling) later(i, than int32) bool {
	return than < 0 || s.nodes[i].span.End > s.nodes[than].span.End
}

// closer tells whether a search is nearer to the vectors than another: a vector
// store's before a retriever's, then the later one.
func (s *settling) closer(i, than int32) bool {
	if than < 0 {
		return true
	}
	a := s.nodes[i].span.Kind == semconv.KindVectorQuery
	b := s.nodes[than].span.Kind == semconv.KindVectorQuery
	if a != b {
		return a
	}
	return s.later(i, than)
}

// retrieval fills in the event of a search from its outermost span and its parts.
func (s *settling) retrieval(n *node, e *telemetry.Retrieval) {
	own := n.span.Search
	from := own
	if own.Documents < 0 && n.inner >= 0 {
		from = s.nodes[n.inner].span.Search
	}
	*e = telemetry.Retrieval{}
	s.origin(n.span, &e.Origin)
	e.Duration, e.Outcome, e.ErrorType = n.span.duration(), n.span.Outcome, n.span.ErrorType
	e.DataSource, e.Documents, e.Cache, e.Result = n.span.DataSource, int64(from.Documents), own.Cache, evidence(from)
	if e.DataSource == "" && n.inner >= 0 {
		e.DataSource = s.nodes[n.inner].span.DataSource
	}
	if e.DataSource == "" && n.scored >= 0 {
		e.DataSource = s.nodes[n.scored].span.DataSource
	}
	if from.Cache == telemetry.Hit {
		e.Cache = telemetry.Hit
	}
	if scores := s.similarity(n, from); scores != nil {
		e.Scored = true
		e.MeanSimilarity = min(1, scores.Sum/float64(scores.Scored))
		e.TopSimilarity = scores.Top
	}
}

// similarity gives the search whose scores are the similarity of the documents
// that a search returned, nil if there is none: their own, unless these come from
// a reranker or from rank fusion; then those of the vector search inside.
func (s *settling) similarity(n *node, from *searchFigures) *searchFigures {
	if from.Scored > 0 && !n.reranked && from.similar() {
		return from
	}
	if n.scored >= 0 {
		inner := s.nodes[n.scored].span.Search
		if from.Scored > 0 || n.reranked || from.Documents == inner.Documents || from.Documents < 0 {
			return inner
		}
	}
	if from.Scored > 0 {
		s.rejected.count(notSimilarity)
	}
	return nil
}

// evidence says what a search tells of its documents.
func evidence(s *searchFigures) telemetry.Evidence {
	switch {
	case s.Documents > 0 || s.Scored > 0:
		return telemetry.Found
	case s.Documents == 0:
		return telemetry.Empty
	}
	return telemetry.Unknown
}
