package enrich

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"treq/telemetry/semconv"
)

var documentPrefix = []byte(semconv.OIDocuments + ".")

// document is what a span tells of one in OpenInference's words: encoded AnyValues, nil
// for what it does not tell.
type document struct {
	n                            int
	content, id, score, metadata []byte
}

// mostDocuments bounds the documents of a span that are looked at.
const mostDocuments = 1000

// documentPart notes an attribute that begins as those of documents do.
func (s *span) documentPart(key, value []byte) {
	n, rest := 0, key[len(documentPrefix):]
	for len(rest) > 0 && '0' <= rest[0] && rest[0] <= '9' && n < mostDocuments {
		n, rest = 10*n+int(rest[0]-'0'), rest[1:]
	}
	part, ok := bytes.CutPrefix(rest, []byte(".document."))
	if !ok || n >= mostDocuments {
		return
	}
	if value == nil {
		value = there
	}
	switch d := s.document(n); string(part) {
	case "content":
		d.content = value
	case "id":
		d.id = value
	case "score":
		d.score = value
	case "metadata":
		d.metadata = value
	}
}

// document gives the n-th document, which mostly is the last that was told of.
func (s *span) document(n int) *document {
	for i := len(s.documents) - 1; i >= 0; i-- {
		if s.documents[i].n == n {
			return &s.documents[i]
		}
	}
	s.documents = append(s.documents, document{n: n})
	return &s.documents[len(s.documents)-1]
}

// scores puts the scores of OpenInference's documents into their metadata, where
// LangSmith has them. Documents without content or metadata, which it does not take,
// get what they lack.
func (s *span) scores() {
	for i := range s.documents {
		s.scored(&s.documents[i])
	}
}

func (s *span) scored(d *document) {
	if d.content == nil && d.id == nil && d.score == nil && d.metadata == nil {
		return
	}
	if d.content != nil && d.metadata != nil && (d.score == nil || hasMember(plainText(d.metadata), "score")) {
		return
	}
	metadata := map[string]any{}
	if text := textOf(d.metadata); text != "" && json.Unmarshal([]byte(text), &metadata) != nil || metadata == nil {
		return
	}
	prefix := string(documentPrefix) + strconv.Itoa(d.n) + ".document."
	score, scored := decoded(d.score).(float64)
	if _, there := metadata["score"]; scored && !there {
		metadata["score"] = score
	} else {
		scored = false
	}
	id := textOf(d.id)
	switch {
	case d.metadata == nil:
		if id != "" {
			metadata["id"] = id
		}
		s.attributeText(prefix+"metadata", asJSON(metadata))
	case scored:
		s.replace(prefix+"metadata", asJSON(metadata))
	}
	if d.content == nil {
		s.attributeText(prefix+"content", id)
	}
}

// hasMember tells whether an object of JSON has a member, by its outermost braces.
func hasMember(object []byte, name string) bool {
	depth := 0
	for i := 0; i < len(object); i++ {
		switch object[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			start := i + 1
			for i++; i < len(object) && object[i] != '"'; i++ {
				if object[i] == '\\' {
					i++
				}
			}
			if depth == 1 && i < len(object) && string(object[start:i]) == name && bytes.HasPrefix(bytes.TrimLeft(object[i+1:], " \t\r\n"), []byte(":")) {
				return true
			}
		}
	}
	return false
}

// found gives the documents that a retrieval tells, by the semantic conventions or,
// as OpenLLMetry has it, in an event for each; nil if it tells none.
func (s *span) found() (documents []map[string]any) {
	if text := s.text(retrievalDocuments); text != "" {
		if json.Unmarshal([]byte(text), &documents) != nil {
			return nil
		}
		return documents
	}
	for _, event := range s.results[:min(len(s.results), mostDocuments)] {
		if d := result(event); len(d) > 0 {
			documents = append(documents, d)
		}
	}
	return documents
}

// result gives the document of an event of a vector database.
func result(event []byte) map[string]any {
	d := map[string]any{}
	for len(event) > 0 {
		p, ok := next(event)
		if !ok {
			break
		}
		event = event[p.size:]
		if p.number != eventAttributes || p.kind != protowire.BytesType {
			continue
		}
		key, value, ok := pair(p.content)
		if !ok {
			continue
		}
		name, ok := strings.CutPrefix(string(key), semconv.EventDBQueryResult+".")
		if !ok {
			if name, ok = strings.CutPrefix(string(key), semconv.EventDBSearchResult+"."); !ok {
				continue
			}
		}
		switch v := decoded(value); name {
		case "vector": // the numbers that were searched by, which nobody reads
		case "document":
			d["content"] = v
		case "metadata", "entity":
			d[name] = v
			if text, isText := v.(string); isText && json.Valid([]byte(text)) {
				d[name] = json.RawMessage(text)
			}
		default:
			d[name] = v
		}
	}
	return d
}

// contents are the names under which a document's text is told.
var contents = []string{"content", "text", "page_content"}

// retrieved tells LangSmith what a retrieval found and was asked.
func (s *span) retrieved() {
	if !s.has(retrievalDocuments) && len(s.results) == 0 || s.has(completion, oiOutput, tlOutput) {
		return
	}
	found := s.found()
	if found == nil {
		return
	}
	documents := make([]map[string]any, 0, len(found))
	for _, d := range found {
		content, of := "", map[string]any{}
		for name, value := range d {
			if text, isText := value.(string); isText && slices.Contains(contents, name) {
				content = text
			} else {
				of[name] = value
			}
		}
		documents = append(documents, map[string]any{"page_content": content, "metadata": of, "type": "Document"})
	}
	s.add(completion, asJSON(map[string]any{"documents": documents}))
	if query := s.text(retrievalQuery); query != "" && !s.has(oiInput, tlInput) {
		s.add(prompt, asJSON(map[string]any{"query": query}))
	}
}

// listed tells Phoenix what a retrieval found, in the words of OpenInference.
func (s *span) listed() {
	if len(s.documents) > 0 || !s.has(retrievalDocuments) && len(s.results) == 0 {
		return
	}
	for n, d := range s.found() {
		if n == mostDocuments {
			return
		}
		prefix := string(documentPrefix) + strconv.Itoa(n) + ".document."
		for _, name := range contents {
			if text, isText := d[name].(string); isText {
				s.attributeText(prefix+"content", text)
				break
			}
		}
		if id, isText := d["id"].(string); isText {
			s.attributeText(prefix+"id", id)
		}
		if score, isNumber := d["score"].(float64); isNumber {
			s.attribute(encodedPair(prefix+"score", protowire.AppendFixed64(protowire.AppendTag(nil, anyDouble, protowire.Fixed64Type), math.Float64bits(score))))
		}
	}
}
