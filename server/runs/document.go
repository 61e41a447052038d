package runs

import (
	"encoding/json"
	"time"

	"treq/telemetry"
)

// Time is an instant as the documents show it: RFC 3339 in UTC, null for none.
type Time time.Time

// String gives the text that MarshalJSON puts between quotes, "" for no instant.
func (t Time) String() string {
	if time.Time(t).IsZero() {
		return ""
	}
	return time.Time(t).UTC().Format(time.RFC3339Nano)
}

// MarshalJSON gives a string or null.
func (t Time) MarshalJSON() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + t.String() + `"`), nil
}

// nanoseconds makes a Time of Unix nanoseconds; 0 is none.
func nanoseconds(n int64) Time {
	if n == 0 {
		return Time{}
	}
	return Time(time.Unix(0, n))
}

// Run is one run as a tree.
type Run struct {
	Summary
	// Project is where LangSmith has it, and LangSmithURL its page there.
	Project      string `json:"project"`
	LangSmithURL string `json:"langsmith_url"`
	// Tree holds the run's spans, roots first by start. A whole trace may have
	// several roots: spans whose parent was never told are roots too.
	Tree []*Span `json:"tree"`
	// Judgements is how it was judged, by the last judgement of each run, key and source.
	Judgements []Judged `json:"judgements"`
	// Counted is what the whole trace counted for; left out if nobody asked for it.
	Counted *Counted `json:"counted,omitempty"`
	// Repeated is how many spans came more than once and are shown once.
	Repeated int `json:"repeated_spans"`
	// Truncated tells that there are more spans than are shown.
	Truncated bool   `json:"truncated"`
	Search    Search `json:"search"`
}

// Summary is what a list shows of a run.
type Summary struct {
	// RunID is the id by which LangSmith knows it: docs/api.md, section 5.
	RunID   string `json:"run_id"`
	TraceID string `json:"trace_id"`
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Service string `json:"service"`
	Start   Time   `json:"start"`
	// State is running, timed_out or evicted of a run whose end has not come; left out
	// of any other.
	State string `json:"state,omitempty"`
	// DurationMS is null where nobody told the end truthfully.
	DurationMS *float64 `json:"duration_ms"`
	Outcome    string   `json:"outcome"` // success, failure, or running of a run that goes on
	ErrorType  string   `json:"error_type,omitempty"`
	// Model is that of its first model call, "" without one.
	Model string `json:"model"`
	// Tokens are those of its model calls and CostUSD what all its calls cost, each as
	// the meter counts them, without embeddings among the tokens; null where not known.
	Tokens  *int64   `json:"tokens"`
	CostUSD *float64 `json:"cost_usd"`
	// Similarity is that of the best document of the search that found least; null
	// where no search has a score.
	Similarity *float64 `json:"similarity"`
	// Feedback is the score that the run itself was given last, 0 to 1; null without one.
	Feedback *float64 `json:"feedback"`
	// Spans is how many spans it has, as far as they were read.
	Spans int `json:"spans"`
}

// Span is one span of a run and those below it.
type Span struct {
	SpanID       string   `json:"span_id"`
	ParentSpanID string   `json:"parent_span_id,omitempty"`
	RunID        string   `json:"run_id"`
	Name         string   `json:"name"`
	Kind         string   `json:"kind"`
	Service      string   `json:"service"`
	Scope        string   `json:"scope,omitempty"`
	Start        Time     `json:"start"`
	State        string   `json:"state,omitempty"` // as in Summary
	DurationMS   *float64 `json:"duration_ms"`
	Outcome      string   `json:"outcome"`
	ErrorType    string   `json:"error_type,omitempty"`
	Message      string   `json:"status_message,omitempty"`
	HTTPStatus   int      `json:"http_status,omitempty"`

	Model     *Model     `json:"model,omitempty"`
	Tokens    *Tokens    `json:"tokens,omitempty"`
	Documents *Documents `json:"documents,omitempty"`
	Tool      string     `json:"tool,omitempty"`
	Input     *Text      `json:"input,omitempty"`
	Output    *Text      `json:"output,omitempty"`
	// Attributes are all that it says of itself, as it came; long ones are cut and
	// texts then. Stack is that of the exception that it tells of, "" without one.
	Attributes map[string]json.RawMessage `json:"attributes,omitempty"`
	Stack      string                     `json:"stack,omitempty"`
	// Explanation says what the span counted for; left out if nobody asked for it.
	Explanation *Explanation `json:"explanation,omitempty"`

	Children []*Span `json:"children"`

	id, parent [8]byte
	start      int64
	named      string // what the service calls the run
}

// Model is what a model span says of its call; fields that it does not are "" or null.
type Model struct {
	Operation     string `json:"operation"`
	Provider      string `json:"provider"`
	RequestModel  string `json:"request_model"`
	ResponseModel string `json:"response_model"`
	Streamed      bool   `json:"streamed"`
	// TimeToFirstTokenMS is null if not told.
	TimeToFirstTokenMS *float64 `json:"time_to_first_token_ms"`
}

// Tokens are what a span says of its usage, by disjoint kinds. What a wrapper says
// is said again by what it wraps: the sum over a run is not what it used.
type Tokens struct {
	Total      int64 `json:"total"`
	Input      int64 `json:"input"`
	CacheRead  int64 `json:"cache_read"`
	CacheWrite int64 `json:"cache_write"`
	Output     int64 `json:"output"`
	Reasoning  int64 `json:"reasoning"`
	Unsplit    int64 `json:"unsplit"`
}

func tokensOf(t telemetry.Tokens) *Tokens {
	return &Tokens{t.Total(), t.Input, t.CacheRead, t.CacheWrite, t.Output, t.Reasoning, t.Unsplit}
}

// Documents is what a search returned.
type Documents struct {
	DataSource string `json:"data_source"`
	// Returned is null where nobody told it.
	Returned *int `json:"returned"`
	// Scored is how many of them have a score; the means are null without one.
	Scored         int      `json:"scored"`
	MeanSimilarity *float64 `json:"mean_similarity"`
	TopSimilarity  *float64 `json:"top_similarity"`
	Cache          string   `json:"cache"` // hit or miss
}

// Text is content as the client sent it, as text. It is not to be trusted, and not
// to be shown as anything but text.
type Text struct {
	Text string `json:"text"`
	// Bytes is how long it was as it came; Truncated tells that Text is not all of it.
	Bytes     int  `json:"bytes"`
	Truncated bool `json:"truncated,omitempty"`
}

// List is a page of runs.
type List struct {
	Runs []Summary `json:"runs"`
	// Total is how many runs match, on this page and on all others.
	Total int `json:"total"`
	// Next is the cursor of the next page, "" on the last.
	Next string `json:"next"`
	// From is when the oldest record was admitted that was read for the list, null if
	// there was none.
	From Time `json:"from"`
	// IndexedFrom is from when on runs are found at once by their ids.
	IndexedFrom Time `json:"indexed_from"`
	// NotIndexed is how many traces since From are in no list, because there were more
	// in a second than are read for it. They are found by their ids.
	NotIndexed uint64 `json:"not_indexed"`
}

func milliseconds(d time.Duration) *float64 {
	ms := float64(d) / float64(time.Millisecond)
	return &ms
}
