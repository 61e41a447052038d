package runs

import (
	"encoding/hex"
	"math"
	"time"

	"treq/telemetry"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
	"treq/telemetry/understand"
)

// mostSpans bounds the spans of a document.
const mostSpans = 2000

// collector takes the spans of one trace out of requests.
type collector struct {
	trace  [16]byte
	reader *understand.Reader
	read   understand.Span

	spans    []*Span
	byID     map[[8]byte]*Span
	projects map[*Span]string // told by the span itself
	room     int              // for content
	repeated int
	cut      bool
}

func newCollector(rules understand.Config, trace [16]byte) (*collector, error) {
	reader, err := understand.NewReader(rules)
	if err != nil {
		return nil, err
	}
	return &collector{
		trace: trace, reader: reader, room: mostContent,
		byID: make(map[[8]byte]*Span), projects: make(map[*Span]string),
	}, nil
}

// Resource is called by the scanner.
func (c *collector) Resource(r *otlp.Resource) { c.reader.Resource(r) }

// Scope is called by the scanner.
func (c *collector) Scope(s *otlp.Scope) { c.reader.Scope(s) }

// Span is called by the scanner.
func (c *collector) Span(sp *otlp.Span) {
	if sp.TraceID != c.trace {
		return
	}
	if c.byID[sp.SpanID] != nil {
		c.repeated++
		return
	}
	if len(c.spans) == mostSpans {
		c.cut = true
		return
	}
	c.reader.Read(sp, &c.read)
	s := spanOf(sp, &c.read)
	s.Input = c.content(sp, inputs[:])
	s.Output = c.content(sp, outputs[:])
	if c.room > 0 {
		s.Attributes = c.attributes(sp)
		s.Stack = c.stack(sp)
	}
	if p := attribute(sp.Attributes, semconv.LSProject); p != nil {
		c.projects[s], _ = shorten(string(p), mostMessage)
	}
	s.named = string(attribute(sp.Attributes, semconv.TreqRunID))
	c.spans = append(c.spans, s)
	c.byID[sp.SpanID] = s
}

func (c *collector) content(sp *otlp.Span, names []string) *Text {
	t := content(sp.Attributes, names, c.room)
	if t != nil {
		c.room -= len(t.Text)
	}
	return t
}

// spanOf gives what a span says, without content.
func spanOf(sp *otlp.Span, u *understand.Span) *Span {
	began := u.Start
	if u.Flags.Has(understand.Unusable) && sp.Start <= math.MaxInt64 {
		began = int64(sp.Start) // it has no end, and so no time that is counted
	}
	s := &Span{
		SpanID: spanText(sp.SpanID), ParentSpanID: spanText(sp.ParentID), RunID: runIDIn(sp),
		Name: valid(u.Name), Kind: u.Kind.String(), Service: valid(u.Service), Scope: valid(u.Scope),
		Start: nanoseconds(began), State: stateIn(sp), DurationMS: durationOf(u),
		Outcome: u.Outcome.String(), ErrorType: valid(u.ErrorType), HTTPStatus: int(u.HTTPStatus),
		Tool: valid(u.Tool), Children: []*Span{},
		id: sp.SpanID, parent: sp.ParentID, start: began,
	}
	if s.State != "" { // a span without an end is not read further
		s.Kind = semconv.KindOfRunType(attribute(sp.Attributes, semconv.LSSpanKind)).String()
	}
	if s.State == "running" {
		s.Outcome = s.State
	}
	s.Message, _ = shorten(string(sp.StatusMessage[:min(len(sp.StatusMessage), 2*mostMessage)]), mostMessage)
	switch u.Kind {
	case semconv.KindLLM, semconv.KindEmbedding, semconv.KindReranker:
		s.Model, s.Tokens = modelOf(u)
	case semconv.KindRetriever, semconv.KindVectorQuery:
		s.Documents = documentsOf(&u.Search)
	}
	return s
}

// stateIn says why a run has no end, "" if it has.
func stateIn(sp *otlp.Span) string {
	if sp.End != 0 {
		return ""
	}
	state, _ := shorten(string(attribute(sp.Attributes, semconv.TreqRunState)), mostID)
	return state
}

func durationOf(u *understand.Span) *float64 {
	if u.Flags&(understand.Untimed|understand.Unusable) != 0 {
		return nil
	}
	return milliseconds(time.Duration(u.End - u.Start))
}

func modelOf(u *understand.Span) (*Model, *Tokens) {
	c := &u.Call
	m := &Model{
		Operation: c.Operation, Provider: valid(c.Provider),
		RequestModel: valid(c.RequestModel), ResponseModel: valid(c.ResponseModel),
		Streamed: u.Flags.Has(understand.Streamed),
	}
	if c.TimeToFirstToken > 0 {
		m.TimeToFirstTokenMS = milliseconds(c.TimeToFirstToken)
	}
	if !c.HasUsage {
		return m, nil
	}
	return m, tokensOf(c.Tokens)
}

func documentsOf(f *understand.Search) *Documents {
	d := &Documents{DataSource: valid(f.DataSource), Scored: int(f.Scored), Cache: f.Cache.String()}
	if f.Documents >= 0 {
		n := int(f.Documents)
		d.Returned = &n
	}
	if f.Scored > 0 {
		mean, top := f.Sum/float64(f.Scored), f.Top
		d.MeanSimilarity, d.TopSimilarity = &mean, &top
	}
	return d
}

// runIDIn gives the id by which LangSmith knows a span.
func runIDIn(sp *otlp.Span) string {
	if id := attribute(sp.Attributes, semconv.LSSpanID); len(id) > 0 && len(id) <= mostID {
		return valid(string(id))
	}
	return runIDOf(sp.SpanID)
}

// attribute gives the text of an attribute, nil if the span has none.
func attribute(list []otlp.Attribute, name string) []byte {
	for i := range list {
		if a := &list[i]; string(a.Key) == name && a.Value.Type == otlp.String {
			return a.Value.Bytes
		}
	}
	return nil
}

func valid(text string) string {
	text, _ = shorten(text, math.MaxInt)
	return text
}

// summaryOf gives what a list shows of a run whose top is s.
func summaryOf(trace [16]byte, s *Span, spans int) Summary {
	return Summary{
		RunID: s.RunID, TraceID: hex.EncodeToString(trace[:]), Name: s.Name, Kind: s.Kind, Service: s.Service,
		Start: s.Start, State: s.State, DurationMS: s.DurationMS, Outcome: s.Outcome, ErrorType: s.ErrorType, Spans: spans,
	}
}

var _ otlp.TraceVisitor = (*collector)(nil)

var errNoSpans = telemetry.Errorf(telemetry.NotFound, "the run's records have left the journal")
