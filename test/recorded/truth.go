package recorded

// Truth is what happened while a case was recorded, in the order in which it
// happened. Models and stores were fakes that noted every call as they answered
// it; chats are the questions that the application was asked. Nothing in it was
// read from the recorded spans.
type Truth struct {
	Chats      []Chat      `json:"chats,omitempty"`
	Calls      []Call      `json:"calls,omitempty"`
	Searches   []Search    `json:"searches,omitempty"`
	Embeddings []Embedding `json:"embeddings,omitempty"`
	Reranks    []Rerank    `json:"reranks,omitempty"`
	Tools      int         `json:"tools,omitempty"`
	Feedback   []Feedback  `json:"feedback,omitempty"`
}

// Chat is one question of a user.
type Chat struct {
	Service  string `json:"service,omitempty"`
	Outcome  string `json:"outcome"` // success, failure
	LLMCalls int    `json:"llm_calls"`
	// Tokens is the sum of Input and Output over the chat's model calls, as far as
	// the client was told.
	Tokens int64  `json:"tokens"`
	RAG    string `json:"rag"` // none, unknown, empty, found
}

// Call is one call of a language model. Nil numbers were not told to the client,
// or are none of what the model counts.
type Call struct {
	Service   string `json:"service,omitempty"`
	Provider  string `json:"provider,omitempty"` // empty: the client knows none
	Model     string `json:"model,omitempty"`    // the model that answered, else the one asked for
	Operation string `json:"operation,omitempty"`
	Outcome   string `json:"outcome"` // success, failure
	// Input is the whole prompt: CacheRead and CacheWrite are parts of it.
	Input      *int64 `json:"input,omitempty"`
	Output     *int64 `json:"output,omitempty"` // Reasoning is a part of it
	CacheRead  *int64 `json:"cache_read,omitempty"`
	CacheWrite *int64 `json:"cache_write,omitempty"`
	Reasoning  *int64 `json:"reasoning,omitempty"`
	Streamed   bool   `json:"streamed,omitempty"`
	// Stream is "" for a call that was not streamed, else completed, aborted or
	// usage_missing.
	Stream string `json:"stream,omitempty"`
	// TTFTKnown tells whether the client noted when the first token came.
	TTFTKnown bool     `json:"ttft_known,omitempty"`
	CostUSD   *float64 `json:"cost_usd,omitempty"` // stated by the client itself
}

// Search is one search of a vector store or retriever, whatever it is made of.
type Search struct {
	Service   string `json:"service,omitempty"`
	Outcome   string `json:"outcome"`
	Documents *int   `json:"documents,omitempty"` // nil: the search failed
	// Mean and Top are similarities, 0..1, of the documents returned; nil where the
	// store gave its caller no scores.
	Mean       *float64 `json:"mean,omitempty"`
	Top        *float64 `json:"top,omitempty"`
	Result     string   `json:"result"` // unknown, empty, found
	Cache      string   `json:"cache,omitempty"`
	DataSource string   `json:"data_source,omitempty"`
}

// Embedding is one call of an embedding model.
type Embedding struct {
	Service  string `json:"service,omitempty"`
	Provider string `json:"provider,omitempty"`
	Model    string `json:"model,omitempty"`
	Outcome  string `json:"outcome"`
	Tokens   *int64 `json:"tokens,omitempty"`
}

// Rerank is one call of a reranker.
type Rerank struct {
	Service   string `json:"service,omitempty"`
	Model     string `json:"model,omitempty"`
	Outcome   string `json:"outcome"`
	Documents int    `json:"documents,omitempty"` // returned
}

// Feedback is one judgement of a run.
type Feedback struct {
	Key   string  `json:"key"`
	Score float64 `json:"score"` // 0..1
}

// Untold is one thing that happened and that the payload does not hold, so that
// no reader can know it.
type Untold struct {
	// Path is a JSON Pointer (RFC 6901) into the truth. The index after the last of
	// a list adds to it: what the payload tells and never happened.
	Path string `json:"path"`
	// Told is what a faithful reader sees instead; nil: nothing, the value is absent.
	Told any    `json:"told"`
	Why  string `json:"why"`
}
