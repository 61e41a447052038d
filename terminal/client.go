package terminal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"treq/telemetry"
)

// Client asks a service. The zero value is not usable; make one with NewClient. Safe
// for concurrent use.
type Client struct {
	base  *url.URL
	token telemetry.Secret
	http  *http.Client
}

// NewClient makes a client of the service at an address such as
// http://localhost:8002, which shows token where it is not empty. A request ends
// after 10 s. The error says what is wrong with the address.
func NewClient(address string, token telemetry.Secret) (*Client, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	base, err := url.Parse(strings.TrimSuffix(address, "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("the address is http://host:port or https://host, not %q", address)
	}
	return &Client{base: base, token: token, http: &http.Client{
		Timeout: 10 * time.Second,
		// A redirect could carry the token to somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Address is where the service is.
func (c *Client) Address() string { return c.base.String() }

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// StatusError is an answer that is none: the status and what the service said.
type StatusError struct {
	Status int
	Detail string
	// Wanted is how the token is given that was asked for; "" is one of the scope read.
	Wanted string
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("%d: %s", e.Status, Clean(e.Detail))
	if e.Status == http.StatusUnauthorized {
		text += "; here: " + cmp.Or(e.Wanted, "--api-token or TREQ_API_TOKEN")
	}
	return text
}

// mostDocument bounds what is read of an answer.
const mostDocument = 32 << 20

// get asks for a path with its query and decodes the answer into v. It returns the
// answer's date, zero without one. Answers other than 2xx are a *StatusError.
func (c *Client) get(ctx context.Context, path string, v any) (time.Time, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base.String()+path, nil)
	if err != nil {
		return time.Time{}, err
	}
	r.Header.Set("Accept", "application/json")
	if !c.token.IsZero() {
		r.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return time.Time{}, reach(c.Address(), err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostDocument))
	if err != nil {
		return time.Time{}, reach(c.Address(), err)
	}
	// A clock that is not told is left at zero.
	date, _ := http.ParseTime(answer.Header.Get("Date"))
	if answer.StatusCode/100 != 2 {
		var problem struct{ Detail string }
		if json.Unmarshal(body, &problem) != nil || problem.Detail == "" {
			problem.Detail = http.StatusText(answer.StatusCode)
		}
		// Readiness is a document whatever its status says.
		if answer.StatusCode == http.StatusServiceUnavailable {
			_ = json.Unmarshal(body, v)
		}
		return date, &StatusError{Status: answer.StatusCode, Detail: problem.Detail}
	}
	if err := json.Unmarshal(body, v); err != nil {
		return date, fmt.Errorf("%s%s does not answer as treq-telemetry does: %w", c.Address(), path, err)
	}
	return date, nil
}

// reach says that the service does not answer, without the noise of the client.
func reach(address string, err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return fmt.Errorf("no answer from %s: %w", address, err)
}
