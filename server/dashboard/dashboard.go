package dashboard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"

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

// lasting is what a browser is told of a file whose name holds what is in it: it
// never asks again. All others are asked about each time, and mostly not sent.
const (
	lasting = "public, max-age=31536000, immutable"
	asking  = "no-cache"
)

// hashed matches the names of files that never change.
var hashed = regexp.MustCompile(`-[A-Z0-9]{8}\.(js|css)$`)

// file is one embedded file, plain and compressed.
type file struct {
	body, brotli    []byte // brotli is nil where it was not worth it
	kind, tag, keep string
	// gzipped is made for the first who asks: browsers take Brotli, and doing it for all
	// files was a fifth of what a start takes.
	gzipped func() ([]byte, error)
}

// Handler serves the page at /, that of the API at /docs, and their files below /assets/. Safe for concurrent
// use; make it with New.
type Handler struct {
	files map[string]file
}

// New makes a Handler of the embedded files. It holds them plain and compressed, in
// the end twice: about 0.3 MB.
func New() (*Handler, error) {
	h := &Handler{files: map[string]file{}}
	entries, err := fs.ReadDir(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	for _, e := range entries {
		if path.Ext(e.Name()) == ".br" {
			continue
		}
		f, err := load(e.Name())
		if err != nil {
			return nil, fmt.Errorf("dashboard: %w", err)
		}
		h.files[e.Name()] = f
	}
	for _, page := range pages {
		for _, l := range languages {
			if _, ok := h.files[page+"."+l+".html"]; !ok {
				return nil, fmt.Errorf("dashboard: dist/%s.%s.html is not embedded", page, l)
			}
		}
	}
	return h, nil
}

func load(name string) (file, error) {
	body, err := dist.ReadFile("dist/" + name)
	if err != nil {
		return file{}, err
	}
	f := file{body: body, kind: types[path.Ext(name)], tag: tag(body), keep: asking}
	if hashed.MatchString(name) {
		f.keep = lasting
	}
	f.gzipped = sync.OnceValues(func() ([]byte, error) { return squeeze(body) })
	f.brotli, err = dist.ReadFile("dist/" + name + ".br")
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return f, err
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

// pages are the names of the pages by their paths.
var pages = map[string]string{"/": "index", "/docs": "docs"}

// languages are those that the page is painted in before its script has run.
var languages = []string{"en", "pt-BR"}

// preferred is the first of a browser's languages that the page has, as the page's
// own locale.ts chooses: the script finds what is painted already.
func preferred(accepted string) string {
	for one := range strings.SplitSeq(strings.ToLower(accepted), ",") {
		switch one = strings.TrimSpace(one); {
		case strings.HasPrefix(one, "pt"):
			return "pt-BR"
		case strings.HasPrefix(one, "en"):
			return "en"
		}
	}
	return "en"
}

// Wants tells whether a request for / comes from somebody who reads pages: a
// browser asks for text/html, a program for JSON or for anything.
func Wants(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// ServeHTTP answers / with the page, /docs with that of the API, and /assets/NAME with
// their files.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	name := strings.TrimPrefix(r.URL.Path, "/assets/")
	if page, ok := pages[r.URL.Path]; ok {
		name = page + "." + preferred(r.Header.Get("Accept-Language")) + ".html"
		header.Add("Vary", "Accept-Language")
	}
	f, ok := h.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	header.Set("Content-Type", f.kind)
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cache-Control", f.keep)
	header.Add("Vary", "Accept-Encoding")
	header.Set("ETag", f.tag)
	if r.Header.Get("If-None-Match") == f.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.body
	switch accepted := r.Header.Get("Accept-Encoding"); {
	case f.brotli != nil && accepts(accepted, "br"):
		header.Set("Content-Encoding", "br")
		body = f.brotli
	case accepts(accepted, "gzip"):
		if gzipped, err := f.gzipped(); err == nil { // else as it is
			header.Set("Content-Encoding", "gzip")
			body = gzipped
		}
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	// Whoever went away in the middle needs no answer.
	_, _ = w.Write(body)
}

// accepts tells whether a header Accept-Encoding names a coding and does not refuse it.
func accepts(header, coding string) bool {
	for one := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(one), ";")
		if strings.TrimSpace(name) == coding {
			return strings.TrimRight(strings.TrimSpace(weight), ".0") != "q="
		}
	}
	return false
}
