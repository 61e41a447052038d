package dashboard

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func get(t *testing.T, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	h, err := New()
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// asset gives the path of an embedded file by how its name begins and ends.
func asset(t *testing.T, stem, ext string) string {
	t.Helper()
	found, err := fs.Glob(dist, "dist/"+stem+"-*."+ext)
	if err != nil || len(found) != 1 {
		t.Fatalf("%s.%s: %v, %v", stem, ext, found, err)
	}
	return "/assets/" + strings.TrimPrefix(found[0], "dist/")
}

func TestPageAndFiles(t *testing.T) {
	for path, want := range map[string][2]string{
		"/":                    {"text/html; charset=utf-8", asking},
		"/docs":                {"text/html; charset=utf-8", asking},
		asset(t, "app", "js"):  {"text/javascript; charset=utf-8", lasting},
		asset(t, "docs", "js"): {"text/javascript; charset=utf-8", lasting},
		asset(t, "app", "css"): {"text/css; charset=utf-8", lasting},
		"/assets/icon.svg":     {"image/svg+xml", asking},
	} {
		w := get(t, path)
		if got := [2]string{w.Header().Get("Content-Type"), w.Header().Get("Cache-Control")}; w.Code != http.StatusOK || got != want || w.Body.Len() == 0 {
			t.Errorf("%s: %d %v", path, w.Code, got)
		}
		if p := w.Header().Get("Content-Security-Policy"); p != policy {
			t.Errorf("%s: policy %q", path, p)
		}
		if again := get(t, path, "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s again: %d", path, again.Code)
		}
		packed := get(t, path, "Accept-Encoding", "br;q=0, gzip")
		z, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(z)
		if err != nil || string(plain) != w.Body.String() {
			t.Errorf("%s compressed: %v", path, err)
		}
		smallest := get(t, path, "Accept-Encoding", "gzip, deflate, br, zstd")
		if coding := smallest.Header().Get("Content-Encoding"); (coding == "br") != (want[1] == lasting) || coding == "br" && smallest.Body.Len() >= w.Body.Len() {
			t.Errorf("%s for who takes brotli: %q, %d bytes of %d", path, coding, smallest.Body.Len(), w.Body.Len())
		}
	}
	for _, path := range []string{"/assets/", "/assets/none.js", "/assets/../dashboard.go", "/assets/index"} {
		if w := get(t, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// Before its script has run the page is in the reader's language, as the script
// will find it.
func TestPageIsPaintedInTheReadersLanguage(t *testing.T) {
	for accepted, want := range map[string]string{
		"pt-BR,pt;q=0.9,en;q=0.8": `<html lang="pt-BR">`, "de-DE, PT;q=0.5": `<html lang="pt-BR">`,
		"en-GB,pt": `<html lang="en">`, "de": `<html lang="en">`, "": `<html lang="en">`,
	} {
		w := get(t, "/", "Accept-Language", accepted)
		if !strings.Contains(w.Body.String(), want) || !slices.Contains(w.Header().Values("Vary"), "Accept-Language") {
			t.Errorf("%q: %v\n%s", accepted, w.Header().Values("Vary"), w.Body)
		}
		for _, word := range map[string][]string{`<html lang="pt-BR">`: {"Visão geral", "Execuções"}, `<html lang="en">`: {"Overview", "Runs"}}[want] {
			if !strings.Contains(w.Body.String(), word) {
				t.Errorf("%q: no %s", accepted, word)
			}
		}
	}
}

// The page must be small on a bad line.
func TestSize(t *testing.T) {
	h, err := New()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, f := range h.files {
		gzipped, err := f.gzipped()
		if err != nil {
			t.Fatal(err)
		}
		sum += len(gzipped)
	}
	if sum > 150<<10 {
		t.Errorf("%d bytes compressed, at most 150 KiB are wanted", sum)
	}
}

// What the policy forbids must not be in the page to begin with.
func TestPageHasNothingInline(t *testing.T) {
	page := get(t, "/").Body.String() + get(t, "/docs").Body.String()
	for _, word := range []string{"<style", "style=", "onload", "onclick", "http://", "https://", "<script>"} {
		if strings.Contains(page, word) {
			t.Errorf("the page has %s", word)
		}
	}
}
