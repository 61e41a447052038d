package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"treq/test/recorded"
)

// door keeps every request that is neither for the fake model nor for the ledger.
type door struct {
	mu   sync.Mutex
	kept []kept
}

type kept struct {
	sent recorded.Sent
	body []byte
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		w.Header().Set("Content-Type", "application/json")
		write(w, info(r.URL.Path))
		return
	}
	body, err := decoded(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d.mu.Lock()
	d.kept = append(d.kept, kept{recorded.Sent{
		Method: r.Method, Path: r.URL.Path,
		ContentType:     r.Header.Get("Content-Type"),
		ContentEncoding: r.Header.Get("Content-Encoding"),
		Project:         r.Header.Get("Langsmith-Project"),
	}, body})
	d.mu.Unlock()
	if strings.Contains(r.Header.Get("Content-Type"), "protobuf") {
		w.Header().Set("Content-Type", "application/x-protobuf")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	write(w, object{})
}

// info is what LangSmith's SDK asks before it sends runs.
func info(path string) object {
	if !strings.HasSuffix(path, "/info") {
		return object{}
	}
	return object{
		"version":        "0.12.0",
		"instance_flags": object{"zstd_compression_enabled": true, "dataset_examples_multipart_enabled": true},
		"batch_ingest_config": object{
			"use_multipart_endpoint": true, "size_limit": 100, "size_limit_bytes": 20971520,
			"scale_up_qsize_trigger": 1000, "scale_up_nthreads_limit": 16, "scale_down_nempty_trigger": 4,
		},
	}
}

func decoded(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	switch r.Header.Get("Content-Encoding") {
	case "", "identity":
		return body, nil
	case "gzip":
		zip, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(zip)
	case "zstd":
		zip, err := zstd.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		defer zip.Close()
		return io.ReadAll(zip)
	}
	return nil, fmt.Errorf("content encoding %q", r.Header.Get("Content-Encoding"))
}

func (d *door) requests() []kept {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.kept
}
