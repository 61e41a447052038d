package main

import (
	"encoding/json"
	"net/http"

	"treq/test/recorded"
)

// respond is OpenAI's Responses API, as far as clients here use it.
func (l *ledger) respond(w http.ResponseWriter, r *http.Request) {
	var asked chatRequest
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := l.next()
	call := recorded.Call{Provider: "openai", Model: asked.Model, Operation: "chat", Outcome: "success", Streamed: asked.Stream}
	answer.tell(&call)
	text := object{"type": "output_text", "text": answer.Text, "annotations": []any{}}
	item := object{"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": []any{text}}
	response := object{
		"id": "resp_1", "object": "response", "created_at": 1767614400, "status": "completed", "model": call.Model,
		"output": []any{item}, "parallel_tool_calls": true, "tool_choice": "auto", "tools": []any{},
		"error": nil, "incomplete_details": nil, "instructions": nil, "metadata": object{}, "temperature": 1, "top_p": 1,
		"usage": object{
			"input_tokens": answer.Prompt, "output_tokens": answer.Completion, "total_tokens": answer.Prompt + answer.Completion,
			"input_tokens_details":  object{"cached_tokens": answer.Cached},
			"output_tokens_details": object{"reasoning_tokens": answer.Reasoning},
		},
	}
	if !asked.Stream {
		l.call(call)
		w.Header().Set("Content-Type", "application/json")
		write(w, response)
		return
	}
	call.Stream = "completed"
	l.call(call)
	w.Header().Set("Content-Type", "text/event-stream")
	event(w, "response.created", object{"type": "response.created", "sequence_number": 0, "response": response})
	event(w, "response.output_text.delta", object{
		"type": "response.output_text.delta", "sequence_number": 1, "item_id": "msg_1",
		"output_index": 0, "content_index": 0, "delta": answer.Text, "logprobs": []any{},
	})
	event(w, "response.completed", object{"type": "response.completed", "sequence_number": 2, "response": response})
}
