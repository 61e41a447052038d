package torture

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"treq/test/e2e/e2etest"
)

var update = flag.Bool("update", false, "write the table of RELIABILITY.md")

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	e2etest.CloseIdle()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// size gives a row's measure for the run at hand.
func size[T any](quick, ci, full T) T {
	switch os.Getenv("TORTURE") {
	case "":
		return quick
	case "full":
		return full
	}
	return ci
}

// row is one line of the scorecard.
type row struct {
	id       string
	promise  bool // the row is part of what README and RELIABILITY.md promise
	test     string
	required string
	// collector is the OpenTelemetry Collector's figure in the same test: otelcol
	// 0.161.0 with a persistent queue on a machine of two cores. "" where none was taken.
	collector string
	run       func(t *testing.T, f *figures)
}

// figures are what a row reached.
type figures struct {
	t       *testing.T
	reached []string
	short   []string
	took    time.Duration
	failed  bool
}

// say notes a figure that nothing is required of.
func (f *figures) say(format string, args ...any) {
	f.reached = append(f.reached, fmt.Sprintf(format, args...))
}

// want notes a figure, and fails the row when it falls short.
func (f *figures) want(ok bool, format string, args ...any) {
	f.t.Helper()
	f.say(format, args...)
	if !ok {
		f.t.Errorf("falls short: "+format, args...)
	}
}

// aim notes a figure of time or memory. A loaded machine may miss it: then the
// table says so, and the row does not fail.
func (f *figures) aim(ok bool, format string, args ...any) {
	f.t.Helper()
	f.say(format, args...)
	if !ok {
		f.short = append(f.short, fmt.Sprintf(format, args...))
		f.t.Logf("missed: "+format, args...)
	}
}

func (f *figures) verdict() string {
	switch {
	case f.failed:
		return "**FAILED**"
	case len(f.short) > 0:
		return "missed: " + strings.Join(f.short, "; ")
	}
	return "ok"
}

// TestScorecard runs the rows one after the other, since they measure time and
// memory, and shows the table.
func TestScorecard(t *testing.T) {
	exact := &exactness{}
	rows := scorecard(exact)
	results := make([]*figures, len(rows))
	for i, r := range rows {
		t.Run(r.id, func(t *testing.T) {
			f := &figures{t: t}
			results[i] = f
			started := time.Now()
			t.Cleanup(func() { f.took, f.failed = time.Since(started), t.Failed() })
			r.run(t, f)
		})
		if f := results[i]; f != nil {
			fmt.Printf("%-4s %-4.0fs %s: %s\n", r.id, f.took.Seconds(), f.verdict(), strings.Join(f.reached, "; "))
		}
	}
	table := render(rows, results)
	fmt.Printf("\n%s\n", table)
	if *update {
		writeTable(t, table)
	}
}

func render(rows []row, results []*figures) string {
	var b strings.Builder
	b.WriteString("| | test | required | reached | Collector 0.161 | |\n|---|---|---|---|---|---|\n")
	for i, r := range rows {
		f := results[i]
		if f == nil {
			continue // left out by -run
		}
		id := r.id
		if r.promise {
			id = "**" + id + "**"
		}
		collector := r.collector
		if collector == "" {
			collector = "–"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", id, r.test, r.required, strings.Join(f.reached, "; "), collector, f.verdict())
	}
	return b.String()
}

const (
	tableFrom = "<!-- table: written by make torture -->\n"
	tableTo   = "<!-- end of table -->"
)

func writeTable(t *testing.T, table string) {
	root, err := e2etest.Root()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "RELIABILITY.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := bytes.Cut(text, []byte(tableFrom))
	_, after, end := bytes.Cut(rest, []byte(tableTo))
	if !ok || !end {
		t.Fatalf("%s has no place for the table", path)
	}
	text = fmt.Appendf(nil, "%s%s%s%s%s", before, tableFrom, table, tableTo, after)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}
