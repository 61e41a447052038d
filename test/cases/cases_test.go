package cases

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"treq/telemetry/understand"
	"treq/test/recorded"
)

// told gives the cases. Of one that speaks LangSmith's own protocol alone the
// requests are the spans that its runs become; where a client sends both, what it
// sends as OTLP is counted.
func told(t testing.TB) []recorded.Case {
	t.Helper()
	cases := recorded.Load(t)
	for i := range cases {
		if c := &cases[i]; len(c.Requests) == 0 {
			c.Requests = derive(t, c)
		}
	}
	return cases
}

// configOf gives the configuration that a case asks for.
func configOf(t testing.TB, c *recorded.Case) understand.Config {
	t.Helper()
	config := understand.DefaultConfig()
	for setting, value := range c.Settings {
		chats, ok := value.(map[string]any)
		if setting != "chats" || !ok {
			t.Fatalf("%s: unknown setting %s", c.Name, setting)
		}
		for name, value := range chats {
			preset, ok := value.(string)
			if name != "preset" || !ok {
				t.Fatalf("%s: unknown setting chats.%s", c.Name, name)
			}
			config.Preset = preset
		}
	}
	return config
}

// play gives what an engine makes of a case whose requests come as they came.
func play(t testing.TB, c *recorded.Case) *witness {
	t.Helper()
	w := newWitness()
	e, err := understand.New(configOf(t, c), w)
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range c.Requests {
		if err := e.Traces(epoch, 0, request); err != nil {
			t.Fatal(err)
		}
	}
	for _, request := range judged(t, c) {
		if err := e.Logs(epoch, request); err != nil {
			t.Fatal(err)
		}
	}
	e.Flush()
	w.settle()
	return w
}

// canonical gives a truth in the one form in which two that say the same are equal.
func canonical(t recorded.Truth) recorded.Truth {
	text, err := json.Marshal(t)
	if err != nil {
		panic(err)
	}
	var c recorded.Truth
	if err := json.Unmarshal(text, &c); err != nil {
		panic(err)
	}
	for i := range c.Calls {
		call := &c.Calls[i]
		for _, part := range []**int64{&call.CacheRead, &call.CacheWrite, &call.Reasoning} {
			if *part != nil && **part == 0 {
				*part = nil
			}
		}
	}
	for i := range c.Reranks {
		c.Reranks[i].Documents = 0 // the event tells how their order changed, not how many there are
	}
	return c
}

// lines gives a truth as sorted lines, one a thing that happened.
func lines(t recorded.Truth) []string {
	var out []string
	t = canonical(t)
	for i := range t.Searches {
		for _, similarity := range []*float64{t.Searches[i].Mean, t.Searches[i].Top} {
			if similarity != nil {
				*similarity = math.Round(*similarity*1e6) / 1e6
			}
		}
	}
	out = append(out, texts("chat", t.Chats)...)
	out = append(out, texts("call", t.Calls)...)
	out = append(out, texts("search", t.Searches)...)
	out = append(out, texts("embedding", t.Embeddings)...)
	out = append(out, texts("rerank", t.Reranks)...)
	out = append(out, texts("feedback", t.Feedback)...)
	out = append(out, fmt.Sprint("tools ", t.Tools))
	slices.Sort(out)
	return out
}

func texts[T any](what string, list []T) []string {
	var out []string
	for _, one := range list {
		b, err := json.Marshal(one)
		if err != nil {
			panic(err)
		}
		out = append(out, what+" "+string(b))
	}
	return out
}

// difference lays what was counted beside the truth: what is in one alone.
func difference(want, got recorded.Truth) string {
	w, g := lines(want), lines(got)
	var b strings.Builder
	for len(w) > 0 || len(g) > 0 {
		switch {
		case len(w) > 0 && len(g) > 0 && w[0] == g[0]:
			w, g = w[1:], g[1:]
		case len(g) == 0 || len(w) > 0 && w[0] < g[0]:
			fmt.Fprintln(&b, "-", w[0])
			w = w[1:]
		default:
			fmt.Fprintln(&b, "+", g[0])
			g = g[1:]
		}
	}
	return b.String()
}

// TestEveryCaseIsCountedAsItHappened is the product's claim: what a client did is
// what is counted, whatever it is instrumented with.
func TestEveryCaseIsCountedAsItHappened(t *testing.T) {
	for _, c := range told(t) {
		t.Run(c.Name, func(t *testing.T) {
			w := play(t, &c)
			if diff := difference(c.Told, w.Truth); diff != "" {
				t.Errorf("%s\n(-happened +counted):\n%s", c.About, diff)
			}
			if len(w.unmapped) > 0 {
				t.Errorf("attributes of its dialect that are on no list: %v", w.unmapped)
			}
			if w.unsplit != 0 || w.late != 0 {
				t.Errorf("%d tokens of no kind, %d spans late", w.unsplit, w.late)
			}
		})
	}
}
