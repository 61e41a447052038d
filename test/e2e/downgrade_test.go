package e2e

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"treq/test/e2e/e2etest"
)

// tellsNewer is what every refusal says: the format found, and that it is not this program's.
var tellsNewer = regexp.MustCompile(`(format|version) \d+.*(newer version|this program reads)`)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// newer makes of each file that carries a format the same file as a later program
// could have written it: whole, and of the next format.
var newer = map[string]func(b []byte) ([]byte, error){
	"format.json":          replaced(`"format":1`, `"format":2`),
	"journal/*.seg":        head(8, 92),
	"checkpoint-*":         tailed(8),
	"runs-*":               tailed(8),
	"sinks/copy.json":      replaced(`"version":1`, `"version":2`),
	"sinks/copy.json.note": nil, // a note that does not read is of no account
}

func replaced(old, text string) func([]byte) ([]byte, error) {
	return func(b []byte) ([]byte, error) {
		if !bytes.Contains(b, []byte(old)) {
			return nil, fmt.Errorf("%q is not in %q", old, b)
		}
		return bytes.Replace(b, []byte(old), []byte(text), 1), nil
	}
}

// head changes a format at some place of a header that ends with its checksum.
func head(at, sum int) func([]byte) ([]byte, error) {
	return func(b []byte) ([]byte, error) {
		b[at]++
		binary.LittleEndian.PutUint32(b[sum:], crc32.Checksum(b[:sum], castagnoli))
		return b, nil
	}
}

// tailed changes a format at some place of a file that ends with its checksum.
func tailed(at int) func([]byte) ([]byte, error) {
	return func(b []byte) ([]byte, error) {
		b[at]++
		end := len(b) - 4
		binary.LittleEndian.PutUint32(b[end:], crc32.Checksum(b[:end], castagnoli))
		return b, nil
	}
}

// TestDowngrade puts the data of a later program before this one. It is refused with
// the file's name and left as it is, byte for byte; with its own data back the program
// has every number.
func TestDowngrade(t *testing.T) {
	t.Parallel()
	sink := e2etest.NewSink(t)
	dir := e2etest.DataDir(t)
	s := e2etest.Start(t, e2etest.Spec{DataDir: dir, Config: "chats:\n  close:\n    root: 100ms\nsinks:\n  - {name: copy, profile: otlp, endpoint: '" + sink.URL() + "'}\n"})
	for range 3 {
		answer := s.Do(http.MethodPost, "/monitoring/chat/metrics?success=true&response_time_ms=500", nil, nil)
		if answer.Status != http.StatusOK {
			t.Fatalf("%+v", answer)
		}
	}
	chats := map[string]float64{"chat.total_requests": 3}
	wantSums(t, s, "", chats)
	s.Terminate()
	tried := 0
	for pattern, change := range newer {
		paths, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if change == nil {
				continue
			}
			tried++
			refused(t, s, path, change)
		}
	}
	if tried < 4 {
		t.Errorf("only %d files carry a format", tried)
	}
	s.Again()
	wantSums(t, s, "", chats)
	var marked struct{ Format int }
	content, err := os.ReadFile(filepath.Join(dir, "format.json"))
	if err == nil {
		err = json.Unmarshal(content, &marked)
	}
	if err != nil || marked.Format != 1 {
		t.Errorf("%s %v", content, err)
	}
}

func refused(t *testing.T, s *e2etest.Server, path string, change func([]byte) ([]byte, error)) {
	t.Helper()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	later, err := change(bytes.Clone(before))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if err := os.WriteFile(path, later, 0o600); err != nil {
		t.Fatal(err)
	}
	told := len(s.Log())
	if err := s.Relaunch(); err != nil {
		t.Fatal(err)
	}
	code, err := s.Exit(settled)
	if err != nil || code != 1 {
		t.Errorf("%s: exit code %d, %v", path, code, err)
	}
	if log := s.Log()[told:]; !strings.Contains(log, filepath.Base(path)) && !strings.Contains(log, filepath.Dir(path)) || !tellsNewer.MatchString(log) {
		t.Errorf("%s: nothing tells why:\n%s", path, log)
	}
	if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, later) {
		t.Errorf("%s was changed (%v)", path, err)
	}
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
}
