package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
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
	if err == nil {
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
	if r.Header.Get("Content-Encoding") == "gzip" {
		zipped, err := gzip.NewReader(r.Body)
		if err != nil {
			return dst, err
		}
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
