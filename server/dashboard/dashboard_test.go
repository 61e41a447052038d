package dashboard

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
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

func TestPageAndFiles(t *testing.T) {
	for path, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/docs": "text/html; charset=utf-8", "/assets/docs.js": "text/javascript; charset=utf-8", "/assets/app.js": "text/javascript; charset=utf-8",
		"/assets/app.css": "text/css; charset=utf-8", "/assets/icon.svg": "image/svg+xml",
	} {
		w := get(t, path)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != kind || w.Body.Len() == 0 {
			t.Errorf("%s: %d %s", path, w.Code, w.Header().Get("Content-Type"))
		}
		if p := w.Header().Get("Content-Security-Policy"); p != policy {
			t.Errorf("%s: policy %q", path, p)
		}
		if again := get(t, path, "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s again: %d", path, again.Code)
		}
		packed := get(t, path, "Accept-Encoding", "br, gzip")
		z, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(z)
		if err != nil || string(plain) != w.Body.String() {
			t.Errorf("%s compressed: %v", path, err)
		}
	}
	for _, path := range []string{"/assets/", "/assets/none.js", "/assets/../dashboard.go"} {
		if w := get(t, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
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
		sum += len(f.gzipped)
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
