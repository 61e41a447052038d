package export

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// The addresses of LangSmith's run protocol, behind the endpoint's base.
const (
	pathMultipart = "/runs/multipart"
	pathRuns      = "/runs"
	pathInfo      = "/info"
)

const (
	// opsInRequest is how many operations the SDKs put into a request where LangSmith
	// does not say.
	opsInRequest = 100
	// askInfoAgain is the least time between two questions that were not answered.
	askInfoAgain = time.Minute
)

// runsInfo is what LangSmith says of how it wants runs.
type runsInfo struct {
	zstd, gzip bool
	// bytes bounds a body before compression.
	bytes int
}

// native is the run protocol of one backend. Safe for concurrent use.
type native struct {
	base *url.URL

	mu    sync.Mutex
	known bool
	found runsInfo
	next  time.Time // of the next question
}

// url is where a batch of runs goes, and how.
func (n *native) url(path string) (method string, u *url.URL) {
	method = http.MethodPost
	if isRun(path) {
		method = http.MethodPatch
	}
	return method, n.base.JoinPath(path)
}

// isRun tells whether a path is that of one run, which a change goes to.
func isRun(path string) bool {
	return path != pathMultipart && strings.HasPrefix(path, pathRuns+"/")
}

// info gives what LangSmith said when it was asked, once in a process's life. While
// it has not answered, bodies go as every version takes them: uncompressed.
func (s *sender) info(ctx context.Context) runsInfo {
	n := s.native
	n.mu.Lock()
	defer n.mu.Unlock()
	if now := time.Now(); !n.known && !now.Before(n.next) {
		n.next = now.Add(askInfoAgain)
		n.found, n.known = s.askInfo(ctx)
	}
	found := n.found
	if found.bytes <= 0 || found.bytes > MaxRequestBytes {
		found.bytes = MaxRequestBytes
	}
	if s.plain {
		found.zstd, found.gzip = false, false
	}
	return found
}

func (s *sender) askInfo(ctx context.Context) (found runsInfo, answered bool) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	u := s.native.base.JoinPath(pathInfo)
	header := s.header.Clone()
	header.Del("Content-Type")
	request := (&http.Request{
		Method: http.MethodGet, URL: u, Host: u.Host, Header: header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	answer, err := s.transport.RoundTrip(request)
	if err != nil {
		return found, false
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(io.LimitReader(answer.Body, maxErrorAnswer))
	if err != nil || answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests {
		return found, false
	}
	var told struct {
		Flags struct {
			Zstd bool `json:"zstd_compression_enabled"`
			Gzip bool `json:"gzip_body_enabled"`
		} `json:"instance_flags"`
		Batch struct {
			Bytes int `json:"size_limit_bytes"`
		} `json:"batch_ingest_config"`
	}
	if answer.StatusCode != http.StatusOK || json.Unmarshal(content, &told) != nil {
		return found, true
	}
	return runsInfo{zstd: told.Flags.Zstd, gzip: told.Flags.Gzip, bytes: told.Batch.Bytes}, true
}

// judge gives the action for a status that a batch of this route was answered with.
// A run that is there already was taken before; one that is not is no wrong address.
func (s *sender) judge(to route, status int) action {
	switch {
	case to.path != "" && status == http.StatusConflict:
		return succeed
	case isRun(to.path) && status == http.StatusNotFound:
		return bury
	}
	return s.profile.judge(status)
}
