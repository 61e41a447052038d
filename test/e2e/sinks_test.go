package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"treq/test/e2e/e2etest"
)

// sinkBodies keeps everything that came to each of some sinks on one address, unpacked,
// by the first part of the path.
type sinkBodies struct {
	mu  sync.Mutex
	got map[string]string
}

func newSinkBodies(t *testing.T) (*sinkBodies, string) {
	b := &sinkBodies{got: map[string]string{}}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	return b, server.URL
}

func (b *sinkBodies) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client was killed
	}
	if r.Header.Get("Content-Encoding") == "gzip" {
		if unzipped, err := gzip.NewReader(bytes.NewReader(raw)); err == nil {
			raw, _ = io.ReadAll(unzipped)
		}
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	b.mu.Lock()
	b.got[name] += string(raw) + "\n"
	b.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte("{}"))
}

func (b *sinkBodies) of(name string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.got[name]
}

// TestContentIsASinksOwnMatter sends one trace and one judgement to sinks with different
// words on content, under each word of the settings: what people and models wrote is
// where it may be and nowhere else, and every number is everywhere.
func TestContentIsASinksOwnMatter(t *testing.T) {
	t.Parallel()
	const (
		trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
		question    = "QUANTO CUSTA A VÁLVULA"
		comment     = "NÃO ERA ISSO"
		correction  = "CUSTA DEZ REAIS"
		cpf         = "529.982.247-25"
	)
	body := `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"app"}}]},"scopeSpans":[{"spans":[
		{"traceId":"` + trace + `","spanId":"` + span + `","name":"chat m","kind":3,"startTimeUnixNano":"1767614400100000000","endTimeUnixNano":"1767614400900000000","attributes":[
		{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.response.model","value":{"stringValue":"llama-3.1-8b-instant"}},
		{"key":"gen_ai.usage.input_tokens","value":{"intValue":"10"}},{"key":"treq.similarity.told","value":{"doubleValue":0.8125}},{"key":"app.note","value":{"stringValue":"CPF ` + cpf + `"}},
		{"key":"gen_ai.input.messages","value":{"stringValue":"[{\"role\":\"user\",\"content\":\"` + question + `\"}]"}}]}]}]}]}`
	judged := `{"run_id":"` + trace + `","key":"user-score","score":0.25,"comment":"` + comment + `","correction":{"answer":"` + correction + `"}}`
	for settings, open := range map[string]map[string]bool{
		"redact: {rules: br, at: sink}":                                          {"plain": true, "keep": true},
		"redact: {rules: br, at: sink, content: none}":                           {"keep": true},
		"redact: {rules: br, at: both}":                                          {"plain": true, "keep": true},
		"redact: {rules: 'off', at: sink, content: none, key: 0123456789abcdef}": {"keep": true},
	} {
		t.Run(settings, func(t *testing.T) {
			t.Parallel()
			bodies, url := newSinkBodies(t)
			config := settings + "\nsinks:\n"
			for name, word := range map[string]string{"plain": "", "keep": ", content: keep", "none": ", content: none"} {
				config += fmt.Sprintf("  - {name: %s, endpoint: %q, compression: none, feedback: langfuse, delay: 20ms%s}\n", name, url+"/"+name+"/api/public/otel/v1/traces", word)
			}
			s := e2etest.Start(t, e2etest.Spec{Config: config})
			a := s.Do(http.MethodPost, "/v1/traces", http.Header{"Content-Type": {"application/json"}}, strings.NewReader(body))
			if a.Status != http.StatusOK {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			if a := s.Do(http.MethodPost, "/feedback", http.Header{"Content-Type": {"application/json"}}, strings.NewReader(judged)); a.Status/100 != 2 {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			for _, name := range []string{"plain", "keep", "none"} {
				e2etest.Eventually(t, settled, func() error {
					got := bodies.of(name)
					// The numbers, and what the whole is called, are everywhere.
					for _, want := range []string{"llama-3.1-8b-instant", "gen_ai.usage.input_tokens", "treq.similarity.told", `"value":0.25`} {
						if !strings.Contains(got, want) {
							return fmt.Errorf("%s got no %s", name, want)
						}
					}
					return nil
				})
				got := bodies.of(name)
				if strings.Contains(got, question) != open[name] {
					t.Errorf("%s: content is %v", name, !open[name])
				}
				if name == "none" && (strings.Contains(got, comment) || strings.Contains(got, correction)) {
					t.Errorf("%s was told the comment of a judgement", name)
				}
				if strings.Contains(got, cpf) != strings.Contains(settings, "'off'") {
					t.Errorf("%s: the number is %v", name, strings.Contains(got, cpf))
				}
			}
		})
	}
}
