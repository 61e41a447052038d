package understand

import (
	"bytes"
	"math"

	"treq/telemetry"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// found gathers the documents of one span and their scores.
type found struct {
	documents int32 // -1: not told
	scored    int32
	sum, top  float64
	refused   int32
	cut       bool // there were more than could be read
}

func (f *found) document() {
	if f.documents < 0 {
		f.documents = 0
	}
	f.documents++
}

// score takes a similarity. Values that lie above 1 by no more than the rounding
// of a single-precision number are 1; all others outside 0..1 are refused.
func (f *found) score(s float64) {
	if s > 1 && s <= 1+1e-6 {
		s = 1
	}
	if !(s >= 0 && s <= 1) {
		f.refused++
		return
	}
	f.scored++
	f.sum += s
	f.top = max(f.top, s)
}

// indexed gathers OpenInference's indexed documents.
type indexed struct {
	documents, reranked int
	scores, metadata    found
}

func (x *indexed) note(key semconv.Key, a *otlp.Attribute, r *rejections) {
	if n, ok := semconv.Index(a.Key); ok {
		x.told(key, n, &a.Value, r)
	}
}

// told notes what was told of the document of a number.
func (x *indexed) told(key semconv.Key, n int, v *otlp.Value, r *rejections) {
	switch key {
	case semconv.KeyOIRerankedDocument:
		x.reranked = max(x.reranked, n+1)
		return
	case semconv.KeyOIDocumentScore:
		if s, ok := v.Number(); ok {
			x.scores.score(s)
		} else {
			r.count(badSimilarity)
		}
	case semconv.KeyOIDocumentMetadata:
		if v.Type == otlp.String {
			j := json{b: v.Bytes, budget: 64 << 10}
			if s, _, ok := j.scoreOf(); ok {
				x.metadata.score(s)
			}
		}
	}
	x.documents = max(x.documents, n+1)
}

// search reads what a retriever or vector-store span found.
func (r *Reader) search(sp *otlp.Span, out *Span) {
	s := &out.Search
	s.DataSource = r.firstText(fDataSource)
	if hit, ok := r.value[fCacheHit].Truth(); r.has(fCacheHit) && ok && hit {
		s.Cache = telemetry.Hit
	}
	r.searchFigures(sp, out)
}

// searchFigures reads what differs from search to search.
func (r *Reader) searchFigures(sp *otlp.Span, out *Span) {
	s := &out.Search
	f := found{documents: -1}
	switch {
	case r.has(fDocuments):
		r.structured(&f)
	case r.docs.documents > 0:
		f = r.docs.scores
		if f.scored == 0 && f.refused == 0 {
			f = r.docs.metadata
		}
		f.documents = int32(r.docs.documents)
	default:
		if out.Kind == semconv.KindVectorQuery {
			r.returned(sp, &f)
		}
		if t := r.text(fOutputJSON); t != nil && f.documents < 0 {
			j := json{b: t, budget: r.config.MaxContent}
			j.documents(&f)
			f.cut = j.bad
		}
	}
	if f.documents < 0 && r.has(fResultCount) {
		if n, ok, exact := r.value[fResultCount].Integer(); ok && exact && 0 <= n && n <= math.MaxInt32 {
			f.documents = int32(n)
		}
	}
	if f.cut && f.documents > 0 {
		// What was read proves that there are documents, not how many or how similar.
		r.rejected.count(badContent)
		s.Documents, s.Scored = -1, 0
		return
	}
	for range f.refused {
		r.rejected.count(badSimilarity)
	}
	s.Documents, s.Scored, s.Sum, s.Top = f.documents, f.scored, f.sum, f.top
}

// structured reads gen_ai.retrieval.documents, an array of maps or JSON text.
func (r *Reader) structured(f *found) {
	v := r.value[fDocuments]
	switch v.Type {
	case otlp.String:
		j := json{b: v.Bytes, budget: r.config.MaxContent}
		j.documents(f)
		f.cut = j.bad
	case otlp.Array:
		f.documents = 0
		otlp.EachElement(v, func(e otlp.Value) bool {
			f.document()
			switch e.Type {
			case otlp.KVList:
				if s, ok := mapScore(e, true); ok {
					f.score(s)
				}
			case otlp.String:
				j := json{b: e.Bytes, budget: r.config.MaxContent}
				if s, _, ok := j.scoreOf(); ok {
					f.score(s)
				}
			}
			return true
		})
	}
}

// mapScore finds the score of a document that is a map, in itself before its metadata.
func mapScore(v otlp.Value, metadata bool) (score float64, ok bool) {
	best := 0
	otlp.EachPair(v, func(key []byte, e otlp.Value) bool {
		if rank := scoreRank(key) * 2; rank > best {
			if s, isNumber := e.Number(); isNumber {
				score, best = s, rank
			}
		}
		if best == 0 && metadata && string(key) == "metadata" && e.Type == otlp.KVList {
			if s, found := mapScore(e, false); found {
				score, best = s, 1
			}
		}
		return true
	})
	return score, best > 0
}

// scoreRank tells how plainly a key names a similarity, 0 if it does not.
func scoreRank(key []byte) int {
	switch string(key) {
	case "similarity":
		return 5
	case "similarity_score":
		return 4
	case "score":
		return 3
	case "relevance_score":
		return 2
	case "_score":
		return 1
	}
	return 0
}

// returned reads what the events and attributes of a vector store tell.
func (r *Reader) returned(sp *otlp.Span, f *found) {
	cosine := bytes.EqualFold(r.text(fMetric), []byte("cosine"))
	sp.EachEvent(func(e *otlp.Event) bool {
		if n := string(e.Name); n != semconv.EventDBQueryResult && n != semconv.EventDBSearchResult {
			return true
		}
		f.document()
		for i := range e.Attributes {
			a := &e.Attributes[i]
			switch semconv.Lookup(a.Key) {
			case semconv.KeyDBQueryResultScore, semconv.KeyDBSearchResultScore:
				if s, ok := a.Value.Number(); ok {
					f.score(s)
				}
			case semconv.KeyDBQueryResultDistance, semconv.KeyDBSearchResultDistance:
				if d, ok := a.Value.Number(); ok {
					f.score(closeness(d, cosine))
				}
			}
		}
		return true
	})
	if f.scored == 0 && f.refused == 0 && r.single(f) {
		if s, ok := r.value[fTopScore].Number(); r.has(fTopScore) && ok {
			f.score(s)
		} else if d, ok := r.value[fTopDistance].Number(); r.has(fTopDistance) && ok {
			f.score(closeness(d, cosine))
		}
	}
}

// single tells whether one document was returned: then the top score is its score.
func (r *Reader) single(f *found) bool {
	if f.documents >= 0 || !r.has(fResultCount) {
		return f.documents == 1
	}
	n, ok, _ := r.value[fResultCount].Integer()
	return ok && n == 1
}

// closeness converts a distance into a similarity: 1 − d for cosine, 1/(1+d) for
// any other metric; docs/semantics.md, section 2.
func closeness(d float64, cosine bool) float64 {
	if cosine {
		return 1 - d
	}
	return 1 / (1 + d)
}
