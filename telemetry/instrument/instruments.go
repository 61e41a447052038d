package instrument

import (
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"treq/telemetry"
)

// The defaults of Options.
const (
	DefaultMaxValues = 200
	DefaultMaxSeries = 2000
	DefaultThreshold = 0.5
)

// The reasons on treq.pipeline.folded.
const (
	reasonValues = "values"
	reasonSeries = "series"
)

// Options bounds what callers can make grow. The zero value gives the defaults.
type Options struct {
	// Family decides a model's family from its raw name, before any folding. It
	// must give the same answer for the same name. Nil is the guide's table.
	Family func(model string) string
	// MaxValues is how many distinct values each attribute keeps, 1 to 10000; 0
	// is DefaultMaxValues. The rest are folded into Other.
	MaxValues int
	// MaxSeries is how many series an instrument keeps in detail; 0 is
	// DefaultMaxSeries. Beyond, model and error type fold first, then the other
	// names; service and family never do.
	MaxSeries int
	// Threshold is the similarity, above 0 to 1, that the best document of a search
	// should reach; 0 is DefaultThreshold.
	Threshold float64
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Instruments records events on the instruments of MeterScope and gives them to
// the reader. The SDK's own aggregation is not used for
// them: it spends 350 ns on finding a series at every measurement, ten times
// what the measurement costs, and a reader cannot ask it for all series as they
// stood between two records.
//
// Like every [telemetry.Recorder] it is not safe for concurrent use: events,
// MarshalBinary and UnmarshalBinary come from one goroutine. Collect may be
// called at any time if events stand between Lock and Unlock.
type Instruments struct {
	family  func(string) string
	now     func() time.Time
	started time.Time

	mu   sync.Mutex // of every series' measurements
	at   time.Time  // of the latest Lock
	open int64      // spans that wait for the rest of their trace
	// opened tells that somebody said how many.
	opened bool

	service, errorType, dataSource, operation, provider        *values
	requestModel, responseModel, modelFamily, tool             *values
	feedbackKey, feedbackFrom, reason, attribute               *values
	outcome, rag, cache, result, tokenType, tokenKind, stream  *values
	disposition                                                *values
	chatUntimed, chatTokens, chatCalls, retrievalUntimed       counter
	llmUntimed, llmTokens, embeddingTokens, rerankTokens       counter
	llmStreams, toolUntimed, feedbackUnscored                  counter
	read, spans, rejected, late, unmapped                      counter
	chatDuration, retrievalDuration, similarity, topSimilarity histogram
	operationDuration, timeToFirstToken, toolDuration, score   histogram
	documents, tokenUsage                                      intHistogram
	chatCost, llmCost, unpriced, timedStreams, below, unscored counter
	displacement, replaced                                     histogram
	dropped                                                    counter
	costSource                                                 *values
	threshold                                                  float64

	folding  *seriesSet
	foldedBy map[foldedKey]*series

	latestSpans [16]latestSpans
	calls       [64]call // made of late, by a few bytes of what they say
	unfound     call     // the last that is not among them

	familyByModel []uint16     // by the id of the response model; absent is not known yet
	bounded       []*values    // in the order of the checkpoint
	sets          []*seriesSet // those whose series a checkpoint holds, in the order of the table
	table         []*seriesSet // all, in that order
	saved         []byte       // the last checkpoint's state, good while nothing was admitted since
	savedSize     int
}

var _ telemetry.Recorder = (*Instruments)(nil)

type foldedKey struct{ attr, reason string }

// New makes the instruments of MeterScope. It fails if an option is out of range.
func New(o Options) (*Instruments, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Family == nil {
		o.Family = FamilyOf(DefaultFamilies())
	}
	if o.MaxValues == 0 {
		o.MaxValues = DefaultMaxValues
	}
	if o.MaxSeries == 0 {
		o.MaxSeries = DefaultMaxSeries
	}
	if o.MaxValues < 1 || o.MaxValues > 10000 {
		return nil, fmt.Errorf("instrument: %d distinct values an attribute: want 1 to 10000", o.MaxValues)
	}
	if o.Threshold == 0 {
		o.Threshold = DefaultThreshold
	}
	if !(o.Threshold > 0 && o.Threshold <= 1) {
		return nil, fmt.Errorf("instrument: a threshold of %v: want above 0 to 1", o.Threshold)
	}
	if o.MaxSeries < 4 {
		return nil, fmt.Errorf("instrument: %d series an instrument: want at least 4", o.MaxSeries)
	}
	in := &Instruments{
		family: o.Family, foldedBy: map[foldedKey]*series{}, threshold: o.Threshold,
		now: o.Now, started: o.Now(), at: o.Now(),
	}
	b := builder{in: in, values: in.attributes(o.MaxValues), limit: o.MaxSeries, table: map[string]Definition{}}
	for _, def := range meterTable() {
		b.table[def.Name] = def
	}
	b.build()
	return in, nil
}

// attributes makes the values of every attribute.
func (in *Instruments) attributes(limit int) map[string]*values {
	all := map[string]*values{}
	// Values that code gives are there from the start and take nobody's room.
	free := func(attr string, own ...string) *values {
		v := newValues(attr, limit+len(own))
		for _, name := range own {
			v.admit(name)
		}
		all[attr] = v
		in.bounded = append(in.bounded, v)
		return v
	}
	enum := func(attr string, names ...string) *values {
		all[attr] = newEnum(attr, names...)
		return all[attr]
	}
	in.service = free(AttrService, UnknownService)
	in.errorType = free(AttrErrorType, UnknownError)
	in.dataSource = free(AttrDataSource)
	in.operation = free(AttrOperation, OperationChat, OperationEmbeddings, OperationRerank)
	in.provider = free(AttrProvider)
	in.requestModel = free(AttrRequestModel)
	in.responseModel = free(AttrResponseModel)
	in.modelFamily = free(AttrFamily)
	in.tool = free(AttrTool)
	in.feedbackKey = free(AttrFeedbackKey)
	in.feedbackFrom = free(AttrFeedbackFrom)
	in.reason = free(AttrReason)
	in.attribute = free(AttrAttribute)

	in.outcome = enum(AttrOutcome, telemetry.Succeeded.String(), telemetry.Failed.String())
	evidence := []string{telemetry.None.String(), telemetry.Unknown.String(), telemetry.Empty.String(), telemetry.Found.String()}
	in.rag = enum(AttrRAG, evidence...)
	in.result = enum(AttrResult, evidence...)
	in.cache = enum(AttrCache, telemetry.Miss.String(), telemetry.Hit.String())
	in.tokenType = enum(AttrTokenType, "input", "output")
	in.tokenKind = enum(AttrTokenKind, "input", "cache_read", "cache_write", "output", "reasoning", "unsplit")
	in.costSource = enum(AttrCostSource, telemetry.ReportedCost.String(), telemetry.BookCost.String())
	in.stream = enum(AttrStream, telemetry.StreamCompleted.String(), telemetry.StreamAborted.String(), telemetry.StreamUsageMissing.String())
	in.disposition = enum(AttrDisposition, telemetry.Recorded.String(), telemetry.Folded.String(),
		telemetry.Duplicate.String(), telemetry.NotGenAI.String(), telemetry.Refused.String())
	return all
}

// fold counts a measurement whose value became Other.
func (in *Instruments) fold(attr *values, reason string) {
	key := foldedKey{attr.attr, reason}
	made, ok := in.foldedBy[key]
	if !ok {
		made = in.folding.of(attribute.NewSet(
			attribute.String(AttrAttribute, attr.attr), attribute.String(AttrReason, reason)))
		in.foldedBy[key] = made
	}
	made.add(1)
}

// id gives the id of a caller's value and counts it if it was folded.
func (in *Instruments) id(v *values, raw string) uint16 {
	id, folded := v.id(raw)
	if folded {
		in.fold(v, reasonValues)
	}
	return id
}

// builder makes instruments from the table.
type builder struct {
	in     *Instruments
	values map[string]*values
	limit  int
	table  map[string]Definition
}

func (b *builder) build() {
	in := b.in
	in.chatDuration = b.histogram(ChatDuration)
	in.chatUntimed = b.counter(ChatUntimed)
	in.chatTokens = b.counter(ChatTokens)
	in.chatCalls = b.counter(ChatLLMCalls)
	in.chatCost = b.counter(ChatCost)
	in.retrievalDuration = b.histogram(RetrievalDuration)
	in.retrievalUntimed = b.counter(RetrievalUntimed)
	in.similarity = b.histogram(RetrievalSimilarity)
	in.topSimilarity = b.histogram(RetrievalTop)
	in.below = b.counter(RetrievalBelow)
	in.unscored = b.counter(RetrievalUnscored)
	in.documents = b.intHistogram(RetrievalDocuments)
	in.operationDuration = b.histogram(OperationDuration)
	in.llmUntimed = b.counter(LLMUntimed)
	in.tokenUsage = b.intHistogram(TokenUsage)
	in.llmTokens = b.counter(LLMTokens)
	in.embeddingTokens = b.counter(EmbeddingTokens)
	in.rerankTokens = b.counter(RerankTokens)
	in.displacement = b.histogram(RerankDisplacement)
	in.llmCost = b.counter(LLMCost)
	in.unpriced = b.counter(LLMUnpricedTokens)
	in.timedStreams = b.counter(LLMTimedStreams)
	in.timeToFirstToken = b.histogram(TimeToFirstToken)
	in.llmStreams = b.counter(LLMStreams)
	in.toolDuration = b.histogram(ToolDuration)
	in.toolUntimed = b.counter(ToolUntimed)
	in.score = b.histogram(FeedbackScore)
	in.feedbackUnscored = b.counter(FeedbackUnscored)
	in.replaced = b.histogram(FeedbackReplaced)
	in.dropped = b.counter(FeedbackDropped)
	in.spans = b.counter(PipelineSpans)
	in.rejected = b.counter(PipelineRejected)
	in.late = b.counter(PipelineLate)
	in.unmapped = b.counter(PipelineUnmapped)
	in.read = b.counter(PipelineAdmitted)
	in.folding = b.set(PipelineFolded)
}

func (b *builder) set(name string) *seriesSet {
	def := b.table[name]
	s := &seriesSet{def: def, limit: b.limit, folded: b.in.fold}
	b.in.table = append(b.in.table, s)
	if name == PipelineFolded {
		return s // its attributes are the table's own names
	}
	for _, attr := range def.Attributes {
		s.attrs = append(s.attrs, b.values[attr])
		s.ranks = append(s.ranks, rankOf(attr))
	}
	b.in.sets = append(b.in.sets, s)
	return s
}

func (b *builder) counter(name string) counter { return counter{b.set(name)} }

func (b *builder) histogram(name string) histogram { return histogram{b.set(name)} }

func (b *builder) intHistogram(name string) intHistogram { return intHistogram{b.set(name)} }
