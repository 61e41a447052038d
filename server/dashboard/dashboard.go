package dashboard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
)

//go:embed dist
var dist embed.FS

// policy lets the page run its own script and style and talk to this service, and
// nothing else: no inline script, no other host, no frame around it, and no text
// that becomes markup (https://www.w3.org/TR/CSP3/, https://www.w3.org/TR/trusted-types/).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// types are the media types of what dist holds; not asked of the system, whose
// tables differ.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
}

// file is one embedded file, plain and compressed, made once.
type file struct {
	body, gzipped []byte
	kind, tag     string
}

// Handler serves the page at /, that of the API at /docs, and their files below /assets/. Safe for concurrent
// use; make it with New.
type Handler struct {
	files map[string]file
}

// New makes a Handler of the embedded files. It holds them twice, plain and
// compressed: about 0.2 MB.
func New() (*Handler, error) {
	h := &Handler{files: map[string]file{}}
	entries, err := fs.ReadDir(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	for _, e := range entries {
		body, err := dist.ReadFile("dist/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("dashboard: %w", err)
		}
		f := file{body: body, kind: types[path.Ext(e.Name())], tag: tag(body)}
		if f.gzipped, err = squeeze(body); err != nil {
			return nil, fmt.Errorf("dashboard: %w", err)
		}
		h.files[e.Name()] = f
	}
	for _, name := range []string{"index.html", "docs.html"} {
		if _, ok := h.files[name]; !ok {
			return nil, fmt.Errorf("dashboard: dist/%s is not embedded", name)
		}
	}
	return h, nil
}

func tag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}

func squeeze(body []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Wants tells whether a request for / comes from somebody who reads pages: a
// browser asks for text/html, a program for JSON or for anything.
func Wants(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// ServeHTTP answers / with the page, /docs with that of the API, and /assets/NAME with
// their files.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/assets/")
	switch r.URL.Path {
	case "/":
		name = "index.html"
	case "/docs":
		name = "docs.html"
	}
	f, ok := h.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Type", f.kind)
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cache-Control", "no-cache")
	header.Set("Vary", "Accept-Encoding")
	header.Set("ETag", f.tag)
	if r.Header.Get("If-None-Match") == f.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.body
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		header.Set("Content-Encoding", "gzip")
		body = f.gzipped
	}
	header.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	// Whoever went away in the middle needs no answer.
	_, _ = w.Write(body)
}
