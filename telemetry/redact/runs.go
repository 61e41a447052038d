package redact

import (
	"bytes"

	"github.com/google/uuid"
)

// identities are members of LangSmith's runs that runs are joined, placed and counted by.
var identities = map[string]bool{
	"id": true, "trace_id": true, "parent_run_id": true, "parent_run_ids": true, "child_run_ids": true, "dotted_order": true,
	"session_id": true, "session_name": true, "reference_example_id": true, "run_id": true, "run_type": true, "start_time": true, "end_time": true,
	"lc_hub_commit_hash": true, "ls_model_name": true, "ls_provider": true, "model": true, "model_name": true, "revision_id": true,
	"sdk": true, "sdk_version": true, "library": true, "platform": true, "runtime": true, "runtime_version": true, "py_implementation": true, "langchain_version": true,
	"key": true, "feedback_source": true, "source_run_id": true, "comparative_experiment_id": true, "feedback_group_id": true,
}

// people are members that tell people and their conversations apart.
var people = map[string]bool{
	"user_id": true, "session_id": true, "thread_id": true, "conversation_id": true, "user": true, "user_email": true,
}

// free are identities that in what applications put into runs are members like others:
// the id of a customer, and a session that LangSmith makes a conversation of.
var free = map[string]bool{"id": true, "key": true, "run_id": true, "session_id": true, "session_name": true, "feedback_source": true}

// owned are members whose own members an application names, beside writings.
var owned = map[string]bool{"extra": true, "value": true}

// writings are members that hold content.
var writings = map[string]bool{
	"inputs": true, "outputs": true, "error": true, "events": true, "serialized": true, "comment": true, "correction": true, "attachments": true,
}

// Runs gives a request of LangSmith's run protocol, multipart or an object of posts
// and patches, with what the rules look for replaced: body itself, the same slice,
// where nothing was found. Names of rules' fields are those of members. Ids, models,
// times and numbers are never touched; in inputs, outputs and metadata an id is text like
// others, and names of members are searched too. Of attachments those of text are searched; all
// are emptied where content goes.
func (r *Redactor) Runs(body []byte) []byte {
	return r.native(body, func(w *walker) {
		if bytes.HasPrefix(body, []byte("--")) {
			w.parts()
			return
		}
		w.members(0, len(body), nil)
	})
}

// JSON is Runs for JSON that stands under a member of this name, "" for a whole run or
// feedback. Text that is no JSON is searched as text.
func (r *Redactor) JSON(name string, body []byte) []byte {
	return r.native(body, func(w *walker) { w.members(0, len(body), []byte(name)) })
}

// Text is Runs for text that is a field of its own, such as a comment.
func (r *Redactor) Text(name, text string) string {
	return string(r.native([]byte(text), func(w *walker) { w.member(0, len(text), []byte(name)) }))
}

func (r *Redactor) native(body []byte, walk func(*walker)) []byte {
	w := r.walkers.Get().(*walker)
	defer r.walkers.Put(w)
	w.body, w.depth = body, 0
	w.frames, w.edits, w.text = append(w.frames[:0], frame{to: len(body)}), w.edits[:0], w.text[:0]
	walk(w)
	out := body
	if len(w.edits) > 0 {
		out = w.assemble()
	}
	w.body = nil
	return out
}

// members walks JSON whose first value is called key.
func (w *walker) members(from, to int, key []byte) {
	t := w.body[:to]
	var inArray []bool // of the open brackets: an array's values have the array's name
	within := 0        // how many brackets are open where what the application put in begins
	w.inner = false
	defer func() { w.inner = false }()
	for i := from; i < to; {
		c := t[i]
		if w.r.bare && writings[string(key)] && (c == '"' || c == '{' || c == '[') {
			end := endOfValue(t, i)
			if w.rest = append(w.rest[:0], `""`...); c != '"' {
				w.rest = w.r.appendSkeleton(w.rest[:0], t[i:end])
			}
			w.settle(i, end, t[i:end])
			i, key = end, nil
			continue
		}
		switch {
		case c == '"':
			end := endOfString(t, i+1)
			if end < 0 {
				w.leaf(i, to, treatment{})
				return
			}
			next := afterSpace(t, end+1)
			if next < to && t[next] == ':' && (len(inArray) == 0 || !inArray[len(inArray)-1]) {
				if key = t[i+1 : end]; w.inner && len(key) >= shortestName {
					// Hashed, since two that were masked would be one.
					w.leaf(i+1, end, treatment{person: true})
				}
				i = next + 1
				continue
			}
			w.member(i+1, end, key)
			i = end + 1
		case c == '{' || c == '[':
			inArray = append(inArray, c == '[')
			if !w.inner && (writings[string(key)] || owned[string(key)]) {
				w.inner, within = true, len(inArray)
			}
			i++
		case c == '}' || c == ']':
			if len(inArray) > 0 {
				inArray = inArray[:len(inArray)-1]
				w.inner = w.inner && len(inArray) >= within
			}
			i++
		case isDigit(c) || c == '-':
			start := i
			for i < to && (isDigit(t[i]) || bytes.IndexByte([]byte("+-.eE"), t[i]) >= 0) {
				i++
			}
			if i-start >= shortestNumber && !w.identity(key) {
				w.jsonNumber(start, i)
			}
		default:
			i++
		}
	}
}

// member handles the text of a member.
func (w *walker) member(from, to int, key []byte) {
	how := treatment{person: people[string(key)]}
	switch m := w.r.field(key); m {
	case Keep:
		return
	case Mask, Hash, Drop:
		how.field = m
	default:
		if w.identity(key) || identities[string(key)] && isUUID(w.body[from:to]) {
			return
		}
	}
	w.leaf(from, to, how)
}

// isUUID tells whether text is a UUID with dashes: of twenty thousand, one has the
// digits of somebody's number at its end.
func isUUID(t []byte) bool {
	_, err := uuid.ParseBytes(t)
	return err == nil && len(t) == 36
}

// shortestName is how long the shortest name of a member is that may hold an address.
const shortestName = 6

// identity tells whether a member is one that runs are joined, placed and counted by.
func (w *walker) identity(key []byte) bool {
	return identities[string(key)] && !(w.inner && free[string(key)])
}

// jsonNumber handles a number that may be somebody's: what takes its place is a text.
func (w *walker) jsonNumber(from, to int) {
	t := w.body[from:to]
	if !w.r.finds {
		return
	}
	found := w.scanner.scan(t)
	if len(found) != 1 || found[0].from != 0 || found[0].to != len(t) {
		return
	}
	start := len(w.text)
	w.text = append(w.text, '"')
	w.text = w.r.appendMask(w.text, found[0].kind, t, false)
	w.text = append(w.text, '"')
	w.put(from, to, start)
}

// endOfValue gives the end of the value of JSON that starts at i.
func endOfValue(t []byte, i int) int {
	depth := 0
	for i < len(t) {
		switch t[i] {
		case '"':
			end := endOfString(t, i+1)
			if end < 0 {
				return len(t)
			}
			i = end
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		i++
		if depth <= 0 {
			return i
		}
	}
	return len(t)
}
