package instrument

import (
	"time"

	"treq/telemetry"
)

// timed records a known duration, and counts an unknown one.
func (in *Instruments) timed(o *telemetry.Origin, d time.Duration, h histogram, untimed counter, key seriesKey) {
	if d < 0 {
		untimed.add(1, key)
		return
	}
	h.record(d.Seconds(), key, in.at, o)
}

// enum gives the id of the n-th value of an enumeration.
func enum[T ~uint8](n T) uint16 { return firstID + uint16(n) }

// serviceID gives the id of a service.
func (in *Instruments) serviceID(name string) uint16 {
	if name == "" {
		name = UnknownService
	}
	return in.id(in.service, name)
}

// errorID gives the id of an error type: absent for a success, never absent for a failure.
func (in *Instruments) errorID(outcome telemetry.Outcome, errorType string) uint16 {
	if outcome != telemetry.Failed {
		return absent
	}
	if id := in.id(in.errorType, errorType); id != absent {
		return id
	}
	return in.id(in.errorType, UnknownError)
}

// Chat implements telemetry.Recorder.
func (in *Instruments) Chat(c *telemetry.Chat) {
	service := in.serviceID(c.Service)
	key := seriesKey{enum(c.Outcome), in.errorID(c.Outcome, c.ErrorType), enum(c.RAG), service}
	in.timed(&c.Origin, c.Duration, in.chatDuration, in.chatUntimed, key)
	in.chatUse(c.LLMCalls, c.Tokens, c.CostNanoUSD, service)
}

// ChatAddition implements telemetry.Recorder.
func (in *Instruments) ChatAddition(a *telemetry.ChatAddition) {
	in.chatUse(a.LLMCalls, a.Tokens, a.CostNanoUSD, in.serviceID(a.Service))
}

func (in *Instruments) chatUse(calls, tokens, cost int64, service uint16) {
	if calls > 0 {
		in.chatCalls.add(calls, seriesKey{service})
	}
	if tokens > 0 {
		in.chatTokens.add(tokens, seriesKey{service})
	}
	if cost > 0 {
		in.chatCost.add(cost, seriesKey{service})
	}
}

// Retrieval implements telemetry.Recorder.
func (in *Instruments) Retrieval(r *telemetry.Retrieval) {
	service, source := in.serviceID(r.Service), in.id(in.dataSource, r.DataSource)
	result := max(r.Result, telemetry.Unknown)
	in.timed(&r.Origin, r.Duration, in.retrievalDuration, in.retrievalUntimed,
		seriesKey{enum(r.Outcome), source, enum(r.Cache), enum(result), service})
	key := seriesKey{source, service}
	if r.Scored {
		in.unit(&r.Origin, in.similarity, r.MeanSimilarity, key)
		in.unit(&r.Origin, in.topSimilarity, r.TopSimilarity, key)
		if r.TopSimilarity < in.threshold {
			in.below.add(1, key)
		}
	} else if r.Outcome == telemetry.Succeeded && result != telemetry.Empty {
		in.unscored.add(1, key)
	}
	if r.Documents >= 0 {
		in.documents.record(r.Documents, key)
	}
}

// unit records a value of 0..1 and refuses any other: a sum that once held a NaN
// would never be a number again.
func (in *Instruments) unit(o *telemetry.Origin, h histogram, value float64, key seriesKey) {
	if !(value >= 0 && value <= 1) {
		in.Rejected("out_of_range", 1)
		return
	}
	h.record(value, key, in.at, o)
}

// LLMCall implements telemetry.Recorder.
func (in *Instruments) LLMCall(c *telemetry.LLMCall) {
	m := in.model(&c.ModelCall, OperationChat)
	key := seriesKey{m.provider, m.response, m.family, m.service}
	for kind, n := range [...]int64{
		c.Tokens.Input, c.Tokens.CacheRead, c.Tokens.CacheWrite,
		c.Tokens.Output, c.Tokens.Reasoning, c.Tokens.Unsplit,
	} {
		if n > 0 {
			key[4] = firstID + uint16(kind)
			in.llmTokens.bound(&m.tokens[kind], key).add(n)
		}
	}
	if c.TimeToFirstToken > 0 {
		key[4] = absent
		in.timeToFirstToken.record(c.TimeToFirstToken.Seconds(), key, in.at, &c.Origin)
	}
	if c.Stream != telemetry.NotStreamed {
		if c.TimeToFirstToken > 0 {
			in.timedStreams.add(1, seriesKey{m.response, m.family, m.service})
		}
		in.llmStreams.add(1, seriesKey{m.response, m.family, m.service, enum(c.Stream - 1)})
	}
}

// Embedding implements telemetry.Recorder.
func (in *Instruments) Embedding(e *telemetry.Embedding) {
	in.side(&e.ModelCall, OperationEmbeddings, in.embeddingTokens)
}

// Rerank implements telemetry.Recorder.
func (in *Instruments) Rerank(r *telemetry.Rerank) {
	m := in.side(&r.ModelCall, OperationRerank, in.rerankTokens)
	if r.Ordered {
		in.unit(&r.Origin, in.displacement, r.Displacement, seriesKey{m.provider, m.response, m.family, m.service})
	}
}

// side records a call that is none to a language model, whatever operation it names.
func (in *Instruments) side(c *telemetry.ModelCall, operation string, tokens counter) *call {
	m := in.modelAs(c, operation)
	if n := c.Tokens.Total(); n > 0 {
		tokens.bound(&m.sideTokens, seriesKey{m.provider, m.response, m.family, m.service}).add(n)
	}
	return m
}

// model records a call to a language model. An operation that would take it out
// of the documents' llm block is not believed.
func (in *Instruments) model(c *telemetry.ModelCall, otherwise string) *call {
	operation := c.Operation
	if operation == "" || operation == OperationEmbeddings || operation == OperationRerank {
		operation = otherwise
	}
	return in.modelAs(c, operation)
}

func (in *Instruments) modelAs(c *telemetry.ModelCall, operation string) *call {
	m := in.call(c, operation)
	key := seriesKey{m.operation, m.provider, m.request, m.response, m.error, m.family, m.service}
	if c.Duration < 0 {
		in.llmUntimed.add(1, key)
	} else {
		in.operationDuration.measure(in.operationDuration.bound(&m.duration, key), c.Duration.Seconds(), in.at, &c.Origin)
	}
	in.spend(c, m)
	if t := &c.Tokens; c.HasUsage && t.Unsplit == 0 {
		key[7] = firstID
		in.tokenUsage.measure(in.tokenUsage.bound(&m.inputs, key), t.Input+t.CacheRead+t.CacheWrite)
		if operation != OperationEmbeddings && operation != OperationRerank {
			key[7] = firstID + 1
			in.tokenUsage.measure(in.tokenUsage.bound(&m.outputs, key), t.Output+t.Reasoning)
		}
	}
	return m
}

// spend records what a call cost: a cost of 0 too, since a free model is not one
// without a price.
func (in *Instruments) spend(c *telemetry.ModelCall, m *call) {
	key := seriesKey{m.operation, m.provider, m.response, m.family, m.service}
	if c.UnpricedTokens > 0 {
		in.unpriced.bound(&m.unpriced, key).add(c.UnpricedTokens)
	}
	if c.CostSource != telemetry.NoCost && c.CostNanoUSD >= 0 {
		key[5] = enum(c.CostSource - 1)
		in.llmCost.bound(&m.cost[c.CostSource-1], key).add(c.CostNanoUSD)
	}
}

// familyID decides a model's family from its raw name, once for every admitted name.
func (in *Instruments) familyID(model string, response uint16) uint16 {
	if response <= otherID || in.responseModel.names[response] != model {
		return in.id(in.modelFamily, in.family(model))
	}
	for len(in.familyByModel) <= int(response) {
		in.familyByModel = append(in.familyByModel, absent)
	}
	if in.familyByModel[response] == absent {
		in.familyByModel[response] = in.id(in.modelFamily, in.family(model))
	}
	return in.familyByModel[response]
}

// ToolCall implements telemetry.Recorder.
func (in *Instruments) ToolCall(t *telemetry.ToolCall) {
	key := seriesKey{in.id(in.tool, t.Tool), in.errorID(t.Outcome, t.ErrorType), in.serviceID(t.Service)}
	in.timed(&t.Origin, t.Duration, in.toolDuration, in.toolUntimed, key)
}

// Feedback implements telemetry.Recorder.
func (in *Instruments) Feedback(f *telemetry.Feedback) {
	key := seriesKey{in.id(in.feedbackKey, f.Key), in.id(in.feedbackFrom, f.Source), in.serviceID(f.Service)}
	if was := f.Replaces; was != nil && was.Scored {
		in.unit(&telemetry.Origin{}, in.replaced, was.Score, key)
	} else if was != nil {
		in.dropped.add(1, key)
	}
	switch {
	case f.Withdrawn:
	case f.Scored:
		in.unit(&telemetry.Origin{}, in.score, f.Score, key)
	default:
		in.feedbackUnscored.add(1, key)
	}
}

// Span implements telemetry.Recorder.
func (in *Instruments) Span(d telemetry.Disposition, reason, service string, n int64) {
	if n <= 0 {
		return
	}
	latest := &in.latestSpans[(int(d)+3*len(reason)+5*len(service))%len(in.latestSpans)]
	if latest.series != nil && latest.disposition == d && latest.reason == reason && latest.service == service {
		latest.series.add(n)
		return
	}
	key := seriesKey{enum(d), in.id(in.reason, reason), in.serviceID(service)}
	found := in.spans.at(key)
	found.add(n)
	// What folds is folded, and counted, at each measurement.
	if key[1] != otherID && key[2] != otherID && in.spans.known.get(key) == found {
		*latest = latestSpans{d, reason, service, found}
	}
}

// latestSpans is a series of the spans' dispositions that was asked for of late. Every
// fragment that closes tells of a few, the same ones again and again.
type latestSpans struct {
	disposition     telemetry.Disposition
	reason, service string
	series          *series
}

// Admitted counts n spans that were read from the journal, before any of them
// finds its disposition.
func (in *Instruments) Admitted(n int64) {
	if n > 0 {
		in.read.add(n, seriesKey{})
	}
}

// Rejected implements telemetry.Recorder.
func (in *Instruments) Rejected(reason string, n int64) {
	if n > 0 {
		in.rejected.add(n, seriesKey{in.id(in.reason, reason)})
	}
}

// Unmapped implements telemetry.Recorder.
func (in *Instruments) Unmapped(name string, n int64) {
	if n > 0 {
		in.unmapped.add(n, seriesKey{in.id(in.attribute, name)})
	}
}

// Late implements telemetry.Recorder.
func (in *Instruments) Late(n int64) {
	if n > 0 {
		in.late.add(n, seriesKey{})
	}
}
