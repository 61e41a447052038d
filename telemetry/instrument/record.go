package instrument

import (
	"context"
	"time"

	"treq/telemetry"
)

func (c counter) add(ctx context.Context, n int64, key seriesKey) {
	c.Add(ctx, n, c.at(key).add...)
}

func (h histogram) record(ctx context.Context, value float64, key seriesKey) {
	h.Record(ctx, value, h.at(key).record...)
}

func (h intHistogram) record(ctx context.Context, value int64, key seriesKey) {
	h.Record(ctx, value, h.at(key).record...)
}

// timed records a known duration, and counts an unknown one.
func (in *Instruments) timed(ctx context.Context, d time.Duration, h histogram, untimed counter, key seriesKey) {
	if d < 0 {
		untimed.add(in.background, 1, key)
		return
	}
	h.record(ctx, d.Seconds(), key)
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
	in.timed(in.context(&c.Origin), c.Duration, in.chatDuration, in.chatUntimed, key)
	in.chatUse(c.LLMCalls, c.Tokens, service)
}

// ChatAddition implements telemetry.Recorder.
func (in *Instruments) ChatAddition(a *telemetry.ChatAddition) {
	in.chatUse(a.LLMCalls, a.Tokens, in.serviceID(a.Service))
}

func (in *Instruments) chatUse(calls, tokens int64, service uint16) {
	if calls > 0 {
		in.chatCalls.add(in.background, calls, seriesKey{service})
	}
	if tokens > 0 {
		in.chatTokens.add(in.background, tokens, seriesKey{service})
	}
}

// Retrieval implements telemetry.Recorder.
func (in *Instruments) Retrieval(r *telemetry.Retrieval) {
	service, source := in.serviceID(r.Service), in.id(in.dataSource, r.DataSource)
	result := max(r.Result, telemetry.Unknown)
	ctx := in.context(&r.Origin)
	in.timed(ctx, r.Duration, in.retrievalDuration, in.retrievalUntimed,
		seriesKey{enum(r.Outcome), source, enum(r.Cache), enum(result), service})
	key := seriesKey{source, service}
	if r.Scored {
		in.unit(ctx, in.similarity, r.MeanSimilarity, key)
		in.unit(ctx, in.topSimilarity, r.TopSimilarity, key)
	}
	if r.Documents >= 0 {
		in.documents.record(in.background, r.Documents, key)
	}
}

// unit records a value of 0..1 and refuses any other: a sum that once held a NaN
// would never be a number again.
func (in *Instruments) unit(ctx context.Context, h histogram, value float64, key seriesKey) {
	if !(value >= 0 && value <= 1) {
		in.Rejected("out_of_range", 1)
		return
	}
	h.record(ctx, value, key)
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
			in.llmTokens.add(in.background, n, key)
		}
	}
	if c.TimeToFirstToken > 0 {
		key[4] = absent
		in.timeToFirstToken.record(in.context(&c.Origin), c.TimeToFirstToken.Seconds(), key)
	}
	if c.Stream != telemetry.NotStreamed {
		in.llmStreams.add(in.background, 1, seriesKey{m.response, m.family, m.service, enum(c.Stream - 1)})
	}
}

// Embedding implements telemetry.Recorder.
func (in *Instruments) Embedding(e *telemetry.Embedding) {
	in.side(&e.ModelCall, OperationEmbeddings, in.embeddingTokens)
}

// Rerank implements telemetry.Recorder.
func (in *Instruments) Rerank(r *telemetry.Rerank) {
	in.side(&r.ModelCall, OperationRerank, in.rerankTokens)
}

// side records a call that is none to a language model, whatever operation it names.
func (in *Instruments) side(c *telemetry.ModelCall, operation string, tokens counter) {
	m := in.modelAs(c, operation)
	if n := c.Tokens.Total(); n > 0 {
		tokens.add(in.background, n, seriesKey{m.provider, m.response, m.family, m.service})
	}
}

// modelIDs are the ids that the instruments of one model call share.
type modelIDs struct{ provider, request, response, family, service uint16 }

// model records a call to a language model. An operation that would take it out
// of the documents' llm block is not believed.
func (in *Instruments) model(c *telemetry.ModelCall, otherwise string) modelIDs {
	operation := c.Operation
	if operation == "" || operation == OperationEmbeddings || operation == OperationRerank {
		operation = otherwise
	}
	return in.modelAs(c, operation)
}

func (in *Instruments) modelAs(c *telemetry.ModelCall, operation string) modelIDs {
	m := modelIDs{
		provider: in.id(in.provider, c.Provider),
		request:  in.id(in.requestModel, c.RequestModel),
		response: in.id(in.responseModel, c.Model()),
		service:  in.serviceID(c.Service),
	}
	m.family = in.familyID(c.Model(), m.response)
	key := seriesKey{
		in.id(in.operation, operation), m.provider, m.request, m.response,
		in.errorID(c.Outcome, c.ErrorType), m.family, m.service,
	}
	in.timed(in.context(&c.Origin), c.Duration, in.operationDuration, in.llmUntimed, key)
	if t := c.Tokens; c.HasUsage && t.Unsplit == 0 {
		key[7] = firstID
		in.tokenUsage.record(in.background, t.Input+t.CacheRead+t.CacheWrite, key)
		if operation != OperationEmbeddings && operation != OperationRerank {
			key[7] = firstID + 1
			in.tokenUsage.record(in.background, t.Output+t.Reasoning, key)
		}
	}
	return m
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
	in.timed(in.context(&t.Origin), t.Duration, in.toolDuration, in.toolUntimed, key)
}

// Feedback implements telemetry.Recorder.
func (in *Instruments) Feedback(f *telemetry.Feedback) {
	key := seriesKey{in.id(in.feedbackKey, f.Key), in.id(in.feedbackFrom, f.Source), in.serviceID(f.Service)}
	if !f.Scored {
		in.feedbackUnscored.add(in.background, 1, key)
		return
	}
	in.unit(in.background, in.score, f.Score, key)
}

// Span implements telemetry.Recorder.
func (in *Instruments) Span(d telemetry.Disposition, reason, service string, n int64) {
	if n > 0 {
		in.spans.add(in.background, n, seriesKey{enum(d), in.id(in.reason, reason), in.serviceID(service)})
	}
}

// Admitted counts n spans that were read from the journal, before any of them
// finds its disposition.
func (in *Instruments) Admitted(n int64) {
	if n > 0 {
		in.read.add(in.background, n, seriesKey{})
	}
}

// Rejected implements telemetry.Recorder.
func (in *Instruments) Rejected(reason string, n int64) {
	if n > 0 {
		in.rejected.add(in.background, n, seriesKey{in.id(in.reason, reason)})
	}
}

// Unmapped implements telemetry.Recorder.
func (in *Instruments) Unmapped(name string, n int64) {
	if n > 0 {
		in.unmapped.add(in.background, n, seriesKey{in.id(in.attribute, name)})
	}
}

// Late implements telemetry.Recorder.
func (in *Instruments) Late(n int64) {
	if n > 0 {
		in.late.add(in.background, n, seriesKey{})
	}
}
