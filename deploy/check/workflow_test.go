package check

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
)

// faults gives what actionlint finds in a workflow.
func faults(t *testing.T, name string, text []byte) (found []string) {
	t.Helper()
	l, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := l.Lint(name, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		found = append(found, f.Error())
	}
	return found
}

// TestWorkflows: actionlint finds nothing, and every action is named by its commit,
// since a tag may be moved under whoever releases.
func TestWorkflows(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no workflows (%v)", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range faults(t, filepath.Base(path), text) {
			t.Error(f)
		}
		for _, uses := range regexp.MustCompile(`uses: *(\S+)`).FindAllSubmatch(text, -1) {
			if !regexp.MustCompile(`@[0-9a-f]{40}$`).Match(uses[1]) {
				t.Errorf("%s: %s is not named by a commit", path, uses[1])
			}
		}
	}
	for from, to := range map[string]string{"runs-on: ubuntu-24.04": "runs-on: ubuntu-1", "github.token": "github.tokens", "permissions:\n      contents": "permisions:\n      contents"} {
		text := read(t, ".github", "workflows", "release.yml")
		if wrong := bytes.Replace(text, []byte(from), []byte(to), 1); bytes.Equal(wrong, text) || len(faults(t, "release.yml", wrong)) == 0 {
			t.Errorf("%q is taken", to)
		}
	}
}

// TestReleaseIsSignedAsDocumented: the workflow that users are told to expect in a
// signature is there, may sign without a key, releases with the GoReleaser whose
// loader read its file, and has the programs that this file names.
func TestReleaseIsSignedAsDocumented(t *testing.T) {
	workflow := string(read(t, ".github", "workflows", "release.yml"))
	identity := regexp.MustCompile(`--certificate-identity-regexp '(\S+)'`).FindSubmatch(read(t, "docs", "upgrade.md"))
	if identity == nil {
		t.Fatal("nobody is told how to verify a release")
	}
	// What GitHub's issuer writes of a workflow that a tag started.
	signer := "https://github.com/owner/repository/.github/workflows/release.yml@refs/tags/v1.2.3"
	if !regexp.MustCompile(string(identity[1])).MatchString(signer) || regexp.MustCompile(string(identity[1])).MatchString(strings.Replace(signer, "tags/v1.2.3", "heads/main", 1)) {
		t.Errorf("users expect a signature of %s", identity[1])
	}
	loader := regexp.MustCompile(`github.com/goreleaser/goreleaser/v2 (v\S+)`).FindSubmatch(read(t, "deploy", "check", "go.mod"))
	for _, want := range []string{
		`tags: ["v*"]`, "id-token: write", "issuer https://token.actions.githubusercontent.com",
		"goreleaser/v2@" + string(loader[1]) + "\n", "/cmd/syft@v", "/cmd/cosign@v", "goreleaser release --clean\n", "RELEASE_REGISTRY=",
	} {
		if !strings.Contains(workflow+string(read(t, "docs", "upgrade.md")), want) {
			t.Errorf("a release lacks %q", want)
		}
	}
}
