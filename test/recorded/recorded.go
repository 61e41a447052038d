package recorded

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"testing"

	"treq/telemetry/otlp"
)

//go:embed cases
var files embed.FS

// Case is one recorded conversation of a client with the doors.
type Case struct {
	Name string
	Description
	// Requests are the OTLP trace requests in the order they came, each an encoded
	// ExportTraceServiceRequest.
	Requests [][]byte
	// Paths are the URL paths the requests came to, index by index.
	Paths []string
	// Native are the requests of LangSmith's own run protocol, in the order they came.
	Native []Native
	// Told is the Truth as far as the payload can tell it: what a reader that makes
	// no mistake reports.
	Told Truth
}

// Native is one request of LangSmith's run protocol.
type Native struct {
	Method      string
	Path        string
	ContentType string // with the boundary of a multipart body
	Body        []byte // without content encoding
}

// Description is what a case.json says.
type Description struct {
	Client   string            `json:"client"` // the program, and what it was told to do
	About    string            `json:"about"`
	Versions map[string]string `json:"versions"` // of the libraries that matter
	// Settings are those the case needs of the service, by their path in the
	// settings file; most need none.
	Settings map[string]any `json:"settings,omitempty"`
	Truth    Truth          `json:"truth"`
	Untold   []Untold       `json:"untold,omitempty"`
	Sent     []Sent         `json:"requests"`
}

// Sent says how one request came, and which file keeps its body.
type Sent struct {
	File            string `json:"file"`
	Method          string `json:"method"`
	Path            string `json:"path"`
	ContentType     string `json:"content_type,omitempty"`
	ContentEncoding string `json:"content_encoding,omitempty"` // as sent; the file is decoded
	Project         string `json:"project,omitempty"`          // the header Langsmith-Project
}

// IsNative tells whether a request speaks LangSmith's run protocol; the others are
// OTLP traces.
func (s Sent) IsNative() bool {
	return !strings.HasSuffix(s.Path, "/traces") && !strings.HasSuffix(s.Path, "/otel")
}

// Load gives every case, ordered by name. It fails the test for a case that does
// not load.
func Load(t testing.TB) []Case {
	t.Helper()
	entries, err := files.ReadDir("cases")
	if err != nil {
		t.Fatal(err)
	}
	cases := make([]Case, 0, len(entries))
	for _, entry := range entries {
		if !entry.IsDir() {
			continue // the note beside the cases
		}
		c, err := load(files, path.Join("cases", entry.Name()))
		if err != nil {
			t.Fatalf("%s: %v", entry.Name(), err)
		}
		cases = append(cases, c)
	}
	return cases
}

func load(from fs.FS, dir string) (Case, error) {
	c := Case{Name: path.Base(dir)}
	text, err := fs.ReadFile(from, path.Join(dir, "case.json"))
	if err != nil {
		return c, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c.Description); err != nil {
		return c, fmt.Errorf("case.json: %w", err)
	}
	for _, sent := range c.Sent {
		body, err := fs.ReadFile(from, path.Join(dir, sent.File))
		if err != nil {
			return c, err
		}
		if sent.IsNative() {
			c.Native = append(c.Native, Native{sent.Method, sent.Path, sent.ContentType, body})
			continue
		}
		request, err := otlp.TracesFromJSON(nil, body)
		if err != nil {
			return c, fmt.Errorf("%s: %w", sent.File, err)
		}
		c.Requests = append(c.Requests, request)
		c.Paths = append(c.Paths, sent.Path)
	}
	c.Told, err = c.Truth.told(c.Untold)
	return c, err
}

// told gives the truth without what is untold.
func (t Truth) told(untold []Untold) (Truth, error) {
	var told Truth
	text, err := json.Marshal(t)
	if err != nil {
		return told, err
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return told, err
	}
	for _, u := range untold {
		if tree, err = put(tree, strings.Split(u.Path, "/")[1:], u.Told); err != nil {
			return told, fmt.Errorf("untold %s: %w", u.Path, err)
		}
	}
	if text, err = json.Marshal(tree); err != nil {
		return told, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	return told, dec.Decode(&told)
}

// put gives the tree with a value in a place; nil takes the place away.
func put(tree any, place []string, value any) (any, error) {
	if len(place) == 0 {
		return value, nil
	}
	name := place[0]
	switch node := tree.(type) {
	case map[string]any:
		child, err := put(node[name], place[1:], value)
		if err != nil {
			return nil, err
		}
		if child == nil {
			delete(node, name)
		} else {
			node[name] = child
		}
		return node, nil
	case []any:
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i > len(node) {
			return nil, fmt.Errorf("no element %q of %d", name, len(node))
		}
		if i == len(node) && value != nil && len(place) == 1 {
			return append(node, value), nil
		}
		if i == len(node) {
			return nil, fmt.Errorf("no element %q of %d", name, len(node))
		}
		child, err := put(node[i], place[1:], value)
		if err != nil {
			return nil, err
		}
		if child == nil {
			return append(node[:i], node[i+1:]...), nil
		}
		node[i] = child
		return node, nil
	}
	return nil, fmt.Errorf("nothing to hold %q", name)
}
