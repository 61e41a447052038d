package recorded

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"treq/telemetry/otlp"
)

// enough is how many cases there are at least: a script that records only some of
// them again must not take the others away.
const enough = 40

func TestEveryCaseLoads(t *testing.T) {
	cases := Load(t)
	if len(cases) < enough {
		t.Errorf("%d cases, want at least %d", len(cases), enough)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			if c.About == "" || c.Client == "" || len(c.Versions) == 0 {
				t.Error("it does not say what it is, or which client made it")
			}
			if len(c.Requests)+len(c.Native) == 0 {
				t.Error("nothing was sent")
			}
			for i, request := range c.Requests {
				found, err := otlp.CheckTraces(request)
				if err != nil {
					t.Errorf("request %d: %v", i+1, err)
				} else if found.Spans == 0 || found.BadIDs > 0 {
					t.Errorf("request %d: %+v", i+1, found)
				}
			}
		})
	}
}

// TestCasesAreThoseOfTheManifest finds what was renamed and left behind, and what
// was planned and never recorded.
func TestCasesAreThoseOfTheManifest(t *testing.T) {
	text, err := os.ReadFile("manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var plans []struct{ Name string }
	if err := json.Unmarshal(text, &plans); err != nil {
		t.Fatal(err)
	}
	var planned, kept []string
	for _, plan := range plans {
		planned = append(planned, plan.Name)
	}
	for _, c := range Load(t) {
		kept = append(kept, c.Name)
	}
	slices.Sort(planned)
	if diff := cmp.Diff(planned, kept); diff != "" {
		t.Errorf("-manifest.json +cases:\n%s", diff)
	}
}

// TestBytesSayWhatTheFilesSay holds the protobuf that Load gives to another reader
// of OTLP/JSON.
func TestBytesSayWhatTheFilesSay(t *testing.T) {
	for _, c := range Load(t) {
		otlpRequest := 0
		for _, sent := range c.Sent {
			if sent.IsNative() {
				continue
			}
			text, err := files.ReadFile(path.Join("cases", c.Name, sent.File))
			if err != nil {
				t.Fatal(err)
			}
			want, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(text)
			if err != nil {
				t.Fatalf("%s/%s: %v", c.Name, sent.File, err)
			}
			got := ptraceotlp.NewExportRequest()
			if err := got.UnmarshalProto(c.Requests[otlpRequest]); err != nil {
				t.Fatalf("%s/%s: %v", c.Name, sent.File, err)
			}
			otlpRequest++
			if diff := cmp.Diff(encode(t, want), encode(t, got.Traces())); diff != "" {
				t.Errorf("%s/%s (-pdata +ours):\n%s", c.Name, sent.File, diff)
			}
		}
	}
}

func encode(t *testing.T, traces ptrace.Traces) string {
	t.Helper()
	text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTruthAddsUp(t *testing.T) {
	for _, c := range Load(t) {
		for _, u := range c.Untold {
			if u.Why == "" {
				t.Errorf("%s: %s is untold for no reason", c.Name, u.Path)
			}
		}
		for name, truth := range map[string]Truth{"truth": c.Truth, "told": c.Told} {
			if problems := truth.problems(); len(problems) > 0 {
				t.Errorf("%s: %s: %s", c.Name, name, strings.Join(problems, "; "))
			}
		}
	}
}

// problems are what contradicts itself in a truth.
func (t Truth) problems() []string {
	var found []string
	check := func(ok bool, problem string) {
		if !ok {
			found = append(found, problem)
		}
	}
	calls, tokens := 0, int64(0)
	rag := map[string]bool{}
	for _, chat := range t.Chats {
		calls += chat.LLMCalls
		tokens += chat.Tokens
		rag[chat.RAG] = true
		check(chat.Outcome == "success" || chat.Outcome == "failure", "a chat's outcome is "+chat.Outcome)
		check(slices.Contains([]string{"none", "unknown", "empty", "found"}, chat.RAG), "a chat's rag is "+chat.RAG)
	}
	check(calls == len(t.Calls), "the chats do not have the calls between them")
	check(len(t.Searches) == 0 || len(t.Chats) == 0 || !rag["none"] || len(rag) > 1, "searches without a chat that used them")
	for _, call := range t.Calls {
		tokens -= value(call.Input) + value(call.Output)
		check(call.Outcome == "success" || call.Outcome == "failure", "a call's outcome is "+call.Outcome)
		check(value(call.CacheRead)+value(call.CacheWrite) <= value(call.Input), "more was cached than asked")
		check(value(call.Reasoning) <= value(call.Output), "more was reasoned than answered")
		check(call.Streamed == (call.Stream != ""), "a call was streamed and was not")
		check(call.Streamed || !call.TTFTKnown, "a first token without a stream")
		check(call.Stream != "usage_missing" || call.Input == nil, "a missing usage was told")
	}
	check(tokens == 0, "the chats do not have the tokens of the calls")
	for _, search := range t.Searches {
		check(search.Documents == nil || (*search.Documents > 0) == (search.Result == "found"), "a search's result is not what it returned")
		check((search.Mean == nil) == (search.Top == nil), "half a similarity")
		check(search.Mean == nil || 0 <= *search.Mean && *search.Mean <= *search.Top && *search.Top <= 1, "a similarity outside 0..1")
	}
	return found
}

func value(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// machine matches what tells of the machine that recorded.
var machine = regexp.MustCompile(`/(root|home|tmp|work|Users|var/folders)/[\w.]|site-packages/\.\.`)

func TestFilesSpeakOfNoMachine(t *testing.T) {
	err := fs.WalkDir(files, "cases", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		if found := machine.Find(text); found != nil {
			t.Errorf("%s: %s", name, found)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestUntold(t *testing.T) {
	one, two := int64(1), int64(2)
	truth := Truth{
		Chats: []Chat{{Outcome: "success", LLMCalls: 2, Tokens: 3}},
		Calls: []Call{{Outcome: "failure"}, {Outcome: "success", Input: &one, Output: &two}},
	}
	told, err := truth.told([]Untold{
		{Path: "/calls/0"},
		{Path: "/calls/0/input"},
		{Path: "/chats/0/llm_calls", Told: 1},
		{Path: "/chats/0/tokens", Told: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Truth{
		Chats: []Chat{{Outcome: "success", LLMCalls: 1, Tokens: 2}},
		Calls: []Call{{Outcome: "success", Output: &two}},
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	for _, path := range []string{"/calls/9", "/calls/x", "/tools/deeper/still", "/nothing"} {
		if _, err := truth.told([]Untold{{Path: path, Told: 1}}); err == nil {
			t.Errorf("%s was taken for a place in the truth", path)
		}
	}
}
