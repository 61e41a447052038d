package export

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"google.golang.org/grpc"
)

const (
	maxAnswer      = 4 << 20
	maxErrorAnswer = 64 << 10
)

// sender makes requests for one configuration. It is safe for concurrent use.
type sender struct {
	profile   profile
	gzip      bool
	timeout   time.Duration
	url       *url.URL
	header    http.Header
	secrets   scrubber
	transport http.RoundTripper
	members   members
	plain     bool    // compress nothing
	native    *native // nil where the sink does not speak the run protocol
	json      bool
	grpc      *grpc.ClientConn // nil for HTTP
}

func newSender(c Config, d Deps) (*sender, error) {
	target, err := c.target()
	if err != nil {
		return nil, err
	}
	p := profiles[c.Profile]
	s := &sender{
		profile: p, gzip: c.Compression == Gzip, plain: c.Compression == None, timeout: c.Timeout,
		header: http.Header{}, transport: d.Transport,
	}
	s.json = c.Protocol == JSON
	if c.Protocol == GRPC {
		if s.grpc, err = dialGRPC(target, c, d); err != nil {
			return nil, err
		}
	} else if s.transport == nil {
		if s.transport, err = newTransport(c, d); err != nil {
			return nil, err
		}
	}
	for name, value := range p.headers {
		s.header.Set(name, value)
	}
	if user := target.User; user != nil {
		password, _ := user.Password()
		request := http.Request{Header: s.header}
		request.SetBasicAuth(user.Username(), password)
		s.secrets.hide(password)
		target.User = nil
	}
	for name, value := range c.Headers {
		s.header.Set(name, value.Reveal())
		s.secrets.hide(value.Reveal())
	}
	if p.keyHeader != "" && !c.APIKey.IsZero() {
		s.header.Set(p.keyHeader, p.keyValue(c.APIKey.Reveal()))
		s.secrets.hide(c.APIKey.Reveal())
		s.secrets.hide(p.keyValue(c.APIKey.Reveal()))
	}
	if target.RawQuery != "" {
		s.secrets.hide(target.RawQuery)
		for _, values := range target.Query() {
			for _, value := range values {
				s.secrets.hide(value)
			}
		}
	}
	s.header.Set("Content-Type", "application/x-protobuf")
	s.header.Set("User-Agent", userAgent(d))
	if d.Instance != "" {
		s.header.Set("Treq-Hop", d.Instance)
	}
	s.url = target
	if c.Protocol == Native {
		base, err := url.Parse(FeedbackLangSmith.base(target) + "/")
		if err != nil {
			return nil, err
		}
		s.native = &native{base: base}
	}
	return s, nil
}

func newTransport(c Config, d Deps) (*http.Transport, error) {
	settings, err := c.TLS.settings()
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		TLSClientConfig:        settings,
		Proxy:                  d.Proxy,
		DialContext:            dial,
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    c.MaxInFlight,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		WriteBufferSize:        64 << 10,
	}, nil
}

// reader reads the chunks in turn.
type reader struct{ chunks [][]byte }

func (r *reader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && len(r.chunks) > 0 {
		m := copy(p[n:], r.chunks[0])
		n += m
		if r.chunks[0] = r.chunks[0][m:]; len(r.chunks[0]) == 0 {
			r.chunks = r.chunks[1:]
		}
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// take implements chunked.
func (r *reader) take(most int64) net.Buffers {
	var taken net.Buffers
	for most > 0 && len(r.chunks) > 0 {
		piece := r.chunks[0]
		if int64(len(piece)) > most {
			piece, r.chunks[0] = piece[:most], piece[most:]
		} else {
			r.chunks = r.chunks[1:]
		}
		if len(piece) > 0 {
			taken = append(taken, piece)
			most -= int64(len(piece))
		}
	}
	return taken
}

// outcome is what came of an attempt.
type outcome struct {
	action   action
	status   int    // 0 when nothing was answered
	reason   string // in words, scrubbed; "" for a plain success
	asked    time.Duration
	rejected int64
	timeout  bool
}

// headerFor gives the header of a request of a route.
func (s *sender) headerFor(to route) http.Header {
	header := s.header.Clone()
	if s.profile.projectHeader != "" && to.project != "" {
		header.Set(s.profile.projectHeader, s.profile.projectValue(to.project))
	}
	if s.profile.tenantHeader != "" && to.tenant != "" {
		header.Set(s.profile.tenantHeader, to.tenant)
	}
	return header
}

// send makes one attempt. When it returns, the transport may still be reading
// the body for a moment: callers that reuse its memory wait for released.
func (s *sender) send(ctx context.Context, to route, b body) (outcome, <-chan struct{}) {
	if s.grpc != nil {
		released := make(chan struct{})
		defer close(released)
		return s.call(ctx, to, b), released
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	header := s.headerFor(to)
	method, u := http.MethodPost, s.url
	if to.path != "" {
		method, u = s.native.url(to.path)
	}
	if b.contentType != "" {
		header.Set("Content-Type", b.contentType)
	}
	if b.gzip {
		header.Set("Content-Encoding", "gzip")
	}
	if b.zstd {
		header.Set("Content-Encoding", "zstd")
	}
	if b.probe {
		header.Set(probeHeader, "gzip-members")
	}
	lent := &lending{released: make(chan struct{}), open: 1}
	request := (&http.Request{
		Method: method, URL: u, Host: u.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: lent.reader(b.chunks), ContentLength: b.size,
		GetBody: func() (io.ReadCloser, error) { return lent.reader(b.chunks), nil },
	}).WithContext(ctx)
	answer, err := s.transport.RoundTrip(request)
	lent.done()
	if err != nil {
		return outcome{
			action: retry, reason: s.secrets.scrub(err.Error()),
			timeout: ctx.Err() == context.DeadlineExceeded,
		}, lent.released
	}
	defer answer.Body.Close()
	return s.read(ctx, to, answer), lent.released
}

func (s *sender) read(ctx context.Context, to route, answer *http.Response) outcome {
	out := outcome{action: s.judge(to, answer.StatusCode), status: answer.StatusCode}
	limit := int64(maxErrorAnswer)
	if out.action == succeed {
		limit = maxAnswer
	}
	content, err := io.ReadAll(io.LimitReader(answer.Body, limit))
	out.timeout = err != nil && ctx.Err() == context.DeadlineExceeded
	if out.action == succeed {
		var message string
		out.rejected, message = partialSuccess(answer.Header.Get("Content-Type"), content)
		if out.rejected > 0 || message != "" {
			out.reason = s.secrets.scrub(partialReason(out.rejected, message))
		}
		return out
	}
	out.asked = retryAfter(answer.Header.Get("Retry-After"), time.Now())
	out.reason = s.secrets.scrub(errorReason(answer, content))
	return out
}
