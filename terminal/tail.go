package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TailOptions choose runs.
type TailOptions struct {
	// Service, Model, Outcome (success, failure, running) and Text narrow the list; ""
	// is all.
	Service, Model, Outcome, Text string
	// Last is how many runs are written at first; 0 is 10, at most MostTailed. None
	// begins with what comes.
	Last int
	None bool
	// Follow goes on with the runs that come.
	Follow bool
	// JSON writes a run a line as the service has it.
	JSON bool
	// Pace is how often it asks; 0 is once a second.
	Pace time.Duration
	// Notes gets what is no run: that none is there yet, that the service is away and
	// back. nil is nobody.
	Notes io.Writer
}

// MostTailed is how many runs are asked for at once.
const MostTailed = 200

// Tail writes runs as they come, the oldest first, until ctx ends, or the newest
// ones once. A service that goes away after the first answer is waited for, unless it
// refuses the reader.
func Tail(ctx context.Context, c *Client, s Screen, o TailOptions, w io.Writer) error {
	if o.Last <= 0 {
		o.Last = 10
	}
	if o.Pace <= 0 {
		o.Pace = time.Second
	}
	notes := o.Notes
	if notes == nil {
		notes = io.Discard
	}
	seen, away := map[string]string{}, false
	for first := true; ; first = false {
		// Also at first as many as later: what is older than the first lines is seen,
		// and not written then.
		runs, err := c.newest(ctx, o, MostTailed)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			if first || !o.Follow || !passing(err) {
				return err
			}
			if !away {
				fmt.Fprintf(notes, s.say("%s; trying again\n", "%s; tentando de novo\n"), err)
			}
			away = true
			if !wait(ctx, o.Pace) {
				return nil
			}
			continue
		}
		switch {
		case away:
			fmt.Fprintf(notes, s.say("%s answers again\n", "%s voltou a responder\n"), c.Address())
			away = false
		case first && o.Follow && len(runs) == 0:
			fmt.Fprintln(notes, s.say("No run is there yet; waiting for the first. Ctrl-C ends.", "Ainda não há nenhuma execução; esperando a primeira. Ctrl-C encerra."))
		}
		now := make(map[string]string, len(runs))
		for i, raw := range slices.Backward(runs) {
			var r runSummary
			if err := json.Unmarshal(raw, &r); err != nil {
				return fmt.Errorf("%s does not list runs as treq-telemetry does: %w", c.Address(), err)
			}
			// A run that went on is written again when it has ended.
			now[r.RunID] = r.Outcome
			if seen[r.RunID] == r.Outcome || first && (o.None || i >= o.Last) {
				continue
			}
			line := string(raw) + "\n"
			if !o.JSON {
				line = s.runLine(r)
			}
			if _, err := io.WriteString(w, line); err != nil {
				return err
			}
		}
		if !o.Follow {
			return nil
		}
		seen = now
		if !wait(ctx, o.Pace) {
			return nil
		}
	}
}

// passing tells whether an error may be over soon: nobody answers, or not yet.
func passing(err error) bool {
	status, answered := errors.AsType[*StatusError](err)
	return !answered || status.Status >= http.StatusInternalServerError || status.Status == http.StatusTooManyRequests
}

// wait waits; false if ctx ended before.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (c *Client) newest(ctx context.Context, o TailOptions, limit int) ([]json.RawMessage, error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	for name, value := range map[string]string{"service": o.Service, "model": o.Model, "outcome": o.Outcome, "q": o.Text} {
		if value != "" {
			q.Set(name, value)
		}
	}
	var list struct {
		Runs []json.RawMessage `json:"runs"`
	}
	_, err := c.get(ctx, "/monitoring/runs?"+q.Encode(), &list)
	return list.Runs, err
}

// runLine is a run in one line.
func (s Screen) runLine(r runSummary) string {
	at := "        "
	if r.Start != nil {
		at = r.Start.Local().Format("15:04:05")
	}
	mark, tone := "✓", Good
	switch r.Outcome {
	case "failure":
		mark, tone = "✗", Bad
	case "running":
		mark, tone = "…", Warn
	}
	var facts []string
	add := func(text string) { facts = append(facts, text) }
	if r.ErrorType != "" {
		add(Clean(r.ErrorType))
	}
	if r.Tokens != nil && *r.Tokens > 0 {
		add(s.short(*r.Tokens) + " tok")
	}
	if r.Model != "" {
		add(Clean(r.Model))
	}
	if r.Cost != nil && *r.Cost > 0 {
		add(s.money(*r.Cost, "USD"))
	}
	if r.Similarity != nil {
		add("sim " + s.number(*r.Similarity, 2))
	}
	front := at + " " + s.paint(tone, mark) + " " + fit(s.ms(r.DurationMS), 8, true) + "  "
	rest := strings.Join(append([]string{Clean(r.Name)}, facts...), " · ")
	// The id stands last and whole: it is what explain is asked with.
	id := Clean(shortID(r.RunID))
	const indent = 8 + 1 + 1 + 1 + 8 + 2
	room := s.columns() - indent - 1 - len(id)
	// Whose it is gives way to what it was where there is no room for both.
	if service := Clean(r.Service); service != "" && (s.Whole || columns(rest)+columns(service)+3 <= max(room, 32)) {
		rest = service + " · " + rest
	}
	if s.Whole {
		return front + rest + " " + id + "\n"
	}
	if room < 32 {
		return front + cut(rest, max(16, s.columns()-indent)) + "\n" + strings.Repeat(" ", indent) + s.paint(Dim, id) + "\n"
	}
	return front + fit(rest, room, false) + " " + s.paint(Dim, id) + "\n"
}

// shortID is the span id where a run's id is nothing else (docs/api.md, section 5).
func shortID(id string) string {
	if span, is := strings.CutPrefix(id, "00000000-0000-0000-"); is {
		return strings.ReplaceAll(span, "-", "")
	}
	return id
}
