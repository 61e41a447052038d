package runs

import (
	"bytes"
	"encoding/hex"
	"time"

	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
	"treq/telemetry/understand"
)

// rowReader reads records into rows. What a run used and cost is what an engine
// like the meter's counts of it: wrappers, repeated spans and parts of searches
// once. The engine is not let wait for the rest of a trace: what comes later it
// counts as late. Not safe for concurrent use.
type rowReader struct {
	rows    *rows
	budget  budget
	scanner otlp.Scanner
	reader  *understand.Reader
	engine  *understand.Engine
	read    understand.Span

	groups  groups
	chosen  map[[16]byte]bool
	touched []*row // made of this record
	sliced  []byte // what is read of a record
	slicer  slicer
	at      journal.Position
	seen    journal.Position
}

// Bounds of the engine, whose traces close at once.
const (
	engineSpans   = 20_000
	engineHorizon = 512 << 10
	// mostSliced is how large a piece of a record may be for its room to be kept.
	mostSliced = 4 << 20
)

func newRowReader(t *rows, rules understand.Config, rate float64) (*rowReader, error) {
	x := &rowReader{rows: t, budget: newBudget(rate), chosen: map[[16]byte]bool{}}
	x.slicer.keep = func(id *[16]byte) bool { return x.chosen[*id] }
	reader, err := understand.NewReader(rules)
	if err != nil {
		return nil, err
	}
	x.reader = reader
	rules.CloseRoot, rules.CloseChain, rules.CloseLeaf = time.Microsecond, time.Microsecond, time.Microsecond
	rules.MaxOpenSpans, rules.MaxTraceSpans, rules.MaxRemembered = engineSpans, engineSpans, engineSpans
	rules.HorizonBytes = engineHorizon
	if x.engine, err = understand.New(rules, (*rowTally)(x)); err != nil {
		return nil, err
	}
	return x, nil
}

// take reads what a record has of the traces in x.groups that the budget admits.
func (x *rowReader) take(rec *journal.Record, body []byte) {
	x.rows.mu.Lock()
	defer x.rows.mu.Unlock()
	defer func() { x.groups.list = x.groups.list[:0] }()
	x.rows.now = rec.Admitted
	before := x.budget.left
	all := x.choose(rec)
	x.rows.left += x.budget.left - before
	if x.rows.from.IsZero() || rec.Admitted.Before(x.rows.from) {
		x.rows.from = rec.Admitted
	}
	if len(x.chosen) > 0 {
		x.readInto(rec, body, all)
	}
}

// choose decides which traces of the record are read; true if all are.
func (x *rowReader) choose(rec *journal.Record) (all bool) {
	clear(x.chosen)
	all = true
	for i := range x.groups.list {
		g := &x.groups.list[i]
		if len(x.chosen) > 0 && x.chosen[g.trace] {
			continue
		}
		key := x.rows.key(&g.trace)
		if r, _ := x.rows.find(&g.trace); r != nil && r.heard > rec.Position {
			all = false // it was read when the run was judged
			continue
		}
		if x.rows.known(key) || x.budget.admits(rec.Admitted, key, g.notable) {
			x.chosen[g.trace] = true
		} else {
			all = false
		}
	}
	return all
}

// readInto reads the chosen traces of a record. rows.mu is held.
func (x *rowReader) readInto(rec *journal.Record, body []byte, all bool) {
	if !all {
		x.sliced = x.slicer.level(x.sliced[:0], body, 0)
		body = x.sliced
		if cap(body) > mostSliced {
			x.sliced, x.slicer.inner = nil, [2][]byte{}
		}
	}
	x.at, x.seen = rec.Position, 0
	x.touched = x.touched[:0]
	// A record that does not scan was counted as damaged by whoever counts.
	_ = x.scanner.Traces(body, x)
	door := uint8(doorOTLP)
	if rec.Kind == journal.Derived {
		door = doorRuns
	}
	_ = x.engine.Traces(rec.Admitted, door, body)
	x.engine.Flush()
	for i := len(x.touched) - 1; i >= 0; i-- {
		if r := x.touched[i]; !r.flags.has(isGenAI) {
			x.rows.dropIdle(r)
		}
	}
}

// Resource is called by the scanner.
func (x *rowReader) Resource(r *otlp.Resource) { x.reader.Resource(r) }

// Scope is called by the scanner.
func (x *rowReader) Scope(s *otlp.Scope) { x.reader.Scope(s) }

// Span is called by the scanner.
func (x *rowReader) Span(sp *otlp.Span) {
	r, c := x.rows.find(&sp.TraceID)
	if r == nil {
		r, c = x.rows.make(&sp.TraceID)
		r.first = x.at
		x.touched = append(x.touched, r)
	}
	x.reader.Read(sp, &x.read)
	x.seen++
	r.heard = x.at + x.seen
	r.spans++
	state := stateIn(sp)
	if state != "" || x.read.Kind != semconv.KindOther || x.read.Flags.Has(understand.Entry) {
		r.flags |= isGenAI
	}
	user, talk := people(sp.Attributes)
	if r.user == 0 {
		r.user = x.rows.hash(user)
	}
	if r.talk == 0 {
		r.talk = x.rows.hash(talk)
	}
	h := headOf(sp, &x.read, state)
	if r.spans > 1 && !h.leads(r) {
		return
	}
	const ofHead = isRoot | isFailed | isGoing | isTimeout | isEvicted
	r.flags = r.flags&^ofHead | h.flags
	r.head, r.run, r.start, r.duration, r.kind = h.head, h.run, h.start, h.duration, h.kind
	r.name, r.service, r.err = c.share(valid(x.read.Name)), c.share(valid(x.read.Service)), c.share(valid(x.read.ErrorType))
	r.shownID, r.named = 0, c.put(string(attribute(sp.Attributes, semconv.TreqRunID)))
	if id := attribute(sp.Attributes, semconv.LSSpanID); len(id) > 0 && len(id) <= mostID {
		r.run = understand.ParseRunID(id)
		if shown := valid(string(id)); shown != c.runID(r) {
			r.shownID = c.put(shown)
		}
	}
	var written string
	if t := content(sp.Attributes, inputs[:], mostWords); t != nil {
		written = t.Text
	}
	words := fold(string(user) + "\n" + string(talk) + "\n" + string(attribute(sp.Attributes, semconv.TreqRunID)) + "\n" + written)
	words, _ = shorten(words, mostWords)
	r.words = c.put(words)
}

// mostWords bounds what a row keeps to be searched of who asked and what, in bytes.
const mostWords = 96

// headOf makes of a span what a row says of its head.
func headOf(sp *otlp.Span, u *understand.Span, state string) row {
	h := row{head: sp.SpanID, run: spanRun(sp.SpanID), start: u.Start, duration: -1, kind: uint8(u.Kind)}
	if u.Flags.Has(understand.Unusable) {
		h.start = int64(min(sp.Start, 1<<63-1))
	} else if !u.Flags.Has(understand.Untimed) {
		h.duration = u.End - u.Start
	}
	if sp.ParentID == ([8]byte{}) {
		h.flags |= isRoot
	}
	if u.Outcome != telemetry.Succeeded {
		h.flags |= isFailed
	}
	switch state {
	case "":
	case "running":
		h.flags |= isGoing
	case "timed_out":
		h.flags |= isTimeout
	default:
		h.flags |= isEvicted
	}
	if state != "" {
		h.kind = uint8(semconv.KindOfRunType(attribute(sp.Attributes, semconv.LSSpanKind)))
	}
	return h
}

// people gives who asked, and in which conversation; nil where nobody says.
func people(list []otlp.Attribute) (user, talk []byte) {
	for i := range list {
		a := &list[i]
		if a.Value.Type != otlp.String || len(a.Value.Bytes) == 0 {
			continue
		}
		switch string(a.Key) {
		case semconv.UserID, semconv.EndUserID, semconv.LFUserID, semconv.LSMetaUserID, semconv.GenAIUser:
			user = a.Value.Bytes
		case semconv.GenAIConversationID, semconv.OISessionID, semconv.LFSessionID,
			semconv.LSMetaSessionID, semconv.LSMetaThreadID, semconv.LSMetaConversationID:
			talk = a.Value.Bytes
		}
	}
	return user, talk
}

// rowTally is the reader as the engine tells it of events.
type rowTally rowReader

func (x *rowTally) row(o *telemetry.Origin) (*row, *chunk) { return x.rows.find(&o.TraceID) }

func (x *rowTally) call(m *telemetry.ModelCall, tokens bool) {
	r, c := x.row(&m.Origin)
	if r == nil {
		return
	}
	if tokens && m.HasUsage {
		r.tokens += m.Tokens.Total()
		r.flags |= hasTokens
	}
	if m.CostSource != telemetry.NoCost {
		r.cost += m.CostNanoUSD
		r.flags |= hasCost
	}
	if tokens && r.model == 0 {
		r.model = c.share(valid(m.Model()))
	}
}

// LLMCall implements telemetry.Recorder, as do the methods that follow.
func (x *rowTally) LLMCall(c *telemetry.LLMCall) { x.call(&c.ModelCall, true) }

func (x *rowTally) Embedding(e *telemetry.Embedding) { x.call(&e.ModelCall, false) }

func (x *rowTally) Rerank(e *telemetry.Rerank) { x.call(&e.ModelCall, false) }

func (x *rowTally) Retrieval(e *telemetry.Retrieval) {
	if r, _ := x.row(&e.Origin); r != nil && e.Scored {
		r.scored(float32(e.TopSimilarity))
	}
}

func (x *rowTally) Chat(*telemetry.Chat)                              {}
func (x *rowTally) ChatAddition(*telemetry.ChatAddition)              {}
func (x *rowTally) ToolCall(*telemetry.ToolCall)                      {}
func (x *rowTally) Feedback(*telemetry.Feedback)                      {}
func (x *rowTally) Span(telemetry.Disposition, string, string, int64) {}
func (x *rowTally) Rejected(string, int64)                            {}
func (x *rowTally) Unmapped(string, int64)                            {}
func (x *rowTally) Late(int64)                                        {}

// looksLikeID tells whether a text may be a piece of an id, and gives its digits.
func looksLikeID(text string) ([]byte, bool) {
	digits := bytes.ReplaceAll([]byte(text), []byte("-"), nil)
	if len(digits) < 4 || len(digits) > 32 {
		return nil, false
	}
	padded := append(bytes.Clone(digits), '0')
	_, err := hex.DecodeString(string(padded[:len(digits)+len(digits)%2]))
	return digits, err == nil
}
