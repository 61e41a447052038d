package semconv

import "testing"

func TestLookupKnowsEveryName(t *testing.T) {
	for k := 1; k < len(keyNames); k++ {
		if keyNames[k] == "" {
			t.Errorf("key %d has no name", k)
		}
		if got := Lookup([]byte(keyNames[k])); got != Key(k) {
			t.Errorf("Lookup(%q) = %v, want %v", keyNames[k], got, Key(k))
		}
		if got := Key(k).String(); got != keyNames[k] {
			t.Errorf("Key(%d).String() = %q, want %q", k, got, keyNames[k])
		}
	}
	if len(keyNames) != keyCount-9 {
		t.Errorf("%d names for %d keys", len(keyNames), keyCount)
	}
}

func TestLookupOfIndexedAndForeignNames(t *testing.T) {
	for name, want := range map[string]Key{
		"retrieval.documents.0.document.score":       KeyOIDocumentScore,
		"retrieval.documents.12.document.metadata":   KeyOIDocumentMetadata,
		"retrieval.documents.3.document.content":     KeyOIDocument,
		"reranker.output_documents.1.document.score": KeyOIRerankedDocument,
		"reranker.input_documents.1.document.score":  KeyOIRerankInput,
		"gen_ai.completion.0.finish_reason":          KeyTLFinishReason,
		"gen_ai.completion.0.content":                NoKey,
		"gen_ai.prompt.0.content":                    NoKey,
		"llm.input_messages.0.message.content":       NoKey,
		"langsmith.metadata.anything":                NoKey,
		"http.request.method":                        NoKey,
		"GEN_AI.SYSTEM":                              NoKey,
		"":                                           NoKey,
		"a":                                          NoKey,
		"abcde":                                      NoKey,
	} {
		if got := Lookup([]byte(name)); got != want {
			t.Errorf("Lookup(%q) = %d (%v), want %d (%v)", name, got, got, want, want)
		}
	}
}

func TestIndex(t *testing.T) {
	for name, want := range map[string]int{
		"retrieval.documents.0.document.score":  0,
		"retrieval.documents.41.document.score": 41,
		"retrieval.documents.x.document.score":  -1,
		"retrieval.documents.9999999.document":  -1,
		"7":                                     7,
		"":                                      -1,
	} {
		got, ok := Index([]byte(name))
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("Index(%q) = %d, want %d", name, got, want)
		}
	}
}

func TestIsGenAI(t *testing.T) {
	for name, want := range map[string]bool{
		"gen_ai.some.future.name": true, "llm.x": true, "langsmith.metadata.z": true,
		"db.vector.query.new": true, "gen_ai.": false, "http.route": false, "db.system": false, "": false,
	} {
		if got := IsGenAI([]byte(name)); got != want {
			t.Errorf("IsGenAI(%q) = %v, want %v", name, got, want)
		}
	}
}

func FuzzLookup(f *testing.F) {
	f.Add([]byte("retrieval.documents.0.document.score"))
	f.Add([]byte("gen_ai.system"))
	names := map[string]Key{}
	for k := 1; k < len(keyNames); k++ {
		names[keyNames[k]] = Key(k)
	}
	f.Fuzz(func(t *testing.T, name []byte) {
		got := Lookup(name)
		if int(got) < len(keyNames) && got != names[string(name)] {
			t.Errorf("Lookup(%q) = %v, the table says %v", name, got, names[string(name)])
		}
		Index(name)
		IsGenAI(name)
	})
}

func BenchmarkLookup(b *testing.B) {
	names := [][]byte{
		[]byte("gen_ai.operation.name"), []byte("gen_ai.prompt.0.content"), []byte("server.address"),
		[]byte("llm.input_messages.0.message.content"), []byte("langsmith.span.kind"),
		[]byte("retrieval.documents.3.document.score"), []byte("gen_ai.usage.input_tokens"), []byte("thread.id"),
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		Lookup(names[i&7])
	}
}
