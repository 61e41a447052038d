package semconv

// Attributes of our own: what a service sets to be explicit, and what the JSON
// API's posts carry as log records.
const (
	// TreqSpanKind: chat, retrieval, llm or task.
	TreqSpanKind = "treq.span.kind"
	// TreqCacheHit: bool: whether a cache answered the search; no dialect has one.
	TreqCacheHit = "treq.cache.hit"
	// TreqRunID: string: the id by which callers name the run.
	TreqRunID = "treq.run.id"
	// TreqSuccess: bool, of treq.chat and treq.llm_call (there true if left out).
	TreqSuccess = "treq.success"
	// TreqDurationMS: double, milliseconds, of treq.chat, treq.retrieval and treq.llm_call.
	TreqDurationMS = "treq.duration_ms"
	// TreqRAGUsed: bool, of treq.chat; false if left out.
	TreqRAGUsed = "treq.rag.used"
	// TreqRAGFound: bool, of treq.chat; false if left out.
	TreqRAGFound = "treq.rag.found"
	// TreqLLMTokens: int: all tokens together, of treq.chat and treq.llm_call.
	TreqLLMTokens = "treq.llm.tokens"
	// TreqSimilarity: double, 0..1, of treq.retrieval.
	TreqSimilarity = "treq.retrieval.similarity"
	// TreqDocuments: int: documents returned, of treq.retrieval; unknown if left out.
	TreqDocuments = "treq.retrieval.documents"
	// TreqTimeToFirstTokenMS: double, milliseconds, of treq.llm_call.
	TreqTimeToFirstTokenMS = "treq.time_to_first_token_ms"
	// TreqFeedbackKey: string, of treq.feedback; user-score if left out.
	TreqFeedbackKey = "treq.feedback.key"
	// TreqFeedbackScore: double, 0..1, of treq.feedback.
	TreqFeedbackScore = "treq.feedback.score"
	// TreqFeedbackComment: string, of treq.feedback.
	TreqFeedbackComment = "treq.feedback.comment"
	// TreqFeedbackSource: string, of treq.feedback; api if left out.
	TreqFeedbackSource = "treq.feedback.source"
	// TreqRunState: string, of a span made of a run that did not end: timed_out (its
	// end never came) or evicted (there was no room to wait for it); running is one
	// that is shown before it ends, and never kept.
	TreqRunState = "treq.run.state"
	// TreqFeedbackID: string, a UUID by which sinks know the judgement, of treq.feedback.
	TreqFeedbackID = "treq.feedback.id"
	// TreqFeedbackValue: string: a category or other text, of treq.feedback.
	TreqFeedbackValue = "treq.feedback.value"
	// TreqFeedbackTold: string: a JSON object, the further fields of a judgement in
	// LangSmith's own form, of treq.feedback.
	TreqFeedbackTold = "treq.feedback.told"
	// TreqFeedbackCorrection: string: JSON, what LangSmith's form says that should have
	// been answered, of treq.feedback.
	TreqFeedbackCorrection = "treq.feedback.correction"
	// TreqFeedbackChanged: int: Unix nanoseconds, when the judgement was changed or
	// withdrawn last, of treq.feedback; left out for one that never was.
	TreqFeedbackChanged = "treq.feedback.changed_unix_nano"
	// TreqFeedbackDeleted: bool: its maker withdrew the judgement, of treq.feedback.
	TreqFeedbackDeleted = "treq.feedback.deleted"
)

// The names of the log records that the JSON API makes of posts. Further fields
// they carry: service.name on the resource, gen_ai.conversation.id and user.id
// (treq.chat); gen_ai.data_source.id (treq.retrieval); gen_ai.request.model,
// gen_ai.provider.name, gen_ai.usage.input_tokens and gen_ai.usage.output_tokens
// (treq.llm_call). treq.run.id, treq.rag.*, treq.cache.hit as above.
const (
	EventChat      = "treq.chat"
	EventRetrieval = "treq.retrieval"
	EventLLMCall   = "treq.llm_call"
	EventFeedback  = "treq.feedback"
)
