package understand

import (
	"math"

	"treq/telemetry"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// familiar is a span of which a service makes many: all that they say in words, and
// where the figures stand in which they differ. A span that fits is understood without
// being scanned or read attribute by attribute, to the same end: familiar_test.go holds
// the two ways to each other.
type familiar struct {
	mold  *otlp.Mold
	span  Span // what all of them say; figures are as in a new one
	takes []taken
	docs  indexed // what the names of their attributes say
	// unmapped are the attributes of theirs that nobody reads; see knownName.
	unmapped []string
	shape    *shape
	streams  bool // their words say that the call answers in pieces
	plain    bool // of usage and cost they tell what twoCounts reads, and nothing else
	used     uint32
}

// taken is an attribute whose value is read: of a field, or of a document of a list.
type taken struct {
	field    field       // noField for a document
	key      semconv.Key // what is told of the document
	document int
}

// familiars are the familiar spans of all services. It is bounded: of those that fall
// into one of its sets the one met least goes for another. The zero value has none.
type familiars struct {
	sets []familiarSet // made with the first
	// credit is how many more may be learnt, times learning.
	credit int
	off    bool // nothing is learnt
}

// familiarSet holds familiars of one hash, nil for a free place.
type familiarSet [8]*familiar

const (
	familiarSets = 1 << 7
	// learning is of how many spans that fit nothing one is tried to learn from: services
	// whose words never repeat pay a few nanoseconds for each.
	learning = 32
	// mostCredit bounds what a long time without anything new saves up.
	mostCredit = 64 * learning
)

// find gives the familiar that a span fits, whose outline was read, nil if there is none.
func (t *familiars) find(o *otlp.Outline, r *Reader) *familiar {
	if t.sets == nil {
		return nil
	}
	set := &t.sets[scatter(o.Said())%familiarSets]
	for _, f := range set {
		if f != nil && f.span.Service == r.service && f.span.Scope == r.scope && f.mold.Fits(o) {
			f.used++
			return f
		}
	}
	return nil
}

// learn makes a span familiar that the reader has just read, if spans like it can be.
func (t *familiars) learn(r *Reader, sp *otlp.Span, s *Span, shape *shape) {
	if t.off {
		return
	}
	if t.sets == nil {
		t.sets = make([]familiarSet, familiarSets)
		t.credit = mostCredit
	}
	t.credit = min(t.credit+1, mostCredit)
	// Failures are not learnt from: each says another thing.
	if t.credit < learning || s.Outcome != telemetry.Succeeded || s.Flags&(Aborted|Session|Unusable) != 0 ||
		s.Kind == semconv.KindReranker || len(sp.StatusMessage) > 0 {
		return
	}
	t.credit -= learning
	if !r.repeats(sp, s) {
		return
	}
	f := &familiar{shape: shape, streams: r.saysStream(), plain: true, span: *s}
	treat, ok := f.treat(r, sp)
	if !ok {
		return
	}
	if f.mold = otlp.NewMold(sp, treat); f.mold == nil {
		return
	}
	f.bare()
	var o otlp.Outline
	o.Read(sp.Raw)
	set := &t.sets[scatter(o.Said())%familiarSets]
	least := 0
	for i, other := range set {
		if other == nil {
			least = i
			break
		}
		if other.used < set[least].used {
			least = i
		}
		other.used /= 2
	}
	set[least] = f
}

// repeats tells whether another span with the same words would be read as the one that
// was just read and ended well, but for its figures.
func (r *Reader) repeats(sp *otlp.Span, s *Span) bool {
	for range sp.EachEvent {
		return false
	}
	if !isModel(s.Kind) {
		return true
	}
	// What attributes leave out is looked for in the content, which always differs.
	var words Span
	words.Kind = s.Kind
	r.callWords(&words)
	named := words.Call.RequestModel != "" || words.Call.ResponseModel != ""
	return named && s.Call.HasUsage && (words.Call.Provider != "" || !r.has(fMetadataJSON)) && r.finish() <= finishWell
}

// treat says what is done with each attribute of a span that was read into f: words
// have to be the same, what is read of its kind is taken, all else skipped.
func (f *familiar) treat(r *Reader, sp *otlp.Span) (treat []otlp.Treatment, ok bool) {
	var told [fieldCount]int // the attribute that tells a field, one more than its index
	var rank [fieldCount]uint8
	places := make([]place, len(sp.Attributes))
	for i := range sp.Attributes {
		a := &sp.Attributes[i]
		known := r.names.of(a.Key)
		p := known.place
		places[i] = p
		switch {
		case known.key == semconv.KeyOIRerankInput || known.key == semconv.KeyOIRerankedDocument:
			return nil, false
		case p.field == noField && known.unmapped != "":
			f.unmapped = append(f.unmapped, known.unmapped)
		case p.rank > rank[p.field] && !blank(&a.Value):
			told[p.field], rank[p.field] = i+1, p.rank
		}
	}
	treat = make([]otlp.Treatment, len(places))
	for i, p := range places {
		a := &sp.Attributes[i]
		if n, listed := r.listed(a.Key); listed {
			key := semconv.Lookup(a.Key)
			treat[i] = otlp.Skip
			f.docs.documents = max(f.docs.documents, n+1)
			if key != semconv.KeyOIDocument {
				treat[i] = otlp.Take
				f.takes = append(f.takes, taken{key: key, document: n})
			}
			if key != semconv.KeyOIDocument && blank(&a.Value) {
				return nil, false
			}
			continue
		}
		switch {
		case p.field != noField && figureOf[p.field] == aWord, p.field != noField && blank(&a.Value):
			treat[i] = otlp.Same
		case told[p.field] == i+1 && figureOf[p.field].readOf(f.span.Kind):
			treat[i] = otlp.Take
			f.takes = append(f.takes, taken{field: p.field})
			f.plain = f.plain && (p.field == fInput || p.field == fOutput || p.field == fResponseID || figureOf[p.field] != ofModels)
		default:
			treat[i] = otlp.Skip
		}
	}
	return treat, true
}

// listed gives the number of the document that an attribute is of, false if it is of none.
func (r *Reader) listed(name []byte) (n int, ok bool) {
	switch known := r.names.of(name); known.key {
	case semconv.KeyOIDocument, semconv.KeyOIDocumentScore, semconv.KeyOIDocumentMetadata:
		return semconv.Index(name)
	}
	return 0, false
}

// bare takes the figures of the one span that f was made of out of it.
func (f *familiar) bare() {
	s := &f.span
	s.TraceID, s.ID, s.Parent, s.Start, s.End, s.RunID = [16]byte{}, 0, 0, 0, 0, RunID{}
	s.Flags &= Entry | Excluded | Governed
	c := &s.Call
	*c = Call{Operation: c.Operation, Provider: c.Provider, RequestModel: c.RequestModel, ResponseModel: c.ResponseModel, ServiceTier: c.ServiceTier}
	s.Search = Search{DataSource: s.Search.DataSource, Cache: s.Search.Cache, Documents: -1}
}

// again reads a span that fits a familiar one, as Read would. It gives false, and has
// read nothing, where only Read can.
func (r *Reader) again(f *familiar, o *otlp.Outline, out *Span) bool {
	if o.Start == 0 || o.Start > o.End || o.End > math.MaxInt64 {
		return false
	}
	*out = f.span
	out.TraceID, out.ID, out.Parent = o.TraceID, number(o.SpanID), number(o.ParentID)
	out.Start, out.End = int64(o.Start), int64(o.End)
	clear(r.rank[:])
	r.docs = f.docs
	for i := range f.takes {
		t, v := &f.takes[i], &o.Values[i]
		if t.field == noField {
			r.docs.told(t.key, t.document, v, &r.rejected)
			continue
		}
		r.rank[t.field] = 1
		r.value[t.field] = *v
	}
	r.session(out)
	switch {
	case isModel(out.Kind):
		if f.plain {
			if tokens, ok := r.twoCounts(); ok {
				out.Call.Tokens, out.Call.HasUsage = tokens, true
				r.pieces(&r.eventless, out, f.streams)
				break
			}
		}
		use := r.usage()
		if !use.told() {
			r.rejected = rejections{}
			return false
		}
		r.callFigures(&r.eventless, out, &use, f.streams)
	case isSearch(out.Kind):
		r.searchFigures(&r.eventless, out)
	}
	r.rest(out)
	return true
}
