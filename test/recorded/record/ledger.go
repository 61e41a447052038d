package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"treq/test/recorded"
)

// ledger is the truth of a case while it happens. It is safe for concurrent use.
type ledger struct {
	service string

	mu       sync.Mutex
	truth    recorded.Truth
	versions map[string]string
	script   []reply
	open     *chatSoFar
}

// chatSoFar is the question being answered.
type chatSoFar struct {
	chat   recorded.Chat
	search []recorded.Search
}

// entry is one note of a client: what happened, and the fields of that kind.
type entry struct {
	What string `json:"what"`
}

// note takes a note from a client, whose in-process fakes write them as they are
// called: POST /truth.
func (l *ledger) note(w http.ResponseWriter, r *http.Request) {
	var raw json.RawMessage
	var e entry
	err := json.NewDecoder(r.Body).Decode(&raw)
	if err == nil {
		err = json.Unmarshal(raw, &e)
	}
	if err == nil {
		err = l.take(e.What, raw)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

func (l *ledger) take(what string, raw json.RawMessage) error {
	switch what {
	case "call":
		var c recorded.Call
		if err := json.Unmarshal(raw, &c); err != nil {
			return err
		}
		l.call(c)
		return nil
	case "embedding":
		var e recorded.Embedding
		if err := json.Unmarshal(raw, &e); err != nil {
			return err
		}
		l.embedding(e)
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch what {
	case "chat.start":
		if l.open != nil {
			return errors.New("a chat is open already")
		}
		l.open = &chatSoFar{chat: recorded.Chat{Service: l.service}}
		return nil
	case "chat.end":
		return l.endChat(raw)
	case "search":
		s := recorded.Search{Service: l.service}
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		l.truth.Searches = append(l.truth.Searches, s)
		if l.open != nil {
			l.open.search = append(l.open.search, s)
		}
		return nil
	case "rerank":
		k := recorded.Rerank{Service: l.service}
		l.truth.Reranks = append(l.truth.Reranks, k)
		return json.Unmarshal(raw, &l.truth.Reranks[len(l.truth.Reranks)-1])
	case "tool":
		l.truth.Tools++
		return nil
	case "feedback":
		l.truth.Feedback = append(l.truth.Feedback, recorded.Feedback{})
		return json.Unmarshal(raw, &l.truth.Feedback[len(l.truth.Feedback)-1])
	case "script":
		var s struct{ Replies []reply }
		err := json.Unmarshal(raw, &s)
		l.script = append(l.script, s.Replies...)
		return err
	case "versions":
		var v struct{ Versions map[string]string }
		err := json.Unmarshal(raw, &v)
		l.versions = v.Versions
		return err
	}
	return fmt.Errorf("nothing is called %q", what)
}

// endChat closes the open question; l.mu is held.
func (l *ledger) endChat(raw json.RawMessage) error {
	if l.open == nil {
		return errors.New("no chat is open")
	}
	if err := json.Unmarshal(raw, &l.open.chat); err != nil {
		return err
	}
	l.open.chat.RAG = evidence(l.open.search)
	l.truth.Chats = append(l.truth.Chats, l.open.chat)
	l.open = nil
	return nil
}

// evidence is what a chat's searches say together: the most telling of them.
func evidence(searches []recorded.Search) string {
	most := 0
	levels := []string{"none", "unknown", "empty", "found"}
	for _, s := range searches {
		for level, name := range levels {
			if s.Result == name {
				most = max(most, level)
			}
		}
	}
	return levels[most]
}

func (l *ledger) call(c recorded.Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.Service = l.service
	l.truth.Calls = append(l.truth.Calls, c)
	if l.open == nil {
		return
	}
	l.open.chat.LLMCalls++
	for _, n := range []*int64{c.Input, c.Output} {
		if n != nil {
			l.open.chat.Tokens += *n
		}
	}
}

func (l *ledger) embedding(e recorded.Embedding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Service = l.service
	l.truth.Embeddings = append(l.truth.Embeddings, e)
}

// next is the reply the fake model has been told to give, or the usual one.
func (l *ledger) next() reply {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.script) == 0 {
		return reply{Text: "A válvula abre a 6 bar.", Prompt: 42, Completion: 12}
	}
	r := l.script[0]
	l.script = l.script[1:]
	return r
}

func (l *ledger) summary() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.truth
	return fmt.Sprintf("%d chats, %d calls, %d searches, %d embeddings, %d reranks, %d tools",
		len(t.Chats), len(t.Calls), len(t.Searches), len(t.Embeddings), len(t.Reranks), t.Tools)
}
