package understand

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what the scripts give into their files")

// scriptCase is a named script and the events it gives.
type scriptCase struct{ name, script, events string }

// parseCases reads a file of cases: sections headed "-- name --", each followed by
// one headed "-- events --".
func parseCases(text string) (comment string, cases []scriptCase) {
	part := &comment
	for line := range strings.Lines(text) {
		name, isHead := strings.CutSuffix(strings.TrimSpace(line), " --")
		name, starts := strings.CutPrefix(name, "-- ")
		switch {
		case !isHead || !starts:
			*part += line
		case name == "events":
			part = &cases[len(cases)-1].events
		default:
			cases = append(cases, scriptCase{name: name})
			part = &cases[len(cases)-1].script
		}
	}
	return comment, cases
}

// TestScripts plays every case of testdata/*.txt.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		comment, cases := parseCases(string(text))
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			given := comment
			for _, c := range cases {
				var got string
				t.Run(c.name, func(t *testing.T) {
					s := parseScript(t, c.script)
					e, rec := newEngine(t, s.config)
					play(t, e, s.steps)
					e.Flush()
					got = rec.String()
					if diff := cmp.Diff(c.events, got); diff != "" && !*update {
						t.Errorf("events (-want +got):\n%s", diff)
					}
					if diff := cmp.Diff(got, restless(t, s)); diff != "" {
						t.Errorf("restored before every step (-not +restored):\n%s", diff)
					}
					if n := e.Open(); n != 0 {
						t.Errorf("%d spans are open after the flush", n)
					}
				})
				given += "-- " + c.name + " --\n" + c.script + "-- events --\n" + got
			}
			if *update {
				if err := os.WriteFile(path, []byte(given), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// restless plays a script on engines each of which takes over the last one's state
// after a step.
func restless(t *testing.T, s *script) string {
	e, rec := newEngine(t, s.config)
	for i := range s.steps {
		e = restored(t, e, rec)
		play(t, e, s.steps[i:i+1])
	}
	e = restored(t, e, rec)
	e.Flush()
	return rec.String()
}
