package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/test/recorded"
)

func TestLayOutChangesOnlySpace(t *testing.T) {
	long := strings.Repeat("válvula ", 40)
	for _, text := range []string{
		`null`, `{}`, `[]`, `"` + long + `"`, `[1,-2.50,"1e400",true,null]`,
		`{"b":[{"key":"k","value":{"stringValue":"` + long + `"}}],"a":{"deep":["` + long + `",{"empty":{}}]},"a\"b":12345678901234567890}`,
	} {
		laid, err := layOut(nil, json.RawMessage(text), "")
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var back bytes.Buffer
		if err := json.Compact(&back, laid); err != nil {
			t.Fatalf("%s: %v", laid, err)
		}
		if diff := cmp.Diff(text, back.String()); diff != "" {
			t.Errorf("-given +laid out:\n%s", diff)
		}
	}
}

func TestPathsAreHidden(t *testing.T) {
	machine := paths{installed: "/some/where/installed", root: "/some/where/test/recorded"}
	text := []byte(`{"key":"host.name","value":{"stringValue":"anvil"}} /some/where/installed/python/x.py ` +
		`/some/where/test/recorded/clients/y.py /opt/py/lib/python3.11/os.py Linux-6.1.0-x86_64-with-glibc2.36`)
	hidden := string(machine.hide(text))
	want := `{"key":"host.name","value":{"stringValue":"recorded"}} /installed/python/x.py ` +
		`/app/clients/y.py /python/lib/python3.11/os.py Linux-x86_64-with-glibc`
	if diff := cmp.Diff(want, hidden); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	inPlace := machine.hideInPlace(bytes.Clone(text))
	if len(inPlace) != len(text) {
		t.Errorf("%d bytes became %d: a part of a body no longer has the length it states", len(text), len(inPlace))
	}
	for _, left := range []string{"/some", "/opt", "6.1.0"} {
		if bytes.Contains(inPlace, []byte(left)) {
			t.Errorf("%s is still in %s", left, inPlace)
		}
	}
}

func TestLedgerAddsUp(t *testing.T) {
	l := &ledger{service: "s"}
	for _, note := range []struct{ what, fields string }{
		{"chat.start", `{}`},
		{"search", `{"outcome":"success","documents":0,"result":"empty"}`},
		{"search", `{"outcome":"success","documents":2,"result":"found"}`},
		{"call", `{"outcome":"success","input":40,"output":2}`},
		{"call", `{"outcome":"failure"}`},
		{"chat.end", `{"outcome":"success"}`},
		{"call", `{"outcome":"success","input":1,"output":1}`},
	} {
		if err := l.take(note.what, json.RawMessage(note.fields)); err != nil {
			t.Fatalf("%s: %v", note.what, err)
		}
	}
	want := []recorded.Chat{{Service: "s", Outcome: "success", LLMCalls: 2, Tokens: 42, RAG: "found"}}
	if diff := cmp.Diff(want, l.truth.Chats); diff != "" {
		t.Errorf("chats (-want +got):\n%s", diff)
	}
	for _, wrong := range []string{"chat.end", "nonsense"} {
		if err := l.take(wrong, json.RawMessage(`{}`)); err == nil {
			t.Errorf("the ledger took %s", wrong)
		}
	}
}
