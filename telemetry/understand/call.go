package understand

import (
	"bytes"
	"math"
	"time"

	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// call reads what a model span says: models, provider, usage, streaming.
func (r *Reader) call(sp *otlp.Span, out *Span) {
	c := &out.Call
	c.Operation = r.operation(out.Kind)
	c.RequestModel = r.firstText(fRequestModel, fModelName, fRequestModel2, r.modelField(out.Kind))
	c.ResponseModel = r.firstText(fResponseModel, fModelName, fResponseModel2)
	if r.has(fProvider) {
		c.Provider = r.provider(r.text(fProvider))
	}
	use := r.usage()
	streams, _ := r.value[fStreaming].Truth()
	streams = streams && r.has(fStreaming)
	if bytes.Contains(r.text(fAIOperation), []byte(".stream")) {
		streams = true
	}
	if !use.told() || c.RequestModel == "" && c.ResponseModel == "" {
		told := callContent{budget: r.config.MaxContent}
		told.read(r.text(fParametersJSON), r.text(fInputJSON), r.text(fOutputJSON), !use.told())
		if c.RequestModel == "" {
			c.RequestModel = r.texts.get(told.requestModel)
		}
		if c.ResponseModel == "" {
			c.ResponseModel = r.texts.get(told.responseModel)
		}
		if !use.told() {
			use = told.usage
			use.check(&r.rejected)
		}
		streams = streams || told.streams
	}
	if p := r.text(fParametersJSON); !streams && bytes.Contains(p, []byte("stream")) {
		told := callContent{budget: r.config.MaxContent}
		told.inputs(p)
		streams = told.streams
	}
	c.Tokens, c.HasUsage = use.split()
	c.TimeToFirstToken = r.firstToken(sp, out, streams)
	if streams || c.TimeToFirstToken > 0 {
		out.Flags |= Streamed
		if r.broken() {
			out.Flags |= Aborted
		}
	}
}

// modelField is the field that names the model in the dialect of a kind.
func (r *Reader) modelField(k semconv.Kind) field {
	if k == semconv.KindReranker {
		return fRerankerModel
	}
	return fEmbeddingModel
}

// provider normalises a provider once per spelling.
func (r *Reader) provider(raw []byte) string {
	if p, ok := r.providers[string(raw)]; ok {
		return p
	}
	if len(r.providers) >= 1000 {
		clear(r.providers)
	}
	p := r.texts.get([]byte(semconv.Provider(raw)))
	r.providers[string(raw)] = p
	return p
}

func (r *Reader) firstText(fields ...field) string {
	for _, f := range fields {
		if t := r.text(f); t != nil {
			return r.texts.get(t)
		}
	}
	return ""
}

// operation gives the released value of gen_ai.operation.name.
func (r *Reader) operation(k semconv.Kind) string {
	switch k {
	case semconv.KindEmbedding:
		return "embeddings"
	case semconv.KindReranker:
		return "rerank"
	}
	switch string(r.text(fOperation)) {
	case "text_completion", "completion":
		return "text_completion"
	case "generate_content":
		return "generate_content"
	}
	if string(r.text(fRequestType)) == "completion" {
		return "text_completion"
	}
	return "chat"
}

// usage reads the usage that attributes tell; LangSmith's own wins.
func (r *Reader) usage() usage {
	u := newUsage()
	if t := r.text(fUsageJSON); t != nil {
		j := json{b: t, budget: r.config.MaxContent}
		j.usage(&u)
	}
	if !u.told() {
		u.input = r.tokens(fInput)
		u.output = r.tokens(fOutput)
		u.total = r.tokens(fTotal)
		u.cacheRead = r.tokens(fCacheRead)
		u.cacheWrite = r.tokens(fCacheWrite)
		u.reasoning = r.tokens(fReasoning)
		for _, f := range [...]field{fInputDetails, fOutputDetails} {
			if t := r.text(f); t != nil {
				j := json{b: t, budget: r.config.MaxContent}
				j.usageDetails(&u)
			}
		}
	}
	u.check(&r.rejected)
	return u
}

// tokens reads a number of tokens, -1 if it is not told or refused.
func (r *Reader) tokens(f field) float64 {
	if r.rank[f] == 0 {
		return -1
	}
	n, ok := r.value[f].Number()
	if !ok || n < 0 {
		r.rejected.count(badTokens)
		return -1
	}
	return n
}

// firstToken reads the time to the first token: the attribute, else the first
// event that tells of one.
func (r *Reader) firstToken(sp *otlp.Span, out *Span, streams bool) time.Duration {
	scale := float64(time.Second)
	f := fFirstChunk
	if !r.has(f) {
		f, scale = fFirstChunkMS, float64(time.Millisecond)
	}
	if r.has(f) {
		n, ok := r.value[f].Number()
		if d := n * scale; ok && d >= 0 && d <= float64(time.Hour) {
			return time.Duration(math.Round(d))
		}
		r.rejected.count(badDuration)
		return 0
	}
	if !streams && r.rank[fRunType] == 0 {
		return 0
	}
	var first time.Duration
	sp.EachEvent(func(e *otlp.Event) bool {
		switch string(e.Name) {
		case semconv.EventCompletionChunk, semconv.EventNewToken:
			if at := int64(min(e.Time, math.MaxInt64)); at > out.Start && at-out.Start <= int64(time.Hour) {
				first = time.Duration(at - out.Start)
			}
			return false
		}
		return true
	})
	return first
}

// broken tells whether the finish reason says that the answer was cut off by an error.
func (r *Reader) broken() bool {
	if !r.has(fFinish) {
		return false
	}
	v := r.value[fFinish]
	if v.Type == otlp.Array {
		broken := false
		otlp.EachElement(v, func(e otlp.Value) bool {
			broken = broken || brokenReason(e.Bytes)
			return true
		})
		return broken
	}
	for part := range bytes.SplitSeq(v.Bytes, []byte(",")) {
		if brokenReason(bytes.TrimSpace(part)) {
			return true
		}
	}
	return false
}

func brokenReason(b []byte) bool {
	switch string(b) {
	case "error", "aborted", "abort", "cancelled", "canceled":
		return true
	}
	return false
}
