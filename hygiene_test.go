package treq_test

import (
	"bufio"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// longFiles are longer than mostLines, each for a reason.
var longFiles = map[string]string{}

const mostLines = 400

// leftOver are words of work that is not done. They are put together here so that
// this file does not hold them.
var leftOver = regexp.MustCompile(`\b(` + "TO" + "DO|FIX" + "ME|XX" + `X)\b|\bt\.` + `Skip(Now|f)?\(|func ` + `init\(\)`)

// sources lists the text files of the repository that people write: what git
// follows, and what it would follow once added.
func sources(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	var files []string
	for _, name := range strings.Fields(string(out)) {
		switch {
		case strings.Contains(name, "testdata/"), strings.HasSuffix(name, "package-lock.json"):
			continue
		case strings.HasSuffix(name, ".go"), strings.HasSuffix(name, ".mjs"), strings.HasSuffix(name, ".sh"), strings.HasSuffix(name, ".md"):
			files = append(files, name)
		}
	}
	if len(files) == 0 {
		t.Fatal("git lists no sources")
	}
	return files
}

func TestFiles(t *testing.T) {
	long := map[string]bool{}
	for _, name := range sources(t) {
		lines := scan(t, name, func(number int, line string) {
			if found := leftOver.FindString(line); found != "" && !strings.HasSuffix(name, ".md") {
				t.Errorf("%s:%d: %q: finish it, or take it out", name, number, found)
			}
		})
		if !strings.HasSuffix(name, ".go") || lines <= mostLines {
			continue
		}
		long[name] = true
		if longFiles[name] == "" {
			t.Errorf("%s has %d lines, above %d: a file holds one idea; split it, or list it with a reason", name, lines, mostLines)
		}
	}
	for name := range longFiles {
		if !long[name] {
			t.Errorf("%s is listed as long and is not: take it off the list", name)
		}
	}
}

func scan(t *testing.T, name string, each func(number int, line string)) (lines int) {
	t.Helper()
	f, err := os.Open(name)
	if os.IsNotExist(err) {
		return 0 // removed and not committed yet
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		lines++
		each(lines, s.Text())
	}
	if err := s.Err(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return lines
}
