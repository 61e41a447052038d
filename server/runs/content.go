package runs

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

const (
	// mostText bounds one text of content, in bytes.
	mostText = 16 << 10
	// mostContent bounds all content of a document.
	mostContent = 1 << 20
	// mostMessage bounds the message of a status.
	mostMessage = 1 << 10
)

// Where content stands, the place that is believed first in front.
var (
	inputs = [...]string{
		semconv.GenAIInputMessages, semconv.GenAIPrompt, semconv.OIInputValue, semconv.TLEntityInput,
		semconv.GenAIRetrievalQuery,
	}
	outputs = [...]string{
		semconv.GenAIOutputMessages, semconv.GenAICompletion, semconv.OIOutputValue, semconv.TLEntityOutput,
		semconv.GenAIRetrievalDocuments,
	}
)

// content finds a span's content under some names, at most room bytes of it; nil
// if it has none.
func content(attributes []otlp.Attribute, names []string, room int) *Text {
	for _, name := range names {
		for i := range attributes {
			if a := &attributes[i]; string(a.Key) == name && !blank(a.Value) {
				return textOf(a.Value, min(room, mostText))
			}
		}
	}
	for _, name := range names {
		if t := messages(attributes, name, min(room, mostText)); t != nil {
			return t
		}
	}
	return nil
}

func blank(v otlp.Value) bool {
	return v.Type == otlp.Empty || v.Type == otlp.String && len(v.Bytes) == 0
}

// messages joins what stands under name.0.content, name.1.content and so on, in
// the order in which the client sent it, a message a line.
func messages(attributes []otlp.Attribute, name string, most int) *Text {
	var t *Text
	for i := range attributes {
		a := &attributes[i]
		rest, ours := bytes.CutPrefix(a.Key, []byte(name+"."))
		if !ours || !bytes.HasSuffix(rest, []byte(".content")) || blank(a.Value) {
			continue
		}
		one := textOf(a.Value, most)
		if t == nil {
			t = one
			continue
		}
		t.Bytes += 1 + one.Bytes
		var cut bool
		t.Text, cut = shorten(t.Text+"\n"+one.Text, most)
		t.Truncated = t.Truncated || one.Truncated || cut
	}
	return t
}

// textOf gives a value as text of at most so many bytes: texts as they are,
// everything else as JSON.
func textOf(v otlp.Value, most int) *Text {
	if v.Type == otlp.String {
		text, cut := shorten(string(v.Bytes[:min(len(v.Bytes), most+utf8.UTFMax)]), most)
		return &Text{Text: text, Bytes: len(v.Bytes), Truncated: cut || len(v.Bytes) > most}
	}
	w := writer{most: most}
	w.value(v)
	text, cut := shorten(w.b.String(), most)
	return &Text{Text: text, Bytes: max(len(v.Bytes), len(text)), Truncated: cut || w.full()}
}

// shorten gives text as valid UTF-8 of at most so many bytes, and whether any are left out.
func shorten(text string, most int) (string, bool) {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= most {
		return text, false
	}
	cut := max(most, 0)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut], true
}

// writer writes values as JSON until it has more than most bytes.
type writer struct {
	b    strings.Builder
	most int
}

func (w *writer) full() bool { return w.b.Len() > w.most }

func (w *writer) value(v otlp.Value) {
	if w.full() {
		return
	}
	switch v.Type {
	case otlp.String:
		w.text(v.Bytes)
	case otlp.Bool:
		w.b.WriteString(strconv.FormatBool(v.Num != 0))
	case otlp.Int:
		w.b.WriteString(strconv.FormatInt(v.Int(), 10))
	case otlp.Double:
		w.b.WriteString(strconv.FormatFloat(v.Double(), 'g', -1, 64))
	case otlp.Bytes:
		w.text([]byte(hex.EncodeToString(v.Bytes[:min(len(v.Bytes), w.most+1)])))
	case otlp.Array:
		w.list('[', ']', func(next func()) {
			otlp.EachElement(v, func(e otlp.Value) bool {
				next()
				w.value(e)
				return !w.full()
			})
		})
	case otlp.KVList:
		w.list('{', '}', func(next func()) {
			otlp.EachPair(v, func(key []byte, e otlp.Value) bool {
				next()
				w.text(key)
				w.b.WriteByte(':')
				w.value(e)
				return !w.full()
			})
		})
	default:
		w.b.WriteString("null")
	}
}

func (w *writer) list(open, end byte, each func(next func())) {
	w.b.WriteByte(open)
	first := true
	each(func() {
		if !first {
			w.b.WriteByte(',')
		}
		first = false
	})
	w.b.WriteByte(end)
}

func (w *writer) text(b []byte) {
	var quoted bytes.Buffer
	e := json.NewEncoder(&quoted)
	e.SetEscapeHTML(false)
	if err := e.Encode(string(b[:min(len(b), w.most+1)])); err == nil {
		w.b.Write(bytes.TrimSuffix(quoted.Bytes(), []byte("\n")))
	}
}
