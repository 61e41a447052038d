package dashboard

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what the page must be able to say")

// source is a place in the service's own sources that holds what the page is told.
type source struct {
	file string // below the module's root
	// of is a function ("Name" or "Type.Name"), a variable, or the type of constants.
	of string
	// keys takes a map's keys, in place of every text.
	keys bool
}

// codes are the words that the service uses, by the kind that says.ts files them under.
var codes = map[string][]source{
	"why":         {{file: "telemetry/understand/explain.go", of: "reasonsWhy", keys: true}},
	"disposition": {{file: "telemetry/recorder.go", of: "Disposition.String"}},
	"rejected":    {{file: "telemetry/understand/rejections.go", of: "rejectionNames"}},
	"refused":     {{file: "server/ingest/stats.go", of: "reasonNames"}},
	"event":       {{file: "server/runs/explain.go", of: "Counted.add"}},
	"span":        {{file: "telemetry/semconv/kind.go", of: "kindNames"}},
	"state":       {{file: "telemetry/export/status.go", of: "State"}, {file: "server/notify/status.go", of: "Dispatcher.Status"}},
	"alerts":      {{file: "server/alerting/alert.go", of: "State"}},
	"severity":    {{file: "server/alerting/alert.go", of: "Severity"}},
	"cost":        {{file: "telemetry/events.go", of: "CostSource.String"}},
	"door":        {{file: "server/ingest/stats.go", of: "Ingest.Stats"}},
	"signal":      {{file: "server/ingest/signal.go", of: "traces"}, {file: "server/ingest/signal.go", of: "metrics"}, {file: "server/ingest/signal.go", of: "logs"}, {file: "server/ingest/langsmith.go", of: "native"}},
}

// sentences are what the service says of itself, faults what it says of sinks and
// receivers.
var sentences = []source{
	{file: "server/build.go", of: "parts.journalCheck"},
	{file: "server/build.go", of: "Server.hindrance"},
	{file: "telemetry/meter/progress.go", of: "Meter.Ready"},
}

var faults = []source{
	{file: "server/notify/way.go", of: "wayOf"},
	{file: "server/notify/post.go", of: "unreachable"},
	{file: "server/notify/post.go", of: "judge"},
	{file: "server/notify/post.go", of: "secret.reveal"},
	{file: "server/notify/email.go", of: "smtpFailure"},
	{file: "server/notify/guard.go", of: ""},
	{file: "telemetry/export/answer.go", of: "partialReason"},
}

// TestEveryCodeIsTranslated wants a text of the page for each word that the service
// has for a reason, a state or a kind: a new one fails until both languages say it.
func TestEveryCodeIsTranslated(t *testing.T) {
	text, err := os.ReadFile("web/src/says.ts")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^  "([a-z_.0-9]+)": \["[^"]+", "[^"]+"\],$`).FindAllStringSubmatch(string(text), -1) {
		said[m[1]] = true
	}
	if len(said) < 100 {
		t.Fatalf("%d texts are understood in says.ts", len(said))
	}
	for kind, sources := range codes {
		found := 0
		for _, s := range sources {
			for _, code := range s.texts(t) {
				if !regexp.MustCompile(`^[a-z_]+$`).MatchString(code) {
					continue
				}
				found++
				if !said[kind+"."+code] {
					t.Errorf("%s: no text %s.%s in web/src/says.ts", s.file, kind, code)
				}
			}
		}
		if found < 2 {
			t.Errorf("%s: %d words found in %v", kind, found, sources)
		}
	}
}

// TestSentencesAreCurrent writes down the service's sentences for the page's own
// tests, which want each of them translated.
func TestSentencesAreCurrent(t *testing.T) {
	of := func(sources []source) []string {
		var out []string
		for _, s := range sources {
			found := len(out)
			for _, text := range s.texts(t) {
				if strings.Count(strings.TrimPrefix(text, "%"), " ") >= 2 {
					out = append(out, text)
				}
			}
			if len(out) == found {
				t.Errorf("%s: nothing is said in %s", s.file, s.of)
			}
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	doc := struct {
		Sentences []string `json:"sentences"`
		Faults    []string `json:"faults"`
	}{of(sentences), of(faults)}
	for _, s := range []source{{file: "server/build.go"}, {file: "server/history.go"}} {
		for _, text := range s.texts(t) {
			if strings.Contains(text, "the data directory lies in") || strings.HasPrefix(text, "there is no history: ") {
				if where := (source{file: "server/storage_linux.go", of: "volatileStorage"}); strings.Contains(text, "%s") {
					for _, w := range where.texts(t) {
						doc.Sentences = append(doc.Sentences, strings.Replace(text, "%s", w, 1))
					}
					continue
				}
				doc.Sentences = append(doc.Sentences, text)
			}
		}
	}
	doc.Sentences = slices.DeleteFunc(doc.Sentences, func(s string) bool { return strings.Contains(s, "lies in :") })
	got, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const golden = "web/test/sentences.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not what the service says (go test ./server/dashboard -run TestSentencesAreCurrent -update, then translate in web/src/said.ts):\n%s", golden, diff)
	}
}

// texts gives the texts in a place of the sources, of all of the file when it names none.
func (s source) texts(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", filepath.FromSlash(s.file)), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if s.of == "" || s.of == nameOf(d) {
				out = append(out, literals(d, false)...)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				v, ok := spec.(*ast.ValueSpec)
				if !ok || s.of == "" {
					continue
				}
				typed, _ := v.Type.(*ast.Ident)
				if typed != nil && typed.Name == s.of || v.Names[0].Name == s.of {
					out = append(out, literals(v, s.keys)...)
				}
			}
		}
	}
	if len(out) == 0 && s.of != "" {
		t.Errorf("%s: there is no %s any more", s.file, s.of)
	}
	return out
}

func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	on := f.Recv.List[0].Type
	if p, ok := on.(*ast.StarExpr); ok {
		on = p.X
	}
	id, _ := on.(*ast.Ident)
	return id.Name + "." + f.Name.Name
}

func literals(n ast.Node, keys bool) []string {
	var out []string
	ast.Inspect(n, func(n ast.Node) bool {
		if pair, ok := n.(*ast.KeyValueExpr); ok && keys {
			out = append(out, literals(pair.Key, false)...)
			return false
		}
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				out = append(out, text)
			}
		}
		return true
	})
	return out
}
