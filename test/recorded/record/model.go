package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"treq/test/recorded"
)

// reply is what the fake model is told to do with one call.
type reply struct {
	Text  string `json:"text"`
	Model string `json:"model"` // answers under this name; empty: the one asked for
	Tools []struct {
		Name      string         `json:"name"`
		Arguments map[string]any `json:"arguments"`
	} `json:"tools"`
	Prompt     int64 `json:"prompt"`
	Completion int64 `json:"completion"`
	Cached     int64 `json:"cached"`    // part of Prompt
	Reasoning  int64 `json:"reasoning"` // part of Completion
	Status     int   `json:"status"`    // other than 0: answers with this error
	// Leave is after how many chunks the client is going to leave; the fake waits
	// for that. Break is after how many the fake breaks the connection.
	Leave int `json:"leave"`
	Break int `json:"break"`
}

type object = map[string]any

// routes are the fake model, the ledger and the recording door on one address.
func routes(l *ledger, d *door) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /truth", l.note)
	mux.HandleFunc("POST /openai/v1/chat/completions", func(w http.ResponseWriter, r *http.Request) { l.chat("openai", w, r) })
	mux.HandleFunc("POST /groq/openai/v1/chat/completions", func(w http.ResponseWriter, r *http.Request) { l.chat("groq", w, r) })
	mux.HandleFunc("POST /openai/v1/embeddings", l.embed)
	mux.HandleFunc("POST /openai/v1/responses", l.respond)
	mux.Handle("/", d)
	return mux
}

type chatRequest struct {
	Model         string `json:"model"`
	Stream        bool   `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

func (l *ledger) chat(provider string, w http.ResponseWriter, r *http.Request) {
	var asked chatRequest
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := l.next()
	call := recorded.Call{Provider: provider, Model: asked.Model, Operation: "chat", Outcome: "success", Streamed: asked.Stream}
	if answer.Model != "" {
		call.Model = answer.Model
	}
	switch {
	case answer.Status != 0:
		call.Outcome, call.Model = "failure", asked.Model
		if asked.Stream {
			call.Stream = "aborted"
		}
		l.call(call)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(answer.Status)
		write(w, object{"error": object{"message": "the model is not available", "type": "server_error", "code": "unavailable"}})
	case asked.Stream:
		streamChat(w, r, answer, &call, asked.StreamOptions.IncludeUsage || provider == "groq", provider)
		l.call(call)
	default:
		answer.tell(&call)
		l.call(call)
		w.Header().Set("Content-Type", "application/json")
		write(w, object{
			"id": "chatcmpl-1", "object": "chat.completion", "created": 1767614400, "model": call.Model,
			"choices": []any{object{"index": 0, "finish_reason": answer.reason(), "logprobs": nil, "message": answer.message()}},
			"usage":   answer.usage(),
		})
	}
}

func streamChat(w http.ResponseWriter, r *http.Request, answer reply, call *recorded.Call, usage bool, provider string) {
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(delta object, reason any, extra object) {
		chunk := object{
			"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1767614400, "model": call.Model,
			"choices": []any{object{"index": 0, "delta": delta, "finish_reason": reason}},
		}
		for k, v := range extra {
			chunk[k] = v
		}
		event(w, "", chunk)
	}
	send(object{"role": "assistant", "content": ""}, nil, nil)
	for i, word := range strings.SplitAfter(answer.Text, " ") {
		if answer.Leave > 0 && i == answer.Leave {
			<-r.Context().Done()
			call.Stream = "aborted"
			return
		}
		if answer.Break > 0 && i == answer.Break {
			call.Stream, call.Outcome = "aborted", "failure"
			hangUp(w)
			return
		}
		send(object{"content": word}, nil, nil)
	}
	for i, tool := range answer.toolCalls() {
		tool["index"] = i
		send(object{"tool_calls": []any{tool}}, nil, nil)
	}
	call.Stream = "usage_missing"
	if usage {
		call.Stream = "completed"
		answer.tell(call)
	}
	switch {
	case usage && provider == "groq":
		send(object{}, answer.reason(), object{"x_groq": object{"id": "req_1", "usage": answer.usage()}})
	case usage:
		send(object{}, answer.reason(), nil)
		send(nil, nil, object{"choices": []any{}, "usage": answer.usage()})
	default:
		send(object{}, answer.reason(), nil)
	}
	fmt.Fprint(w, "data: [DONE]\n\n")
}

func (l *ledger) embed(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Model string `json:"model"`
		Input any    `json:"input"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	texts, many := asked.Input.([]any)
	if !many {
		texts = []any{asked.Input}
	}
	data := make([]any, len(texts))
	for i := range texts {
		data[i] = object{"object": "embedding", "index": i, "embedding": []float64{0.6, 0.8}}
	}
	tokens := int64(8 * len(texts))
	l.embedding(recorded.Embedding{Provider: "openai", Model: asked.Model, Outcome: "success", Tokens: &tokens})
	w.Header().Set("Content-Type", "application/json")
	write(w, object{
		"object": "list", "model": asked.Model, "data": data,
		"usage": object{"prompt_tokens": tokens, "total_tokens": tokens},
	})
}

// tell notes in the truth what the client is told of the usage.
func (r reply) tell(c *recorded.Call) {
	c.Input, c.Output = &r.Prompt, &r.Completion
	if r.Cached > 0 {
		c.CacheRead = &r.Cached
	}
	if r.Reasoning > 0 {
		c.Reasoning = &r.Reasoning
	}
}

func (r reply) usage() object {
	return object{
		"prompt_tokens": r.Prompt, "completion_tokens": r.Completion, "total_tokens": r.Prompt + r.Completion,
		"prompt_tokens_details":     object{"cached_tokens": r.Cached},
		"completion_tokens_details": object{"reasoning_tokens": r.Reasoning},
	}
}

func (r reply) reason() string {
	if len(r.Tools) > 0 {
		return "tool_calls"
	}
	return "stop"
}

func (r reply) message() object {
	m := object{"role": "assistant", "content": r.Text}
	if calls := r.toolCalls(); len(calls) > 0 {
		m["tool_calls"] = calls
	}
	return m
}

func (r reply) toolCalls() []object {
	var calls []object
	for i, t := range r.Tools {
		arguments, err := json.Marshal(t.Arguments)
		if err != nil {
			panic(err) // it was JSON a moment ago
		}
		calls = append(calls, object{
			"id": fmt.Sprintf("call_%d", i+1), "type": "function",
			"function": object{"name": t.Name, "arguments": string(arguments)},
		})
	}
	return calls
}

func event(w http.ResponseWriter, name string, data any) {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // made of maps and strings
	}
	if name != "" {
		fmt.Fprintf(w, "event: %s\n", name)
	}
	fmt.Fprintf(w, "data: %s\n\n", text)
	if err := http.NewResponseController(w).Flush(); err != nil {
		panic(http.ErrAbortHandler)
	}
}

func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		conn.Close()
	}
}

func write(w http.ResponseWriter, value any) {
	// A client that is gone is seen by its case, which then sends nothing.
	_ = json.NewEncoder(w).Encode(value)
}
