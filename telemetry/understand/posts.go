package understand

import (
	"encoding/hex"
	"math"
	"time"

	"treq/telemetry"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// Logs takes an ExportLogsServiceRequest (protobuf) that was admitted at a time.
// The records that the JSON API makes of posts are events at once; evaluation
// results are feedback; other records are none. An error, of kind Invalid, means
// that the body does not decode; the records before the fault have been taken.
func (e *Engine) Logs(admitted time.Time, body []byte) error {
	e.Advance(admitted)
	return e.scanner.Logs(body, (*logVisitor)(e))
}

// logVisitor is the engine as the scanner of log records sees it.
type logVisitor Engine

// defaultService is the service of posts that name none.
const defaultService = "default"

func (v *logVisitor) Resource(r *otlp.Resource) {
	v.origin = ""
	for i := range r.Attributes {
		if a := &r.Attributes[i]; string(a.Key) == semconv.ServiceName && a.Value.Type == otlp.String {
			v.origin = v.reader.texts.get(a.Value.Bytes)
		}
	}
}

func (v *logVisitor) Scope(*otlp.Scope) {}

func (v *logVisitor) LogRecord(l *otlp.LogRecord) {
	p := post{record: l, engine: (*Engine)(v)}
	switch string(l.EventName) {
	case semconv.EventChat:
		p.chat()
	case semconv.EventRetrieval:
		p.retrieval()
	case semconv.EventLLMCall:
		p.llmCall()
	case semconv.EventFeedback:
		p.feedback()
	case semconv.EventEvaluationResult:
		p.evaluation()
	default:
		return
	}
	v.reader.rejected.tell(v.rec)
}

// post reads one log record as an event.
type post struct {
	record *otlp.LogRecord
	engine *Engine
}

func (p *post) value(name string) (otlp.Value, bool) {
	for i := range p.record.Attributes {
		if a := &p.record.Attributes[i]; string(a.Key) == name && a.Value.Type != otlp.Empty {
			return a.Value, true
		}
	}
	return otlp.Value{}, false
}

func (p *post) text(name string) []byte {
	if v, ok := p.value(name); ok && v.Type == otlp.String {
		return v.Bytes
	}
	return nil
}

func (p *post) truth(name string) bool {
	v, ok := p.value(name)
	truth, isTruth := v.Truth()
	return ok && isTruth && truth
}

// number reads a number in 0..most; one outside is refused and counted.
func (p *post) number(name string, most float64, why rejection) (float64, bool) {
	v, ok := p.value(name)
	if !ok {
		return 0, false
	}
	n, ok := v.Number()
	if !ok || !(n >= 0 && n <= most) {
		p.engine.reader.rejected.count(why)
		return 0, false
	}
	return n, true
}

// tokens reads a number of tokens, a fraction cut off.
func (p *post) tokens(name string) int64 {
	n, _ := p.number(name, mostTokens, badTokens)
	return int64(n)
}

// duration reads milliseconds, UnknownDuration if they are not told.
func (p *post) duration(name string) time.Duration {
	ms, ok := p.number(name, 1e9, badDuration)
	if !ok {
		return telemetry.UnknownDuration
	}
	return time.Duration(math.Round(ms * 1e6))
}

func (p *post) interned(name string) string { return p.engine.reader.texts.get(p.text(name)) }

func (p *post) origin() telemetry.Origin {
	o := telemetry.Origin{Service: p.service()}
	if at := p.record.Time; at <= math.MaxInt64 {
		o.Start = int64(at)
	}
	return o
}

func (p *post) service() string {
	if s := p.interned(semconv.ServiceName); s != "" {
		return s
	}
	if p.engine.origin != "" {
		return p.engine.origin
	}
	return defaultService
}

func (p *post) run() RunID { return ParseRunID(p.text(semconv.TreqRunID)) }

// traced gives the chat that spans told of the post's run, nil if none did.
func (p *post) traced() *keptChat {
	run := p.run()
	if run == (RunID{}) {
		return nil
	}
	a := &p.engine.assembly
	if a.runs.traced == nil {
		a.runs.index(a.memories.list[a.memories.head:])
	}
	return a.runs.find(run, &a.traces)
}

func (p *post) chat() {
	e := p.engine
	if e.config.ChatsFrom == FromTraces {
		return
	}
	tokens := p.tokens(semconv.TreqLLMTokens)
	var calls int64
	if tokens > 0 {
		calls = 1
	}
	e.assembly.stats.ChatsFromPosts++
	if k := p.traced(); k != nil && k.counts {
		// The spans came first. What the post tells beyond them is added.
		p.merge(k, calls, tokens)
		return
	}
	c := telemetry.Chat{
		Origin: p.origin(), Duration: p.duration(semconv.TreqDurationMS), LLMCalls: calls, Tokens: tokens,
	}
	if !p.truth(semconv.TreqSuccess) {
		c.Outcome, c.ErrorType = telemetry.Failed, otherError
		if t := p.interned(semconv.ErrorType); t != "" {
			c.ErrorType = t
		}
	}
	if p.truth(semconv.TreqRAGUsed) {
		c.RAG = telemetry.Empty
		if p.truth(semconv.TreqRAGFound) {
			c.RAG = telemetry.Found
		}
	}
	if run := p.run(); run != (RunID{}) && e.config.ChatsFrom == FromBoth {
		wait := int64(e.config.CloseMax) + int64(e.config.CloseLeaf)
		e.assembly.runs.post(run, calls, tokens, later(e.assembly.now, wait))
	}
	e.rec.Chat(&c)
}

// merge adds to a chat what a post tells beyond its spans.
func (p *post) merge(k *keptChat, calls, tokens int64) {
	more := telemetry.ChatAddition{
		Service: k.service, LLMCalls: max(0, calls-k.calls), Tokens: max(0, tokens-k.tokens),
	}
	k.creditCalls += more.LLMCalls
	k.creditTokens += more.Tokens
	k.calls += more.LLMCalls
	k.tokens = telemetry.Plus(k.tokens, more.Tokens)
	if more.LLMCalls > 0 || more.Tokens > 0 {
		p.engine.rec.ChatAddition(&more)
	}
}

func (p *post) retrieval() {
	if p.traced() != nil {
		return
	}
	r := telemetry.Retrieval{
		Origin: p.origin(), Duration: p.duration(semconv.TreqDurationMS), Documents: -1,
		DataSource: p.interned(semconv.GenAIDataSourceID), Result: telemetry.Unknown,
	}
	if p.truth(semconv.TreqCacheHit) {
		r.Cache = telemetry.Hit
	}
	if n, ok := p.number(semconv.TreqDocuments, mostTokens, badDocuments); ok {
		r.Documents = int64(n)
		r.Result = telemetry.Found
		if n == 0 {
			r.Result = telemetry.Empty
		}
	}
	if s, ok := p.number(semconv.TreqSimilarity, 1, badSimilarity); ok && r.Documents != 0 {
		r.Scored, r.MeanSimilarity, r.TopSimilarity = true, s, s
		if s > 0 {
			r.Result = telemetry.Found
		}
	}
	p.engine.rec.Retrieval(&r)
}

func (p *post) llmCall() {
	if p.traced() != nil {
		return
	}
	c := telemetry.LLMCall{ModelCall: telemetry.ModelCall{
		Origin: p.origin(), Duration: p.duration(semconv.TreqDurationMS), Operation: "chat",
		RequestModel: p.interned(semconv.GenAIRequestModel), ResponseModel: p.interned(semconv.GenAIResponseModel),
	}}
	if t := p.text(semconv.GenAIProviderName); t != nil {
		c.Provider = p.engine.reader.provider(t)
	}
	if v, ok := p.value(semconv.TreqSuccess); ok {
		if success, isTruth := v.Truth(); isTruth && !success {
			c.Outcome, c.ErrorType = telemetry.Failed, otherError
			if t := p.interned(semconv.ErrorType); t != "" {
				c.ErrorType = t
			}
		}
	}
	total := p.tokens(semconv.TreqLLMTokens)
	c.Tokens.Input, c.Tokens.Output = p.tokens(semconv.GenAIInputTokens), p.tokens(semconv.GenAIOutputTokens)
	c.Tokens.Unsplit = max(0, total-c.Tokens.Input-c.Tokens.Output)
	c.HasUsage = c.Tokens.Total() > 0
	if ms, ok := p.number(semconv.TreqTimeToFirstTokenMS, 1e9, badDuration); ok {
		c.TimeToFirstToken = time.Duration(math.Round(ms * 1e6))
	}
	p.engine.config.price(&c.ModelCall)
	p.engine.rec.LLMCall(&c)
}

func (p *post) feedback() {
	f := telemetry.Feedback{
		ID: string(p.text(semconv.TreqFeedbackID)), Withdrawn: p.truth(semconv.TreqFeedbackDeleted),
		Service: p.service(), RunID: string(p.text(semconv.TreqRunID)), Key: p.interned(semconv.TreqFeedbackKey),
		Source: p.interned(semconv.TreqFeedbackSource), Comment: string(p.text(semconv.TreqFeedbackComment)),
	}
	if f.Source == "" {
		f.Source = "api"
	}
	f.Score, f.Scored = p.number(semconv.TreqFeedbackScore, 1, badScore)
	p.judge(&f)
}

// evaluation reads a gen_ai.evaluation.result: of the span it is a child of, else
// of the answer it names.
func (p *post) evaluation() {
	f := telemetry.Feedback{
		Service: p.service(), Source: "otlp", Key: p.interned(semconv.GenAIEvaluationName),
		Comment: string(p.text(semconv.GenAIEvaluationExplanation)),
	}
	switch {
	case p.record.SpanID != [8]byte{}:
		f.RunID = uuid(runOfSpan(number(p.record.SpanID)))
	case p.record.TraceID != [16]byte{}:
		f.RunID = hex.EncodeToString(p.record.TraceID[:])
	default:
		f.RunID = string(p.text(semconv.GenAIResponseID))
	}
	v, told := p.value(semconv.GenAIEvaluationScore)
	if truth, ok := v.Truth(); told && ok {
		f.Scored = true
		if truth {
			f.Score = 1
		}
	} else if told {
		f.Score, f.Scored = p.number(semconv.GenAIEvaluationScore, 1, badScore)
	} else {
		f.Score, f.Scored = semconv.ScoreOfLabel(p.text(semconv.GenAIEvaluationLabel))
	}
	p.judge(&f)
}

// judge records a judgement unless the same was made before. The withdrawal of one
// that was not counted, or is no longer known, counts for nothing.
func (p *post) judge(f *telemetry.Feedback) {
	if f.Key == "" {
		f.Key = "user-score"
	}
	if p.engine.feedback.isNew(f) {
		p.engine.rec.Feedback(f)
	}
}

// uuid spells a run id as LangSmith does.
func uuid(id RunID) string {
	var b [36]byte
	hex.Encode(b[0:8], id[0:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:36], id[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}
