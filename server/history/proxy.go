package history

import (
	"io"
	"net/http"
	"strings"

	"treq/telemetry"
)

// Remote tells whether queries are answered by another server.
func (s *Store) Remote() bool { return s.remote != nil }

// Forward lets the remote server answer a request of Prometheus's query API, whose
// form was parsed: path is what follows /api/v1/. The caller's own credentials stay
// here. An error means that nothing was answered.
func (s *Store) Forward(w http.ResponseWriter, r *http.Request, path string) error {
	u := s.remote.base.JoinPath("api/v1", path)
	var body io.Reader
	if r.Method == http.MethodPost {
		body = strings.NewReader(r.Form.Encode())
	} else {
		u.RawQuery = r.Form.Encode()
	}
	req, err := http.NewRequestWithContext(r.Context(), r.Method, u.String(), body)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := s.remote.client.Do(req)
	if err != nil {
		return &telemetry.Error{Kind: telemetry.Unavailable, Message: "the remote history cannot be reached", Err: withoutURL(err)}
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 == 3 {
		return telemetry.Errorf(telemetry.Unavailable, "the remote history redirects (status %d); configure the address that answers", resp.StatusCode)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body) // a client that went away has nothing to be told
	return nil
}
