package understand

import (
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry"
)

func TestDocumentsInJSON(t *testing.T) {
	for _, c := range []struct {
		text              string
		documents, scored int32
		sum               float64
	}{
		{`[]`, 0, 0, 0},
		{`{"documents":[]}`, 0, 0, 0},
		{`{"documents":null}`, -1, 0, 0},
		{`{"output":null}`, -1, 0, 0},
		{`{"output":"text"}`, -1, 0, 0},
		{`"text"`, -1, 0, 0},
		{`{}`, -1, 0, 0},
		{`{"count":0}`, 0, 0, 0},
		{`{"documents":[{"page_content":"}]\"{","metadata":{"source":"x","score":0.5}}]}`, 1, 1, 0.5},
		{`{"documents":[{"metadata":{"score":0.25},"similarity":0.5}]}`, 1, 1, 0.5},
		{`{"documents":[{"similarity":0.5,"score":0.25}]}`, 1, 1, 0.5},
		{`{"documents":[{"score":"0.5"},{"score":null},{"score":"high"}]}`, 3, 1, 0.5},
		{`{"output":[{"similarity":0.5},{"similarity":0.25}]}`, 2, 2, 0.75},
		{`{"output":[[{"similarity":0.5},{"similarity":0.25}],{"debug":[1,2]}]}`, 2, 2, 0.75},
		{`{"output":[[],{"debug":1}]}`, 0, 0, 0},
		{`{"output":[[{"page_content":"a"},0.5],[{"page_content":"b"},0.25]]}`, 2, 2, 0.75},
		{`{"output":{"documents":[{}]}}`, 1, 0, 0},
		{`{"outputs":{"documents":[{"relevance_score":0.5}]}}`, 1, 1, 0.5},
		{`{"query":"q","results":[{"_score":0.5}],"took":3}`, 1, 1, 0.5},
		{`["a","b"]`, 2, 0, 0},
		{`[[0.1,0.2]]`, -1, 0, 0},
		{`  { "documents" : [ { "score" : 0.5 } ] } `, 1, 1, 0.5},
		{`{"documents":[{"score":1.00000012}]}`, 1, 1, 1},
		{`{"documents":[{"score":1.5},{"score":-0.1},{"score":0.5}]}`, 3, 1, 0.5},
	} {
		f := found{documents: -1}
		j := json{b: []byte(c.text), budget: 1 << 20}
		j.documents(&f)
		if j.bad || f.documents != c.documents || f.scored != c.scored || f.sum != c.sum {
			t.Errorf("%s: bad %v, %d documents, %d scored, sum %v", c.text, j.bad, f.documents, f.scored, f.sum)
		}
	}
}

func TestContentBeyondTheBudget(t *testing.T) {
	long := `{"documents":[{"score":0.5},{"page_content":"` + strings.Repeat("x", 2000) + `","score":0.1}]}`
	s := parseScript(t, "config content=1000\nretriever r 0-10 output.value='"+long+"'")
	e, rec := newEngine(t, s.config)
	play(t, e, s.steps)
	e.Flush()
	want := "rejected  content_budget 1\n" +
		"retrieval app 0s 10ms success source=\"\" documents=-1 unknown unscored miss\n" +
		"spans     app recorded retrieval 1\n"
	if diff := cmp.Diff(want, rec.String()); diff != "" {
		t.Error(diff)
	}
}

func FuzzJSON(f *testing.F) {
	for _, text := range []string{
		`{"documents":[{"score":0.5}]}`, `{"output":[[{"similarity":1}],0.5]}`, `[[[[`, `{"a":`, `"\"`, `{"usage":{"input_tokens":1}}`, ``,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		found := found{documents: -1}
		j := json{b: text, budget: 1 << 16}
		j.documents(&found)
		if found.scored > 0 && !(found.top >= 0 && found.top <= 1) || found.scored > max(0, found.documents) {
			t.Errorf("%+v", found)
		}
		c := callContent{budget: 1 << 16}
		c.read(text, text, text, true)
		var r rejections
		c.usage.check(&r)
		if tokens, known := c.usage.split(); known && (tokens.Total() <= 0 || tokens.Total() > mostTokens ||
			min(tokens.Input, tokens.Output, tokens.CacheRead, tokens.CacheWrite, tokens.Reasoning, tokens.Unsplit) < 0) {
			t.Errorf("%+v gives %+v", c.usage, tokens)
		}
		unconsumed(text)
	})
}

func TestUsageIsSplit(t *testing.T) {
	const no = -1
	for _, c := range []struct {
		what string
		u    usage
		want telemetry.Tokens
		ok   bool
	}{
		{"nothing told", usage{no, no, no, no, no, no, no, no, no}, telemetry.Tokens{}, false},
		{"zeros are unknown", usage{0, 0, 0, no, no, no, no, no, no}, telemetry.Tokens{}, false},
		{"a total alone", usage{no, no, 9, no, no, no, no, no, no}, telemetry.Tokens{Unsplit: 9}, true},
		{"input and total", usage{6, no, 9, no, no, no, no, no, no}, telemetry.Tokens{Input: 6, Output: 3}, true},
		{"output and total", usage{no, 3, 9, no, no, no, no, no, no}, telemetry.Tokens{Input: 6, Output: 3}, true},
		{"subsets by default", usage{10, 8, no, 4, 1, 3, no, no, no}, telemetry.Tokens{Input: 5, CacheRead: 4, CacheWrite: 1, Output: 5, Reasoning: 3}, true},
		{"subsets by the total", usage{10, 8, 18, 4, 1, 3, no, no, no}, telemetry.Tokens{Input: 5, CacheRead: 4, CacheWrite: 1, Output: 5, Reasoning: 3}, true},
		{"cache added by the total", usage{10, 8, 23, 4, 1, 3, no, no, no}, telemetry.Tokens{Input: 10, CacheRead: 4, CacheWrite: 1, Output: 5, Reasoning: 3}, true},
		{"reasoning added by the total", usage{10, 8, 21, 4, 1, 3, no, no, no}, telemetry.Tokens{Input: 5, CacheRead: 4, CacheWrite: 1, Output: 8, Reasoning: 3}, true},
		{"both added by the total", usage{10, 8, 26, 4, 1, 3, no, no, no}, telemetry.Tokens{Input: 10, CacheRead: 4, CacheWrite: 1, Output: 8, Reasoning: 3}, true},
		{"cache larger than input is added", usage{10, 8, no, 40, no, no, no, no, no}, telemetry.Tokens{Input: 10, CacheRead: 40, Output: 8}, true},
		{"a total that matches nothing", usage{10, 8, 99, 4, no, no, no, no, no}, telemetry.Tokens{Input: 6, CacheRead: 4, Output: 8}, true},
	} {
		got, ok := c.u.split()
		if got != c.want || ok != c.ok {
			t.Errorf("%s: %+v, %v; want %+v, %v", c.what, got, ok, c.want, c.ok)
		}
	}
}

func TestLess(t *testing.T) {
	for _, c := range []struct{ of, minus, want telemetry.Tokens }{
		{telemetry.Tokens{Input: 10, Output: 5}, telemetry.Tokens{Input: 4, Output: 2}, telemetry.Tokens{Input: 6, Output: 3}},
		{telemetry.Tokens{Input: 3}, telemetry.Tokens{Input: 4}, telemetry.Tokens{}},
		{telemetry.Tokens{Input: 10, Output: 5}, telemetry.Tokens{Input: 2, CacheRead: 6, Output: 2}, telemetry.Tokens{Input: 2, Output: 3}},
		{telemetry.Tokens{Input: 10, Output: 5}, telemetry.Tokens{Unsplit: 9}, telemetry.Tokens{Unsplit: 6}},
		{telemetry.Tokens{Unsplit: 10}, telemetry.Tokens{Input: 3, Output: 3}, telemetry.Tokens{Unsplit: 4}},
	} {
		if got := less(c.of, c.minus); got != c.want {
			t.Errorf("%+v less %+v is %+v, want %+v", c.of, c.minus, got, c.want)
		}
	}
}

func TestUnconsumedOutputs(t *testing.T) {
	for text, want := range map[string]bool{
		`<generator object stream at 0x7f>`:                                   true,
		`{"output":"<async_generator object x at 0x7f>"}`:                     true,
		`{"output":"<starlette.responses.StreamingResponse object at 0x7f>"}`: true,
		`{"output":"[object ReadableStream]"}`:                                true,
		`{"output":"see <b>bold</b>"}`:                                        false,
		`{"output":"The <generator object x> is a repr"}`:                     false,
		`{"output":[{"similarity":0.5}]}`:                                     false,
		``:                                                                    false,
	} {
		if got := unconsumed([]byte(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestParseRunID(t *testing.T) {
	span := ParseRunID([]byte("00000000-0000-0000-0000-0000000000ff"))
	for _, same := range []string{"000000000000000000000000000000FF", "00000000000000ff"} {
		if ParseRunID([]byte(same)) != span {
			t.Errorf("%s is another run", same)
		}
	}
	if span != runOfSpan(0xff) || uuid(span) != "00000000-0000-0000-0000-0000000000ff" {
		t.Error("not the span's run")
	}
	if ParseRunID(nil) != (RunID{}) || ParseRunID([]byte("any text")) == (RunID{}) ||
		ParseRunID([]byte("any text")) == ParseRunID([]byte("any other")) {
		t.Error("texts are not told apart")
	}
	if ParseRunID([]byte(strings.Repeat("0", 33))) == ParseRunID([]byte(strings.Repeat("0", 32))) {
		t.Error("a longer text is the same id")
	}
}

// TestDecimalIsWhatStrconvReads: the short way to a number gives the same float.
func TestDecimalIsWhatStrconvReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[0-9]{0,16}(\.[0-9]{0,15})?`).Draw(t, "text")
		got, ok := decimal([]byte(text))
		want, err := strconv.ParseFloat(text, 64)
		if ok && (err != nil || got != want) {
			t.Fatalf("%q is %v, want %v (%v)", text, got, want, err)
		}
		if !ok && err == nil && len(text) <= 15 && text[0] != '.' && text[len(text)-1] != '.' {
			t.Fatalf("%q is not read", text)
		}
	})
}

func TestInternerCutsAtARune(t *testing.T) {
	n := newInterner(2)
	long := strings.Repeat("a", maxText-1) + "é"
	if got := n.get([]byte(long)); got != long[:maxText-1] {
		t.Errorf("%q", got)
	}
	if got := n.get([]byte("a\xffb")); got != "a\uFFFDb" {
		t.Errorf("%q", got)
	}
	for _, s := range []string{"a", "b", "c", "a", "d", "e", "a"} {
		if got := n.get([]byte(s)); got != s {
			t.Errorf("%q for %q", got, s)
		}
	}
	if len(n.sets) != 1 {
		t.Errorf("%d sets of texts: not bounded", len(n.sets))
	}
	const word = "again"
	if a, b := n.get([]byte(word)), n.get([]byte(word)); unsafe.StringData(a) != unsafe.StringData(b) {
		t.Error("equal texts are two strings")
	}
}
