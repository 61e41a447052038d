package history

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"treq/telemetry"
)

// RemoteOptions names a server that speaks Prometheus's query API: Prometheus,
// Mimir, Thanos, VictoriaMetrics. The zero value is none.
type RemoteOptions struct {
	// URL is where its API begins, without /api/v1, such as http://prometheus:9090 or
	// https://mimir/prometheus.
	URL string
	// Token is sent as Authorization: Bearer, if it is not empty.
	Token telemetry.Secret
	// Headers are sent with every request.
	Headers map[string]telemetry.Secret
	// TLS says whom to trust and who we are.
	TLS TLSFiles
}

// TLSFiles are PEM files of a TLS client; the zero value trusts the system's
// authorities and shows no certificate.
type TLSFiles struct{ CA, Cert, Key string }

// mostAnswer bounds what a remote server may answer to a query of ours.
const mostAnswer = 64 << 20

// remote asks another server. It is safe for concurrent use.
type remote struct {
	base   *url.URL
	client *http.Client
}

func newRemote(o RemoteOptions) (*remote, error) {
	base, err := url.Parse(strings.TrimSuffix(o.URL, "/"))
	if err != nil {
		return nil, errors.New("history: the remote URL does not parse") // the URL may hold a password
	}
	client, err := newClient(o.TLS, o.Token, o.Headers)
	if err != nil {
		return nil, err
	}
	return &remote{base, client}, nil
}

// newClient makes a client that shows credentials to the configured server and to
// nobody it redirects to.
func newClient(files TLSFiles, token telemetry.Secret, headers map[string]telemetry.Secret) (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if files.CA != "" {
		pem, err := os.ReadFile(files.CA)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("history: %s holds no certificate", files.CA)
		}
	}
	if files.Cert != "" {
		pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second, ResponseHeaderTimeout: time.Minute,
	}
	return &http.Client{
		Transport:     credentials{transport, token, headers},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// credentials adds what a server wants to see.
type credentials struct {
	*http.Transport
	token   telemetry.Secret
	headers map[string]telemetry.Secret
}

// RoundTrip sends a copy of the request with the credentials.
func (c credentials) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if !c.token.IsZero() {
		r.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	for name, value := range c.headers {
		r.Header.Set(name, value.Reveal())
	}
	return c.Transport.RoundTrip(r)
}

func (r *remote) query(ctx context.Context, expr string, at time.Time) (parser.Value, error) {
	return r.ask(ctx, "query", url.Values{"query": {expr}, "time": {seconds(at)}})
}

func (r *remote) queryRange(ctx context.Context, expr string, start, end time.Time, step time.Duration) (promql.Matrix, error) {
	v, err := r.ask(ctx, "query_range", url.Values{
		"query": {expr}, "start": {seconds(start)}, "end": {seconds(end)}, "step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)},
	})
	if err != nil {
		return nil, err
	}
	m, ok := v.(promql.Matrix)
	if !ok {
		return nil, errAnswer(errors.New("it gave no series"))
	}
	return m, nil
}

func seconds(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }

func errAnswer(err error) error {
	return &telemetry.Error{Kind: telemetry.Unavailable, Message: "the remote history gave an answer that cannot be read", Err: err}
}

// remoteAnswer is Prometheus's response format.
type remoteAnswer struct {
	Status string `json:"status"`
	Data   struct {
		Type   parser.ValueType `json:"resultType"`
		Result json.RawMessage  `json:"result"`
	} `json:"data"`
	ErrorType string `json:"errorType"`
	Error     string `json:"error"`
}

func (r *remote) ask(ctx context.Context, what string, form url.Values) (parser.Value, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.base.JoinPath("api/v1", what).String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, &telemetry.Error{Kind: telemetry.Unavailable, Message: "the remote history cannot be reached", Err: withoutURL(err)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return nil, errAnswer(err)
	}
	var a remoteAnswer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, errAnswer(fmt.Errorf("status %d", resp.StatusCode))
	}
	if a.Status != "success" {
		kind := telemetry.Unavailable
		if a.ErrorType == "bad_data" || a.ErrorType == "execution" {
			kind = telemetry.Unprocessable
		}
		return nil, telemetry.Errorf(kind, "the remote history refused the query: %s", a.Error)
	}
	v, err := valueOf(a.Data.Type, a.Data.Result)
	if err != nil {
		return nil, errAnswer(err)
	}
	return v, nil
}

// withoutURL takes the URL, which may hold a password, out of an error of a client.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// point is a time in seconds and a number in quotes.
type point struct {
	t int64
	f float64
}

// UnmarshalJSON reads [1435781451.781,"1"].
func (p *point) UnmarshalJSON(data []byte) error {
	var pair [2]any
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	at, ok := pair[0].(float64)
	text, ok2 := pair[1].(string)
	if !ok || !ok2 {
		return errors.New("a sample is no time with a number")
	}
	var err error
	p.t = int64(at*1000 + 0.5)
	p.f, err = strconv.ParseFloat(text, 64)
	return err
}

func valueOf(kind parser.ValueType, raw json.RawMessage) (parser.Value, error) {
	var series []struct {
		Metric labels.Labels `json:"metric"`
		Value  *point        `json:"value"`
		Values []point       `json:"values"`
	}
	var one point
	var err error
	switch kind {
	case parser.ValueTypeScalar:
		err = json.Unmarshal(raw, &one)
		return promql.Scalar{T: one.t, V: one.f}, err
	case parser.ValueTypeVector, parser.ValueTypeMatrix:
		err = json.Unmarshal(raw, &series)
	default:
		err = fmt.Errorf("results of type %.20q are not read", kind)
	}
	if err != nil {
		return nil, err
	}
	if kind == parser.ValueTypeVector {
		v := promql.Vector{}
		for _, s := range series {
			if s.Value != nil { // else a native histogram, of which we ask for none
				v = append(v, promql.Sample{Metric: s.Metric, T: s.Value.t, F: s.Value.f})
			}
		}
		return v, nil
	}
	m := promql.Matrix{}
	for _, s := range series {
		floats := make([]promql.FPoint, len(s.Values))
		for i, p := range s.Values {
			floats[i] = promql.FPoint{T: p.t, F: p.f}
		}
		m = append(m, promql.Series{Metric: s.Metric, Floats: floats})
	}
	return m, nil
}
