package check

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goreleaser/goreleaser/v2/pkg/config"
	"github.com/goreleaser/nfpm/v2/files"
)

// releaseFiles is where the release's hook writes and its packages read.
const releaseFiles = ".cache/release/"

// TestRelease loads the file as GoReleaser does, which refuses unknown keys, and
// holds it to what a release promises.
func TestRelease(t *testing.T) {
	p, err := config.Load(filepath.Join(root, ".goreleaser.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Builds) != 1 || len(p.NFPMs) != 1 || len(p.DockersV2) != 1 {
		t.Fatalf("%d builds, %d packages, %d images", len(p.Builds), len(p.NFPMs), len(p.DockersV2))
	}
	b := p.Builds[0]
	if !slices.Equal(b.Goos, []string{"linux", "darwin", "windows"}) || !slices.Equal(b.Goarch, []string{"amd64", "arm64"}) {
		t.Errorf("for %v on %v", b.Goos, b.Goarch)
	}
	if !slices.Contains(b.Flags, "-trimpath") || !slices.Contains(b.Flags, "-pgo=cmd/treq-telemetry/release.pgo") || !slices.Contains(b.Env, "CGO_ENABLED=0") || b.ModTimestamp != "{{ .CommitTimestamp }}" {
		t.Errorf("not reproducible, or not compiled for the recorded profile: %v %v %q", b.Flags, b.Env, b.ModTimestamp)
	}
	if !slices.Equal(p.NFPMs[0].Formats, []string{"deb", "rpm"}) || p.NFPMs[0].License != "Apache-2.0" {
		t.Errorf("packages: %v %s", p.NFPMs[0].Formats, p.NFPMs[0].License)
	}
	if len(p.SBOMs) != 2 || len(p.Signs) != 1 || p.Signs[0].Artifacts != "checksum" || len(p.DockerSigns) != 1 {
		t.Errorf("inventory and signatures: %+v %+v %+v", p.SBOMs, p.Signs, p.DockerSigns)
	}
	if d := p.DockersV2[0]; !slices.Equal([]string(d.Platforms), []string{"linux/amd64", "linux/arm64"}) {
		t.Errorf("images for %v", d.Platforms)
	}
	needed := []string{p.DockersV2[0].Dockerfile, p.NFPMs[0].Scripts.PostInstall, p.NFPMs[0].Scripts.PreRemove}
	for _, h := range p.Before.Hooks {
		needed = append(needed, strings.Fields(h)[0])
	}
	if !slices.Contains(p.Before.Hooks, "scripts/release-files "+strings.TrimSuffix(releaseFiles, "/")) {
		t.Errorf("nothing writes %s: %v", releaseFiles, p.Before.Hooks)
	}
	if len(p.Archives) != 1 {
		t.Fatalf("%d archives", len(p.Archives))
	}
	for _, f := range p.Archives[0].Files {
		needed = append(needed, f.Source)
	}
	for _, c := range p.NFPMs[0].Contents {
		needed = append(needed, c.Source)
	}
	written := hooked(t)
	for _, path := range needed {
		at := filepath.Join(root, path)
		if made, ok := strings.CutPrefix(path, releaseFiles); ok {
			at = filepath.Join(written, made)
		}
		if found, err := filepath.Glob(at); err != nil || len(found) == 0 {
			t.Errorf("%s is not there (%v)", path, err)
		}
	}
}

// TestPackagesComplete holds each package's completions to where its distributions'
// shells look: Debian's zsh has a directory of its own, the others' has upstream's.
func TestPackagesComplete(t *testing.T) {
	p, err := config.Load(filepath.Join(root, ".goreleaser.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for packager, zsh := range map[string]string{"deb": "vendor-completions", "rpm": "site-functions"} {
		var completions files.Contents
		for _, c := range p.NFPMs[0].Contents {
			if strings.HasPrefix(c.Source, releaseFiles+"completions/") {
				// The hook writes them; where they go is all that is asked here.
				completions = append(completions, &files.Content{Source: "doc.go", Destination: c.Destination, Packager: c.Packager})
			}
		}
		packed, err := files.PrepareForPackager(completions, 0, packager, true, time.Time{})
		if err != nil {
			t.Fatal(packager, err)
		}
		var got []string
		for _, c := range packed {
			if c.Type == files.TypeFile {
				got = append(got, c.Destination)
			}
		}
		slices.Sort(got)
		want := []string{
			"/usr/share/bash-completion/completions/treq-telemetry",
			"/usr/share/fish/vendor_completions.d/treq-telemetry.fish",
			"/usr/share/zsh/" + zsh + "/_treq-telemetry",
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v", packager, got)
		}
	}
}

// hooked runs the release's hook twice: its files are whole, and the same.
func hooked(t *testing.T) string {
	t.Helper()
	var hashes []string
	var dir string
	for range 2 {
		dir = t.TempDir()
		hook := exec.Command("scripts/release-files", dir)
		hook.Dir = root
		if out, err := hook.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		sums := exec.Command("sh", "-c", "find . -type f | sort | xargs sha256sum")
		sums.Dir = dir
		out, err := sums.Output()
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, string(out))
	}
	if hashes[0] != hashes[1] || strings.Count(hashes[0], "\n") != 4 {
		t.Errorf("%s\n%s", hashes[0], hashes[1])
	}
	return dir
}

// Two builds of the same source in two directories are the same program.
func TestReproducible(t *testing.T) {
	build := exec.Command("scripts/reproducible")
	build.Dir = root
	out, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// The image holds nothing that the program could load.
func TestProgramIsStatic(t *testing.T) {
	b := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(t.TempDir(), "treq-telemetry"), "./cmd/treq-telemetry")
	b.Dir = root
	b.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := b.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	file, err := elf.Open(b.Args[4])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if libraries, err := file.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("it loads %v (%v)", libraries, err)
	}
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("it needs an interpreter")
		}
	}
}

// A tree that lacks a followed file would be stamped as modified in the image.
func TestImageContext(t *testing.T) {
	ignored, err := os.ReadFile(filepath.Join(root, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(ignored)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		spec := ":(glob)" + strings.TrimPrefix(line, "/")
		if strings.HasSuffix(spec, "/") {
			spec += "**"
		}
		followed := exec.Command("git", "ls-files", "--", spec)
		followed.Dir = root
		out, err := followed.CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s hides followed files from the image's build (%v):\n%s", line, err, out)
		}
	}
	for _, name := range []string{"Dockerfile", "release.Dockerfile"} {
		text := string(read(t, "deploy", "docker", name))
		_, last, _ := strings.Cut(text, "\nFROM gcr.io/distroless/static-debian12:nonroot\n")
		for _, want := range []string{
			"USER 65532:65532", `HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["/usr/bin/treq-telemetry", "probe"]`,
			"VOLUME /data", "ENV PORT=8002 TREQ_DATA_DIR=/data", `ENTRYPOINT ["/usr/bin/treq-telemetry"]`,
		} {
			if !strings.Contains(last, want) {
				t.Errorf("%s lacks %s", name, want)
			}
		}
		if strings.Contains(last, "\nRUN ") {
			t.Errorf("%s runs something in an image that has no shell", name)
		}
	}
}
