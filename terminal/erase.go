package terminal

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Erase has the service overwrite what the spans of a run say, or of every run of a
// user where that is not "", and writes how much that was. It lasts as long as the
// service takes to read all that it keeps; ctx ends it.
func Erase(ctx context.Context, c *Client, s Screen, run, user string, w io.Writer) error {
	path := "/monitoring/runs/" + url.PathEscape(run)
	if user != "" {
		path = "/monitoring/runs?user=" + url.QueryEscape(user)
	}
	var erased struct {
		Runs, Records int
		Letters       int `json:"dead_letters"`
	}
	if err := c.delete(ctx, path, &erased); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, s.say("erased: %d runs, in %d records and %d dead letters\n", "apagado: %d execuções, em %d registros e %d entregas recusadas\n"),
		erased.Runs, erased.Records, erased.Letters)
	return err
}

// delete asks for something to be destroyed, and decodes what the service says of it.
func (c *Client) delete(ctx context.Context, path string, v any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodDelete, c.base.String()+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/json")
	if !c.token.IsZero() {
		r.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	patient := *c.http
	patient.Timeout = 0
	answer, err := patient.Do(r)
	if err != nil {
		return reach(c.Address(), err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostDocument))
	if err != nil {
		return reach(c.Address(), err)
	}
	if answer.StatusCode/100 != 2 {
		var problem struct{ Detail string }
		if json.Unmarshal(body, &problem) != nil || problem.Detail == "" {
			problem.Detail = http.StatusText(answer.StatusCode)
		}
		return &StatusError{Status: answer.StatusCode, Detail: problem.Detail, Wanted: "--admin-token or TREQ_ADMIN_TOKEN"}
	}
	return json.Unmarshal(body, v)
}
