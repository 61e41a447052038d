package semconv

import (
	"strings"
	"testing"
)

func TestUnmapped(t *testing.T) {
	long := "gen_ai." + strings.Repeat("x", 200_000)
	for name, want := range map[string]string{
		"gen_ai.usage.video.input_tokens": "gen_ai.usage.video.input_tokens",
		"llm.things.12.thing.3":           "llm.things.N.thing.N",
		"llm.things.v2":                   "llm.things.v2",
		long:                              long[:128],
		"gen_ai.request.temperature":      "",
		"gen_ai.prompt.3.content":         "",
		"langsmith.metadata.whatever":     "",
		"traceloop.association.properties.langgraph_node": "",
		"http.route": "",
		"__proto__":  "",
		"":           "",
	} {
		got, ok := Unmapped(nil, []byte(name))
		if string(got) != want || ok != (want != "") {
			t.Errorf("Unmapped(%.40q) = %q, %v; want %q", name, got, ok, want)
		}
	}
}

// TestUnreadAreUnread: a name that is read does not stand among those that are not.
func TestUnreadAreUnread(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range unread {
		if Lookup([]byte(name)) != NoKey {
			t.Errorf("%s is read", name)
		}
		if !IsGenAI([]byte(name)) || seen[name] {
			t.Errorf("%s is of no dialect, or stands here twice", name)
		}
		seen[name] = true
	}
}

func BenchmarkUnmapped(b *testing.B) {
	names := [][]byte{
		[]byte("gen_ai.prompt.0.content"), []byte("llm.input_messages.0.message.content"),
		[]byte("gen_ai.request.temperature"), []byte("http.request.method"),
	}
	b.ReportAllocs()
	var buf []byte
	for i := 0; b.Loop(); i++ {
		buf, _ = Unmapped(buf[:0], names[i&3])
	}
}
