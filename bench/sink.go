package main

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"
)

// sink takes everything and keeps nothing but counts.
type sink struct {
	server *http.Server
	url    string
	spans  atomic.Int64
	bodies sync.Pool // of *[]byte
}

func newSink() (*sink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{url: "http://" + l.Addr().String()}
	s.bodies.New = func() any { return new([]byte) }
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.server.Serve(l) }()
	return s, nil
}

// ServeHTTP reads a request, counts its spans and thanks for it.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	held := s.bodies.Get().(*[]byte)
	defer s.bodies.Put(held)
	body, err := read(r, (*held)[:0])
	*held = body
	var spans int64
	switch {
	case err != nil:
	case r.Method == http.MethodGet: // what LangSmith's /info offers: nothing
		_, _ = w.Write([]byte("{}"))
		return
	case r.URL.Path == "/runs/multipart":
		spans, err = countRuns(r.Header.Get("Content-Type"), body)
	default:
		spans, err = countSpans(body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.spans.Add(spans)
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(http.StatusOK)
}

// read appends a request's body to dst, decompressed.
func read(r *http.Request, dst []byte) ([]byte, error) {
	from := io.Reader(r.Body)
	switch r.Header.Get("Content-Encoding") {
	case "gzip":
		zipped, err := gzip.NewReader(r.Body)
		if err != nil {
			return dst, err
		}
		from = zipped
	case "zstd":
		zipped, err := zstd.NewReader(r.Body, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return dst, err
		}
		defer zipped.Close()
		from = zipped
	}
	if r.ContentLength > int64(cap(dst)) {
		dst = make([]byte, 0, r.ContentLength)
	}
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		n, err := from.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}

// countRuns counts the runs that a multipart request of LangSmith's protocol posts:
// each has a part post.ID, its inputs and outputs parts of their own.
func countRuns(contentType string, body []byte) (count int64, err error) {
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return 0, fmt.Errorf("count runs: %w", err)
	}
	parts := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return count, nil
		}
		if err != nil {
			return 0, fmt.Errorf("count runs: %w", err)
		}
		if id, ok := strings.CutPrefix(part.FormName(), "post."); ok && !strings.Contains(id, ".") {
			count++
		}
	}
}

// countSpans counts the spans of an ExportTraceServiceRequest without decoding
// them: they are field 2 of field 2 (scope_spans) of field 1 (resource_spans).
func countSpans(body []byte) (int64, error) {
	return countAt(body, []protowire.Number{1, 2, 2})
}

func countAt(message []byte, path []protowire.Number) (count int64, err error) {
	for len(message) > 0 {
		number, wire, n := protowire.ConsumeTag(message)
		if n < 0 {
			return 0, fmt.Errorf("count spans: %w", protowire.ParseError(n))
		}
		message = message[n:]
		if number != path[0] || wire != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, wire, message); n < 0 {
				return 0, fmt.Errorf("count spans: %w", protowire.ParseError(n))
			}
			message = message[n:]
			continue
		}
		inner, n := protowire.ConsumeBytes(message)
		if n < 0 {
			return 0, fmt.Errorf("count spans: %w", protowire.ParseError(n))
		}
		message = message[n:]
		if len(path) == 1 {
			count++
			continue
		}
		below, err := countAt(inner, path[1:])
		if err != nil {
			return 0, err
		}
		count += below
	}
	return count, nil
}
