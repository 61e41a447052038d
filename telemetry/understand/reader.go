package understand

import (
	"math"

	"treq/telemetry"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// Reader reads spans: it resolves what one says over every dialect. It keeps what
// it was last told of resource and scope, and counts field values that it refused.
// Not safe for concurrent use; make one with NewReader.
type Reader struct {
	config   *Config
	texts    *interner
	service  string
	scope    string
	governed bool
	names    names
	// providers holds what spellings of providers seen of late stand for.
	providers [16]struct {
		raw string
		spelling
	}

	rank  [fieldCount]uint8
	value [fieldCount]otlp.Value
	docs  indexed
	order reordering

	rejected rejections
	unmapped unmapped

	// eventless stands for spans that were not scanned, which have no events.
	eventless otlp.Span
}

// NewReader makes a reader. The error, of kind Invalid, names what is wrong with
// the configuration.
func NewReader(c Config) (*Reader, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	return newReader(&c), nil
}

func newReader(c *Config) *Reader {
	return &Reader{config: c, texts: newInterner(8192), service: unknownService}
}

const unknownService = "unknown_service"

// Resource tells the resource of the spans that follow.
func (r *Reader) Resource(res *otlp.Resource) {
	r.service = unknownService
	for i := range res.Attributes {
		a := &res.Attributes[i]
		if string(a.Key) == semconv.ServiceName && a.Value.Type == otlp.String && len(a.Value.Bytes) > 0 {
			r.service = r.texts.get(a.Value.Bytes)
			break
		}
	}
	r.governed = governs(r.config.Entries, r.service)
}

// Scope tells the instrumentation scope of the spans that follow.
func (r *Reader) Scope(s *otlp.Scope) { r.scope = r.texts.get(s.Name) }

// Read reads one span into out, all of whose fields it sets but Door.
func (r *Reader) Read(sp *otlp.Span, out *Span) {
	// A literal of all fields would be made elsewhere and copied, which takes as long
	// as all that is set here.
	*out = Span{}
	out.TraceID, out.ID, out.Parent = sp.TraceID, number(sp.SpanID), number(sp.ParentID)
	out.Service, out.Scope, out.Name, out.SpanKind = r.service, r.scope, r.texts.get(sp.Name), sp.Kind
	out.Search.Documents = -1
	if !r.times(sp, out) {
		out.Flags |= Unusable
		return
	}
	r.collect(sp)
	out.Kind = r.kind(sp, out)
	r.rules(out)
	r.outcome(sp, out)
	if r.has(fHTTPStatus) {
		if n, ok, exact := r.value[fHTTPStatus].Integer(); ok && exact && 100 <= n && n <= 599 {
			out.HTTPStatus = uint16(n)
		}
	}
	switch {
	case isModel(out.Kind):
		r.call(sp, out)
	case isSearch(out.Kind):
		r.search(sp, out)
	case out.Kind == semconv.KindTool:
		out.Tool = r.texts.get(r.text(fToolName))
	}
	r.rest(out)
}

// rest reads what any span may say, and each says differently.
func (r *Reader) rest(out *Span) {
	if r.has(fRunID) {
		out.RunID = ParseRunID(r.text(fRunID))
	}
	if isModel(out.Kind) {
		out.Call.Answer = r.answer()
	}
	if out.Kind != semconv.KindOther && r.has(fOutputJSON) && unconsumed(r.text(fOutputJSON)) {
		out.Flags |= Untimed
		if out.Kind == semconv.KindLLM {
			out.Flags |= Streamed
		}
	}
}

// times sets Start and End; false if they are none.
func (r *Reader) times(sp *otlp.Span, out *Span) bool {
	if sp.Start == 0 || sp.End == 0 || sp.Start > math.MaxInt64 || sp.End > math.MaxInt64 {
		r.rejected.count(badTime)
		return false
	}
	out.Start, out.End = int64(sp.Start), int64(sp.End)
	if out.End < out.Start {
		out.End = out.Start
		r.rejected.count(reversedTimes)
	}
	return true
}

// collect finds the value of each field that the span tells.
func (r *Reader) collect(sp *otlp.Span) {
	clear(r.rank[:])
	r.docs = indexed{}
	if r.order.any || r.order.cut {
		r.order = reordering{}
	}
	for i := range sp.Attributes {
		a := &sp.Attributes[i]
		known := r.names.of(a.Key)
		key, p := known.key, known.place
		if p.field == noField {
			if known.unmapped != "" {
				r.unmapped.note(known.unmapped, r.texts)
			}
			if key == semconv.KeyOIRerankInput || key == semconv.KeyOIRerankedDocument {
				r.order.note(key, a)
			}
			if key >= semconv.KeyOIDocument && key != semconv.KeyOIRerankInput {
				r.docs.note(key, a, &r.rejected)
			}
			continue
		}
		if p.rank <= r.rank[p.field] || blank(&a.Value) {
			continue
		}
		switch p.field {
		case fRequestModel, fRequestModel2, fModelName, fResponseModel:
			if string(a.Value.Bytes) == "unknown" {
				continue
			}
		case fProvider:
			if r.spelled(a.Value.Bytes).none {
				continue
			}
		}
		r.rank[p.field] = p.rank
		r.value[p.field] = a.Value
	}
}

// blank tells whether a value tells nothing: none at all, or an empty text.
func blank(v *otlp.Value) bool {
	return v.Type == otlp.Empty || (v.Type == otlp.String || v.Type == otlp.Bytes) && len(v.Bytes) == 0
}

func (r *Reader) has(f field) bool { return r.rank[f] != 0 }

// text gives the text of a field, nil if it is not told or no text. LangSmith's
// SDK of 2025 tells inputs and outputs as bytes.
func (r *Reader) text(f field) []byte {
	if r.rank[f] == 0 {
		return nil
	}
	switch v := &r.value[f]; v.Type {
	case otlp.String, otlp.Bytes:
		return v.Bytes
	}
	return nil
}

// kind resolves the span's kind by the ordered look-up.
func (r *Reader) kind(sp *otlp.Span, out *Span) semconv.Kind {
	explicit := semconv.KindOther
	switch string(r.text(fTreqKind)) {
	case "chat":
		out.Flags |= Entry
		explicit = semconv.KindChain
	case "task":
		out.Flags |= Excluded
		explicit = semconv.KindChain
	case "retrieval":
		return semconv.KindRetriever
	case "llm":
		return semconv.KindLLM
	}
	if k := r.kindOfDialects(sp); k != semconv.KindOther {
		return k
	}
	return explicit
}

func (r *Reader) kindOfDialects(sp *otlp.Span) semconv.Kind {
	for f := fRunType; f <= fTraceloopKind; f++ {
		if r.rank[f] == 0 {
			continue
		}
		if k := kindReaders[f](r.text(f)); k != semconv.KindOther {
			return k
		}
	}
	switch system := r.text(fDBSystem); {
	case r.has(fVector) || r.has(fResultCount) && r.has(fTopScore), r.has(fTopDistance),
		system != nil && semconv.IsVectorStore(system):
		op := r.text(fDBOperation)
		if op == nil {
			op = sp.Name
		}
		if semconv.IsVectorQuery(op) {
			return semconv.KindVectorQuery
		}
		return semconv.KindVectorStore
	case r.has(fToolName) || r.has(fToolCall):
		return semconv.KindTool
	case r.has(fRequestModel) || r.has(fModelName) || r.has(fRequestModel2) || r.has(fResponseModel):
		return semconv.KindLLM
	case r.has(fEmbeddingModel):
		return semconv.KindEmbedding
	case r.has(fRerankerModel):
		return semconv.KindReranker
	}
	return semconv.KindOther
}

var kindReaders = [fieldCount]func([]byte) semconv.Kind{
	fRunType:       semconv.KindOfRunType,
	fOIKind:        semconv.KindOfRunType,
	fLangfuseType:  semconv.KindOfRunType,
	fOperation:     semconv.KindOfOperation,
	fRequestType:   semconv.KindOfRequestType,
	fAIOperation:   semconv.KindOfAIOperation,
	fTraceloopKind: semconv.KindOfTraceloop,
}

// rules applies the configured rules and finds sessions.
func (r *Reader) rules(out *Span) {
	c := r.config
	if r.governed {
		out.Flags |= Governed
		if matches(c.Entries, out.Service, out.Name, r.text(fRoute)) {
			out.Flags |= Entry
		}
	}
	if len(c.Exclude) > 0 && matches(c.Exclude, out.Service, out.Name, r.text(fRoute)) {
		out.Flags |= Excluded
	}
	switch string(r.text(fScheme)) {
	case "ws", "wss", "websocket":
		out.Flags |= Session
	}
	r.session(out)
}

// session finds the sessions that no word names.
func (r *Reader) session(out *Span) {
	if out.End-out.Start > int64(r.config.Session) {
		out.Flags |= Session
	}
	if u := r.text(fURL); len(u) > 6 && (string(u[:5]) == "ws://" || string(u[:6]) == "wss://") {
		out.Flags |= Session
	}
}

// outcome reads status and error type: ERROR failed; OK succeeded, but for runs of
// LangSmith's JavaScript SDK, which says OK of failed ones too; UNSET failed only
// where an error type is set. A stream that was left by whoever asked did not fail.
func (r *Reader) outcome(sp *otlp.Span, out *Span) {
	switch sp.Status {
	case otlp.StatusOK:
		if !r.failedRun(sp) {
			return
		}
	case otlp.StatusError:
	default:
		if !r.has(fErrorType) {
			return
		}
	}
	errorType := r.errorType(sp)
	if errorType == leftByAsker && out.Kind != semconv.KindOther {
		// Whoever asked left the stream: nothing failed, and not all of it came.
		out.Flags |= Aborted
		return
	}
	out.Outcome = telemetry.Failed
	out.ErrorType = errorType
}

// leftByAsker is what Python raises in a generator that is closed before its end.
const leftByAsker = "GeneratorExit"

// failedRun tells whether a span is a run of LangSmith's that has an exception and
// no output: the SDK adds the one for the run's error alone, and the other else.
func (r *Reader) failedRun(sp *otlp.Span) (failed bool) {
	if r.rank[fRunType] == 0 || r.scope != semconv.LSScope || r.has(fOutputJSON) {
		return false
	}
	sp.EachEvent(func(e *otlp.Event) bool {
		failed = string(e.Name) == semconv.EventException
		return !failed
	})
	return failed
}

func (r *Reader) errorType(sp *otlp.Span) string {
	if t := r.text(fErrorType); t != nil {
		return r.texts.get(t)
	}
	if t := r.text(fExceptionType); t != nil {
		return r.texts.get(t)
	}
	var found string
	sp.EachEvent(func(e *otlp.Event) bool {
		if string(e.Name) != semconv.EventException {
			return true
		}
		var class, message []byte
		for i := range e.Attributes {
			switch a := &e.Attributes[i]; string(a.Key) {
			case semconv.ExceptionType:
				class = a.Value.Bytes
			case semconv.ExceptionMessage:
				message = a.Value.Bytes
			}
		}
		// LangSmith's Python exporter wraps every exception, and tells its class in the text.
		if r.scope == semconv.LSScope && string(class) == "Exception" {
			if inner := className(message); inner != nil {
				class = inner
			}
		}
		if len(class) > 0 {
			found = r.texts.get(class)
		}
		return true
	})
	if found != "" {
		return found
	}
	if t := className(sp.StatusMessage); t != nil {
		return r.texts.get(t)
	}
	return otherError
}

// otherError is the value the conventions give an error that names no type.
const otherError = "_OTHER"

// className gives the exception's class where a status message starts with one,
// as LangSmith's do: ValueError('…'), openai.RateLimitError: …. The message itself
// may hold anything and is never used.
func className(message []byte) []byte {
	for i, c := range message {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', c == '_', c == '.' && i > 0, '0' <= c && c <= '9' && i > 0:
			if i == 64 {
				return nil
			}
		case i > 0 && (c == '(' || c == ':'):
			return message[:i]
		default:
			return nil
		}
	}
	return nil
}

func number(id [8]byte) (n uint64) {
	for _, b := range id {
		n = n<<8 | uint64(b)
	}
	return n
}
