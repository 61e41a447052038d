package instrument

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

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
}

// Instruments records events on instruments. It implements
// [telemetry.Recorder] and, like every recorder, is not safe for concurrent use:
// the instruments may be collected at any time, but events, MarshalBinary and
// UnmarshalBinary come from one goroutine.
type Instruments struct {
	family func(string) string

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
	displacement                                               histogram
	costSource                                                 *values
	threshold                                                  float64

	folding    metric.Int64Counter
	foldedBy   map[foldedKey][]metric.AddOption
	background context.Context
	traced     context.Context // of span
	span       exemplarSpan

	familyByModel []uint16     // by the id of the response model; absent is not known yet
	bounded       []*values    // in the order of the checkpoint
	sets          []*seriesSet // in the order of the table
	saved         []byte       // the last checkpoint's state, good while nothing was admitted since
	savedSize     int
}

var _ telemetry.Recorder = (*Instruments)(nil)

type foldedKey struct{ attr, reason string }

// counter, histogram and intHistogram join an instrument with its series.
type counter struct {
	metric.Int64Counter
	*seriesSet
}

type histogram struct {
	metric.Float64Histogram
	*seriesSet
}

type intHistogram struct {
	metric.Int64Histogram
	*seriesSet
}

// New makes the instruments of MeterScope on m, which should be a meter of that
// name. It fails if m refuses an instrument or an option is out of range.
func New(m metric.Meter, o Options) (*Instruments, error) {
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
	in := &Instruments{family: o.Family, foldedBy: map[foldedKey][]metric.AddOption{}, threshold: o.Threshold}
	in.background = context.Background()
	in.traced = in.span.context(in.background)
	byName := in.attributes(o.MaxValues)
	b := builder{meter: m, in: in, values: byName, limit: o.MaxSeries, table: map[string]Definition{}}
	for _, def := range meterTable() {
		b.table[def.Name] = def
	}
	b.build()
	if b.err != nil {
		return nil, fmt.Errorf("instrument: %w", b.err)
	}
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
	options, ok := in.foldedBy[key]
	if !ok {
		options = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(
			attribute.String(AttrAttribute, attr.attr), attribute.String(AttrReason, reason)))}
		in.foldedBy[key] = options
	}
	in.folding.Add(in.background, 1, options...)
}

// id gives the id of a caller's value and counts it if it was folded.
func (in *Instruments) id(v *values, raw string) uint16 {
	id, folded := v.id(raw)
	if folded {
		in.fold(v, reasonValues)
	}
	return id
}

// builder makes instruments from the table and keeps the first error.
type builder struct {
	meter  metric.Meter
	in     *Instruments
	values map[string]*values
	limit  int
	table  map[string]Definition
	err    error
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
	in.spans = b.counter(PipelineSpans)
	in.rejected = b.counter(PipelineRejected)
	in.late = b.counter(PipelineLate)
	in.unmapped = b.counter(PipelineUnmapped)
	in.read = b.counter(PipelineAdmitted)
	in.folding = b.counter(PipelineFolded).Int64Counter
}

func (b *builder) set(name string) *seriesSet {
	def := b.table[name]
	s := &seriesSet{def: def, limit: b.limit, known: map[seriesKey]*series{}, folded: b.in.fold}
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

func (b *builder) counter(name string) counter {
	def := b.table[name]
	made, err := b.meter.Int64Counter(name, metric.WithUnit(def.Unit), metric.WithDescription(def.Description))
	b.keep(err)
	return counter{made, b.set(name)}
}

func (b *builder) histogram(name string) histogram {
	def := b.table[name]
	made, err := b.meter.Float64Histogram(name, metric.WithUnit(def.Unit), metric.WithDescription(def.Description),
		metric.WithExplicitBucketBoundaries(def.Bounds...))
	b.keep(err)
	return histogram{made, b.set(name)}
}

func (b *builder) intHistogram(name string) intHistogram {
	def := b.table[name]
	made, err := b.meter.Int64Histogram(name, metric.WithUnit(def.Unit), metric.WithDescription(def.Description),
		metric.WithExplicitBucketBoundaries(def.Bounds...))
	b.keep(err)
	return intHistogram{made, b.set(name)}
}

func (b *builder) keep(err error) {
	if b.err == nil {
		b.err = err
	}
}
