package telemetry

// Disposition is what became of an admitted span; each span gets exactly one, so
// that admitted = recorded + folded + duplicate + not GenAI + refused + open + unread.
type Disposition uint8

// The dispositions.
const (
	// Recorded spans are an event of their own.
	Recorded Disposition = iota
	// Folded spans are part of another span's event (a wrapper, an inner search, a chain inside a chat).
	Folded
	// Duplicate spans were seen before within the horizon.
	Duplicate
	// NotGenAI spans belong to a trace, or a part of one, without GenAI activity.
	NotGenAI
	// Refused spans carry nothing that may be counted (an end of 0, an unusable time).
	Refused
)

// String gives the value of the attribute treq.disposition.
func (d Disposition) String() string {
	return [...]string{"recorded", "folded", "duplicate", "not_genai", "refused"}[min(int(d), 4)]
}

// Recorder receives every event exactly once. Events are passed by pointer to
// avoid copies: an implementation must not keep the pointer or change what it
// points at. Implementations need not be safe for concurrent use; one meter
// calls one recorder from one goroutine.
type Recorder interface {
	Chat(*Chat)
	ChatAddition(*ChatAddition)
	Retrieval(*Retrieval)
	LLMCall(*LLMCall)
	Embedding(*Embedding)
	Rerank(*Rerank)
	ToolCall(*ToolCall)
	Feedback(*Feedback)

	// Span counts n spans of a service that found their disposition. The reason
	// is a short fixed word ("wrapper", "inner_search", "request", …), "" where the
	// disposition says it all.
	Span(d Disposition, reason, service string, n int64)
	// Rejected counts n field values that were refused (negative tokens, a
	// similarity outside 0..1, …). The reason is a short fixed word.
	Rejected(reason string, n int64)
	// Unmapped counts n attributes whose name lies in a namespace of a GenAI dialect
	// and that nobody here reads: what a new generation of names looks like. Numbers
	// inside the name are given as N.
	Unmapped(name string, n int64)
	// Late counts n spans that came after their fragment was closed.
	Late(n int64)
}
