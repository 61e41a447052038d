package redact

import (
	"bytes"
	"strings"
)

// Content that goes leaves its numbers: a reader of the rest counts the same calls,
// tokens, documents and scores as before. Of JSON the members, numbers and truths
// stay and the texts go; other text goes as a whole.

// emptied stands in the place of text.
const emptied = "CONTENT"

// bare handles a text of an attribute or member called key that is content.
func (w *walker) bare(from, to int, key []byte) {
	t := w.body[from:to]
	if len(t) == 0 || masked(t, emptied) || w.r.mask(t) {
		return
	}
	w.rest = w.r.appendBare(w.rest[:0], t, key)
	w.settle(from, to, t)
}

// settle puts w.rest in the place of t, without what is looked for in it.
func (w *walker) settle(from, to int, t []byte) {
	if w.r.finds {
		if found := w.scanner.scan(w.rest); len(found) > 0 {
			clean := make([]byte, 0, len(w.rest))
			i := 0
			for _, m := range found {
				clean = append(clean, w.rest[i:m.from]...)
				clean = w.r.appendReplacement(clean, w.rest, m, false)
				i = m.to
			}
			w.rest = append(clean, w.rest[i:]...)
		}
	}
	if !bytes.Equal(w.rest, t) {
		w.r.dropped.Add(1)
		w.replace(from, to, w.rest)
	}
	if cap(w.rest) > 1<<20 {
		w.rest = nil
	}
}

// status handles the message of a span's status: without content the class of the
// error stays, as libraries put it in front.
func (w *walker) status(from, to int) {
	if !w.r.bare {
		w.leaf(from, to, treatment{})
		return
	}
	t := w.body[from:to]
	w.rest = append(w.rest[:0], t[:class(t)]...)
	w.settle(from, to, t)
}

// class gives the end of the class name that an error's message starts with, with
// the bracket or colon behind it; 0 if it starts with none.
func class(t []byte) int {
	for i, c := range t {
		switch {
		case isLetter(c), c == '_', i > 0 && (c == '.' || isDigit(c)):
			if i == 64 {
				return 0
			}
		case i > 0 && (c == '(' || c == ':'):
			return i + 1
		default:
			return 0
		}
	}
	return 0
}

// representations are what stands where a client had no content: the outputs of runs
// that gave a generator or a response object. They tell that a run ended early.
var representations = []string{
	"<generator object >", "<async_generator object >", "<coroutine object >",
	"[object Generator]", "[object AsyncGenerator]", "[object ReadableStream]",
}

// told are values of JSON that say of what type a message is: their names end there.
var told = []string{"AIMessageChunk", "chat.completion.chunk"}

// names are members whose texts name a model, provider, type or reason.
var names = map[string]bool{
	"model": true, "model_name": true, "glm_model": true, "selected_model": true,
	"ls_model_name": true, "ls_provider": true, "ls_model_type": true,
	"type": true, "object": true, "role": true, "finish_reason": true, "stop_reason": true, "service_tier": true,
}

// appendBare appends what is left of a text.
func (r *Redactor) appendBare(dst, t, key []byte) []byte {
	trimmed := bytes.TrimLeft(t, " \t\r\n")
	switch {
	case len(trimmed) == 0:
		return dst
	case representation(t) != "":
		return append(dst, representation(t)...)
	case trimmed[0] == '{' || trimmed[0] == '[':
		return r.appendSkeleton(dst, trimmed)
	case number(t), names[string(key)] && plain(t), bytes.HasSuffix(key, []byte(".id")) && plain(t):
		return append(dst, t...)
	case bytes.HasPrefix(key, []byte("reranker.")):
		return r.appendNamed(dst, emptied, t, Hash) // how far documents moved is counted
	}
	return r.appendNamed(dst, emptied, t, Mask)
}

// representation gives the representation that a short text is, alone or as the one
// value of an object; "" if it is none.
func representation(t []byte) string {
	if len(t) > 512 {
		return ""
	}
	at := bytes.IndexAny(t, "<[")
	if at < 0 || len(bytes.Trim(t[:at], `abcdefghijklmnopqrstuvwxyz{":_ `)) > 0 {
		return ""
	}
	rest := string(t[at:])
	for _, known := range representations {
		if strings.HasPrefix(rest, strings.TrimSuffix(known, ">")) {
			return known
		}
	}
	if rest[0] == '<' && strings.Contains(rest, " object at 0x") {
		return "<object object at 0x>"
	}
	return ""
}

// number tells whether a text is a decimal number short enough to be nobody's.
func number(t []byte) bool {
	t = bytes.TrimPrefix(bytes.TrimSpace(t), []byte("-"))
	whole, fraction, _ := bytes.Cut(t, []byte("."))
	return len(whole) > 0 && len(whole) < shortestNumber && len(fraction) <= 20 && allDigits(whole) && allDigits(fraction)
}

func allDigits(t []byte) bool {
	for _, c := range t {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

// plain tells whether a text is a name: short, and of the bytes that names have.
func plain(t []byte) bool {
	if len(t) > 128 {
		return false
	}
	for _, c := range t {
		if !isLetter(c) && !isDigit(c) && !strings.ContainsRune("_-./:", rune(c)) {
			return false
		}
	}
	return true
}

// appendSkeleton appends JSON without its texts. What is no JSON ends it.
func (r *Redactor) appendSkeleton(dst, t []byte) []byte {
	var key []byte
	for i := 0; i < len(t); {
		switch c := t[i]; {
		case c == '"':
			end := endOfString(t, i+1)
			if end < 0 {
				return dst
			}
			s := t[i+1 : end]
			i = end + 1
			next := afterSpace(t, i)
			isKey := next < len(t) && t[next] == ':'
			if isKey {
				key = s
			}
			if isKey && len(s) <= 64 && plain(s) || !isKey && r.kept(s, key) {
				dst = append(append(append(dst, '"'), s...), '"')
			} else {
				dst = append(dst, `""`...)
			}
		case strings.IndexByte("{}[],:", c) >= 0:
			if c == '{' || c == '}' {
				key = nil
			}
			dst = append(dst, c)
			i++
		case c == ' ', c == '\t', c == '\n', c == '\r':
			i++
		default:
			start := i
			for i < len(t) && strings.IndexByte(",]}: \t\r\n\"", t[i]) < 0 {
				i++
			}
			if !word(t[start:i]) {
				return dst
			}
			dst = append(dst, t[start:i]...)
		}
	}
	return dst
}

// kept tells whether a text of JSON under a key stays: a number, a name of a model or
// reason, or what already took the place of something.
func (r *Redactor) kept(s, key []byte) bool {
	for _, name := range told {
		if string(s) == name {
			return true
		}
	}
	return r.mask(s) || number(s) || names[string(key)] && plain(s)
}

// afterSpace gives the first place from i on that holds no white space.
func afterSpace(t []byte, i int) int {
	for i < len(t) && (t[i] == ' ' || t[i] == '\n' || t[i] == '\t' || t[i] == '\r') {
		i++
	}
	return i
}

// endOfString gives the place of the quote that ends the string whose content starts at i.
func endOfString(t []byte, i int) int {
	for i < len(t) {
		n := bytes.IndexAny(t[i:], `"\`)
		if n < 0 {
			return -1
		}
		if i += n; t[i] == '"' {
			return i
		}
		i += 2
	}
	return -1
}

// word tells whether text outside of strings is a number or literal of JSON.
func word(t []byte) bool {
	switch string(t) {
	case "true", "false", "null", "NaN", "Infinity", "-Infinity":
		return true
	}
	for _, c := range t {
		if !isDigit(c) && strings.IndexByte("+-.eE", c) < 0 {
			return false
		}
	}
	return len(t) > 0
}
