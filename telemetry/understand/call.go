package understand

import (
	"bytes"

	"treq/telemetry"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// call reads what a model span says: models, provider, usage, streaming.
func (r *Reader) call(sp *otlp.Span, out *Span) {
	c := &out.Call
	r.callWords(out)
	use := r.usage()
	streams := r.saysStream()
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
	if model := &c.RequestModel; c.Provider == "" || *model == "" && c.ResponseModel == "" {
		l := labelsOf(r.text(fMetadataJSON), r.config.MaxContent)
		if c.Provider == "" && l.provider != nil {
			c.Provider = r.provider(l.provider)
		}
		if *model == "" && c.ResponseModel == "" {
			*model = r.texts.get(l.model)
		}
	}
	if out.Kind == semconv.KindReranker && r.order.any {
		c.Displacement, c.Ordered = r.order.displacement()
	}
	r.callFigures(sp, out, &use, streams)
}

// callWords reads what attributes of a few values each say of a call.
func (r *Reader) callWords(out *Span) {
	c := &out.Call
	c.Operation = r.operation(out.Kind)
	c.RequestModel = r.firstText(fRequestModel, fModelName, fRequestModel2, r.modelField(out.Kind))
	c.ResponseModel = r.firstText(fResponseModel, fModelName, fResponseModel2)
	if r.has(fProvider) {
		c.Provider = r.provider(r.text(fProvider))
	}
	c.ServiceTier = r.texts.get(r.text(fServiceTier))
}

// saysStream tells whether such an attribute says that the call answers in pieces.
func (r *Reader) saysStream() bool {
	streams, _ := r.value[fStreaming].Truth()
	return streams && r.has(fStreaming) || bytes.Contains(r.text(fAIOperation), []byte(".stream"))
}

// callFigures reads what differs from call to call, but for the usage.
func (r *Reader) callFigures(sp *otlp.Span, out *Span, use *usage, streams bool) {
	c := &out.Call
	c.Tokens, c.HasUsage = use.split()
	c.CostNanoUSD, c.HasCost = r.cost(use)
	r.pieces(sp, out, streams)
}

// pieces reads how a call answered, whose words say whether in pieces.
func (r *Reader) pieces(sp *otlp.Span, out *Span, streams bool) {
	if p := r.text(fParametersJSON); !streams && bytes.Contains(p, []byte("stream")) {
		told := callContent{budget: r.config.MaxContent}
		told.inputs(p)
		streams = told.streams
	}
	r.stream(sp, out, streams || inPieces(r.text(fOutputJSON), r.config.MaxContent))
}

// twoCounts gives the tokens of a call that tells of its usage and cost at most a number
// of tokens read and one of tokens written, as usage would; false if it has to be asked.
func (r *Reader) twoCounts() (t telemetry.Tokens, ok bool) {
	var n [2]int64
	for i, f := range [...]field{fInput, fOutput} {
		if !r.has(f) {
			continue
		}
		v := &r.value[f]
		if n[i] = v.Int(); v.Type != otlp.Int || n[i] < 0 || n[i] > mostTokens/2 {
			return t, false
		}
	}
	t.Input, t.Output = n[0], n[1]
	return t, n[0]+n[1] > 0
}

// modelField is the field that names the model in the dialect of a kind.
func (r *Reader) modelField(k semconv.Kind) field {
	if k == semconv.KindReranker {
		return fRerankerModel
	}
	return fEmbeddingModel
}

// spelling is what a spelling of a provider stands for.
type spelling struct {
	provider string
	none     bool // it names none
}

// spelled normalises a provider, once per spelling while there are few.
func (r *Reader) spelled(raw []byte) spelling {
	if len(raw) == 0 {
		return spelling{none: true}
	}
	at := &r.providers[(len(raw)+int(raw[0]))%len(r.providers)]
	if at.raw == string(raw) {
		return at.spelling
	}
	name := semconv.Provider(raw)
	s := spelling{r.texts.get([]byte(name)), name == ""}
	if len(raw) > maxText {
		return s
	}
	at.raw, at.spelling = string(raw), s
	return s
}

func (r *Reader) provider(raw []byte) string { return r.spelled(raw).provider }

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
	r.usageObject(fUsageJSON, &u, false)
	if !u.told() {
		u.input = r.tokens(fInput)
		u.output = r.tokens(fOutput)
		u.total = r.tokens(fTotal)
		u.cacheRead = r.tokens(fCacheRead)
		u.cacheWrite = r.tokens(fCacheWrite)
		u.reasoning = r.tokens(fReasoning)
		r.usageObject(fInputDetails, &u, true)
		r.usageObject(fOutputDetails, &u, true)
	}
	u.check(&r.rejected)
	return u
}

// usageObject reads an object of counts, or one of their details, which is JSON
// text in most dialects and a map in some.
func (r *Reader) usageObject(f field, u *usage, details bool) {
	if !r.has(f) {
		return
	}
	if v := r.value[f]; v.Type == otlp.KVList {
		u.pairs(v, details)
		return
	}
	if t := r.text(f); t != nil {
		j := json{b: t, budget: r.config.MaxContent}
		if details {
			j.usageDetails(u)
		} else {
			j.usage(u)
		}
	}
}

// pairs reads a map of counts, or one of their details.
func (u *usage) pairs(v otlp.Value, details bool) {
	otlp.EachPair(v, func(key []byte, e otlp.Value) bool {
		n := u.detail(key)
		if !details {
			n = u.named(key)
		}
		if e.Type == otlp.KVList && !details {
			u.pairs(e, true)
		} else if n != nil && *n == -1 {
			if told, ok := e.Number(); ok {
				setCount(n, told)
			}
		}
		return true
	})
}

// tokens reads a number of tokens, -1 if it is not told or refused.
func (r *Reader) tokens(f field) float64 {
	if r.rank[f] == 0 {
		return -1
	}
	n, ok := r.value[f].Number()
	// A whole number above the bound may be the bound when it is a floating-point one.
	if !ok || n < 0 || r.value[f].Type == otlp.Int && r.value[f].Int() > mostTokens {
		r.rejected.count(badTokens)
		return -1
	}
	return n
}
