package treq_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// room is what one package may import of this module, and why it needs it. The
// rule behind the table: a package imports what lies earlier in the flow or
// nearer the vocabulary, never later (docs/architecture.md, section 3).
type room struct {
	imports []string
	why     string
}

// rooms lists every package of the module. Test files are free to import more.
var rooms = map[string]room{
	"telemetry":            {nil, "the vocabulary: everything else may know it, it knows nothing"},
	"telemetry/compress":   {of("telemetry"), "bounded decoding; speaks only kinds of error"},
	"telemetry/otlp":       {of("telemetry"), "OTLP bytes, without meaning"},
	"telemetry/semconv":    {nil, "names of attributes; nobody below it has any"},
	"telemetry/judgement":  {of("telemetry/otlp", "telemetry/semconv"), "what was said about a run, as a log record; what it counts for is not its matter"},
	"telemetry/understand": {of("telemetry", "telemetry/otlp", "telemetry/semconv"), "scanned spans become events"},
	"telemetry/pricing":    {of("telemetry"), "what calls cost by list price; the understanding is given it as an interface"},
	"telemetry/instrument": {of("telemetry"), "records events; knows neither spans nor readers"},
	"telemetry/reported":   {of("telemetry", "telemetry/instrument"), "what services measured themselves, never summed with ours"},
	"telemetry/snapshot":   {of("telemetry", "telemetry/instrument"), "reads what instruments recorded"},
	"telemetry/durable":    {nil, "puts files in the place of others; does not know what they say"},
	"telemetry/journal":    {of("telemetry", "telemetry/compress", "telemetry/durable"), "keeps bytes; does not know what they say"},
	"telemetry/checkpoint": {of("telemetry/durable", "telemetry/journal"), "keeps the state of the journal's readers; does not know what it says"},
	"telemetry/meter": {
		of("telemetry", "telemetry/checkpoint", "telemetry/instrument", "telemetry/journal", "telemetry/reported", "telemetry/snapshot", "telemetry/understand"),
		"the journal's reader that counts; never forwards",
	},
	"telemetry/objective": {of("telemetry"), "what is wanted of the numbers, as data and as rules; evaluates nothing"},
	"telemetry/langsmith": {of("telemetry", "telemetry/judgement", "telemetry/otlp", "telemetry/semconv"), "LangSmith's run protocol: runs, and the spans they become"},
	"telemetry/merger": {
		of("telemetry/checkpoint", "telemetry/journal", "telemetry/judgement", "telemetry/langsmith", "telemetry/otlp", "telemetry/semconv"),
		"the journal's reader that makes spans of runs and appends them; neither counts nor forwards",
	},
	"telemetry/redact": {
		of("telemetry", "telemetry/semconv"),
		"takes out of bytes what belongs in no log; the doors and the sinks are given it as a function",
	},
	"telemetry/enrich": {
		of("telemetry/semconv"),
		"adds to bytes what a backend would miss; sinks alone have it",
	},
	"telemetry/export": {
		of("telemetry", "telemetry/compress", "telemetry/durable", "telemetry/enrich", "telemetry/journal", "telemetry/judgement", "telemetry/langsmith", "telemetry/otlp", "telemetry/semconv"),
		"the journal's readers that forward; never count",
	},

	"telemetry/mirror": {
		of("telemetry", "telemetry/durable", "telemetry/journal", "telemetry/judgement"),
		"the journal's reader that tells sinks of judgements; forwards no spans, counts nothing",
	},

	"telemetry/pricing/internal/generate": {nil, "makes the embedded price book"},

	"server/fault":  {of("telemetry"), "kinds of error on the wire"},
	"server/config": {of("telemetry", "telemetry/export", "telemetry/instrument", "telemetry/merger", "telemetry/understand", "server/alerting", "server/notify"), "settings, in the types of those who obey them"},
	"server/access": {of("telemetry"), "who may do what, from headers alone"},
	"server/ingest": {of("telemetry", "telemetry/compress", "telemetry/journal", "telemetry/langsmith", "telemetry/otlp", "server/access", "server/fault"), "OTLP and native runs in; appends, never counts"},
	"server/api":    {of("telemetry", "telemetry/journal", "telemetry/judgement", "telemetry/otlp", "telemetry/semconv", "server/fault", "server/feedback"), "JSON in and out; numbers come through its interfaces"},
	"server/feedback": {
		of("telemetry", "telemetry/journal", "telemetry/judgement", "telemetry/langsmith", "telemetry/semconv", "server/fault"),
		"the one door for judgements; keeps them, and tells no sink",
	},
	"server/runs": {
		of("telemetry", "telemetry/journal", "telemetry/judgement", "telemetry/otlp", "telemetry/semconv", "telemetry/understand"),
		"single runs out of the journal; holds an index, and no numbers",
	},
	"server/alerting": {of("telemetry", "telemetry/durable", "telemetry/objective"), "evaluates objectives and keeps the state of alerts; delivers none"},
	"server/notify":   {of("telemetry", "telemetry/durable", "server/alerting"), "delivers alerts until their receivers know; evaluates none"},
	"server/history":  {of("telemetry", "telemetry/durable"), "what was exposed, over time, and PromQL over it; where Prometheus's storage is touched"},
	"server/promapi":  {of("telemetry", "server/history"), "Prometheus's query API over the history"},
	"server/scaleout": {of("telemetry", "server/config"), "writes the files of a fleet; starts nothing"},
	"server/capacity": {of("telemetry"), "arithmetic over measured figures"},
	"server/fleet":    {of("telemetry", "telemetry/snapshot"), "what all replicas counted together, read from the Prometheus that they share; runs of the others"},
	"server":          {of("telemetry", "telemetry/...", "server/..."), "wires everything; nothing imports it but the command"},

	"server/dashboard": {nil, "the page, embedded; it reads the documents that everybody reads"},

	"demo":               {of("telemetry", "telemetry/semconv"), "a client like any other: it may know names, not the server"},
	"terminal":           {of("telemetry"), "shows a running service to people; a client like any other"},
	"cmd/treq-telemetry": {of("terminal", "telemetry", "telemetry/pricing", "server", "server/config", "server/scaleout", "server/capacity", "demo", "server/alerting", "telemetry/objective"), "flags, signals and exit codes"},

	"bench":                {of("test/e2e/e2etest"), "measures the built product from outside"},
	"test/e2e":             {nil, "tests the built product from outside"},
	"test/cases":           {nil, "holds what is counted to what really happened"},
	"test/torture":         {nil, "does to the built product what must not hurt it"},
	"test/recorded":        {of("telemetry/otlp"), "what real clients sent, with the truth about it"},
	"test/recorded/record": {of("telemetry/otlp", "test/recorded"), "records it again"},
	"test/e2e/e2etest":     {nil, "what end-to-end tests and the benchmark stand on"},
}

func of(packages ...string) []string { return packages }

// bans are edges that no chain of imports may make, each with its reason.
var bans = []struct{ from, to, why string }{
	{"telemetry/understand", "telemetry/journal", "the Collector's connector uses the understanding without our log"},
	{"telemetry/understand", "telemetry/export", "the meter's branch and the sinks' branch never meet"},
	{"telemetry/meter", "telemetry/export", "the meter's branch and the sinks' branch never meet"},
	{"telemetry/export", "telemetry/understand", "the meter's branch and the sinks' branch never meet"},
	{"telemetry/export", "telemetry/instrument", "the meter's branch and the sinks' branch never meet"},
	{"telemetry/instrument", "go.opentelemetry.io/otel/sdk/metric", "recording uses the metric API only, so that any reader can aggregate"},
	{"telemetry/journal", "telemetry/otlp", "the journal keeps bytes and does not know what they say"},
	{"telemetry/understand", "go.opentelemetry.io/collector/pdata/ptrace", "spans are scanned in place, never built as objects"},
	{"telemetry/snapshot", "google.golang.org/grpc", "numbers need no transport"},
	{"server/api", "telemetry/meter", "the API sees numbers through narrow interfaces"},
	{"server/api", "telemetry/snapshot", "the API sees numbers through narrow interfaces"},
}

// notBelowServer are the imports by which a library would listen, read the
// command line, or print.
var notBelowServer = map[string]string{
	"flag":                         "only the command reads flags",
	"github.com/spf13/cobra":       "only the command reads flags",
	"github.com/spf13/pflag":       "only the command reads flags",
	"log":                          "libraries are given a *slog.Logger",
	"net/http/pprof":               "it registers itself on the default mux",
	"net/http/httptest":            "it is for tests",
	"github.com/fsnotify/fsnotify": "files are watched where settings are loaded",
}

type goPackage struct {
	ImportPath string
	Dir        string
	Name       string
	Doc        string
	GoFiles    []string
	Imports    []string
	Deps       []string
}

const module = "treq"

// packages lists the module's packages by their path inside it.
func packages(t *testing.T) map[string]goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Name,Doc,GoFiles,Imports,Deps", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	found := map[string]goPackage{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		if inside, ok := strings.CutPrefix(p.ImportPath, module+"/"); ok {
			found[inside] = p
		}
	}
}

func TestImports(t *testing.T) {
	found := packages(t)
	for _, path := range slices.Sorted(maps.Keys(found)) {
		room, listed := rooms[path]
		if !listed {
			t.Errorf("package %s is not in the table of rooms: say what it may import and why it is there", path)
			continue
		}
		for _, imported := range found[path].Imports {
			if inside, ok := strings.CutPrefix(imported, module+"/"); ok && !allowed(room.imports, inside) {
				t.Errorf("%s imports %s, which its room does not list (%s)", path, inside, room.why)
			}
			if why, banned := notBelowServer[imported]; banned && strings.HasPrefix(path, "telemetry") {
				t.Errorf("%s imports %s: %s", path, imported, why)
			}
		}
	}
	for path, room := range rooms {
		p, exists := found[path]
		if !exists {
			t.Errorf("the table of rooms lists %s, which does not exist", path)
		}
		for _, listed := range room.imports {
			_, there := found[listed]
			if !there && !strings.HasSuffix(listed, "/...") {
				t.Errorf("%s may import %s, which does not exist", path, listed)
			}
			if there && exists && !slices.Contains(p.Imports, module+"/"+listed) {
				t.Errorf("%s may import %s and does not: take it off the list", path, listed)
			}
		}
	}
}

// allowed tells whether a list names a package, by itself or by a tree ("server/...").
func allowed(list []string, path string) bool {
	return slices.ContainsFunc(list, func(entry string) bool {
		tree, isTree := strings.CutSuffix(entry, "...")
		return entry == path || isTree && strings.HasPrefix(path, tree)
	})
}

func TestBans(t *testing.T) {
	found := packages(t)
	for _, ban := range bans {
		p, exists := found[ban.from]
		if !exists {
			t.Errorf("a ban is about %s, which does not exist", ban.from)
			continue
		}
		target := ban.to
		if _, ours := found[target]; ours {
			target = module + "/" + target
		} else if out, err := exec.Command("go", "list", "--", target).CombinedOutput(); err != nil {
			t.Errorf("a ban is about %s, which does not exist: %s", target, out)
		}
		if slices.Contains(p.Deps, target) {
			t.Errorf("%s reaches %s: %s", ban.from, ban.to, ban.why)
		}
	}
}

func TestVocabularyIsPlain(t *testing.T) {
	found := packages(t)
	for _, path := range []string{"telemetry", "telemetry/semconv"} {
		for _, dep := range found[path].Deps {
			if first, _, _ := strings.Cut(dep, "/"); strings.Contains(first, ".") && !strings.HasPrefix(dep, "vendor/") {
				t.Errorf("%s reaches %s: the vocabulary uses the standard library only", path, dep)
			}
		}
	}
}

func TestPackageNames(t *testing.T) {
	for path, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue // tests only
		}
		if p.Doc == "" {
			t.Errorf("package %s has no doc comment", path)
		}
		for _, name := range append([]string{filepath.Base(path)}, p.GoFiles...) {
			switch strings.TrimSuffix(name, ".go") {
			case "util", "utils", "common", "helper", "helpers", "manager", "misc", "types":
				t.Errorf("%s in %s is named for nothing: name it for what it holds", name, path)
			}
		}
	}
}
