package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"treq/server/fault"
	"treq/server/feedback"
	"treq/telemetry"
	"treq/telemetry/judgement"
)

// Feedback takes judgements of runs. Safe for concurrent use.
type Feedback interface {
	// Record keeps a judgement and returns when it is durable and counted.
	Record(ctx context.Context, j judgement.Judgement) (feedback.Receipt, error)
	// Find gives a judgement by its id, List those that a query asks for.
	Find(ctx context.Context, id string) (judgement.Judgement, error)
	List(ctx context.Context, q feedback.Query) ([]judgement.Judgement, error)
	// Change and Withdraw do that to a judgement, and return when it is durable and
	// counted.
	Change(ctx context.Context, id string, f feedback.Form) (judgement.Judgement, feedback.Receipt, error)
	Withdraw(ctx context.Context, id string) (feedback.Receipt, error)
}

// FeedbackTokens makes and checks tokens bound to one run. Safe for concurrent use.
type FeedbackTokens interface {
	Mint(run string, life time.Duration) (token string, expires time.Time)
	Check(token string) (run string, err error)
	Use(token string) (run string, err error)
}

// The addresses at which judgements are taken. LangSmith's clients prepend
// /api/v1; the existing front end ends with a slash, as FastAPI routed it.
const ownFeedback = "/monitoring/feedback"

var feedbackDoors = []string{ownFeedback, "/feedback", "/feedback/", "/api/v1/feedback", "/api/v1/feedback/"}

// feedbackRoutes are the addresses of judgements, none where none are taken.
func (a *API) feedbackRoutes() []Route {
	if a.o.Feedback == nil {
		return nil
	}
	routes := make([]Route, 0, len(feedbackDoors)+4)
	for _, path := range feedbackDoors {
		about := "judge a run, as the front end or LangSmith's clients do"
		if path == ownFeedback {
			about = "judge a run"
		}
		routes = append(routes, Route{"POST", path, about, a.judge})
	}
	for _, base := range keptFeedback {
		routes = append(
			routes,
			Route{"GET", base, "judgements, as LangSmith's clients read them: ?run, key, source, limit, offset", a.listFeedback},
			Route{"GET", base + "/{feedback_id}", "one judgement, as LangSmith's clients read it", a.readFeedback},
			Route{"PATCH", base + "/{feedback_id}", "change a judgement, as LangSmith's clients do", a.changeFeedback},
			Route{"DELETE", base + "/{feedback_id}", "withdraw a judgement, as LangSmith's clients do", a.withdrawFeedback},
		)
	}
	if a.o.FeedbackTokens != nil {
		routes = append(routes, Route{"POST", ownFeedback + "/tokens", "a token that lets a page judge one run", a.mintFeedbackToken})
	}
	if a.o.FeedbackStats != nil {
		for _, path := range []string{ownFeedback + "/stats", "/feedback/stats", "/api/v1/feedback/stats"} {
			routes = append(routes, Route{"GET", path, "how many judgements were positive", a.feedbackStats})
		}
	}
	return routes
}

// feedbackForm gathers the parameters of a judgement.
func feedbackForm(w http.ResponseWriter, r *http.Request) (feedback.Form, error) {
	in, err := read(w, r)
	if err != nil {
		return feedback.Form{}, err
	}
	f := feedback.Form{Fields: make(map[string]feedback.Field, len(in.values)), Missing: in.in, Whole: in.whole}
	if f.Missing == "query" {
		f.Missing = "body" // where these callers put them
	}
	for name, v := range in.values {
		if v.raw == nil {
			v.raw = quoted(v.text)
		}
		f.Fields[name] = feedback.Field{Raw: v.raw, In: v.in}
	}
	return f, nil
}

// errFeedbackLoop is a judgement that this process has told a sink.
var errFeedbackLoop = telemetry.Errorf(telemetry.Invalid,
	"this judgement was sent by the same process and has come back: a sink points at one of its own doors")

// returned tells whether a request was sent by this process.
func (a *API) returned(r *http.Request) bool {
	for _, hop := range r.Header["Treq-Hop"] {
		for name := range strings.SplitSeq(hop, ",") {
			if a.o.Instance != "" && strings.TrimSpace(name) == a.o.Instance {
				return true
			}
		}
	}
	return false
}

// judge takes a judgement in. It answers when that is durable and counted.
func (a *API) judge(w http.ResponseWriter, r *http.Request) error {
	if a.returned(r) {
		return errFeedbackLoop
	}
	form, err := feedbackForm(w, r)
	if err != nil {
		return err
	}
	own := r.URL.Path == ownFeedback
	j, err := a.judgement(form, own, feedback.Shown(r.Header))
	if err != nil {
		return err
	}
	receipt, err := a.o.Feedback.Record(r.Context(), j)
	if err != nil {
		return err
	}
	answer := judged{
		ID: receipt.ID, RunID: j.RunID, Key: j.Key, Comment: j.Comment,
		Success: true, Message: "feedback recorded", Repeated: receipt.Repeated,
	}
	if answer.Key == "" {
		answer.Key = judgement.DefaultKey
	}
	if j.Scored {
		answer.Score = &j.Score
	}
	status := http.StatusOK
	if !receipt.Counted {
		status = http.StatusAccepted // durable, and to be counted: not to be sent again
	}
	body, err := encode(answer)
	if err != nil {
		return err
	}
	writeJSON(w, status, body)
	return nil
}

// judged is the answer to a judgement: an object with an id as LangSmith's clients
// want it, and what the existing front end reads.
type judged struct {
	ID      string   `json:"id"`
	RunID   string   `json:"run_id"`
	Key     string   `json:"key"`
	Score   *float64 `json:"score"`
	Comment string   `json:"comment"`
	Success bool     `json:"success"`
	Message string   `json:"message"`
	// Repeated tells that the run's last judgement said the same and nothing counts again.
	Repeated bool `json:"repeated"`
}

// judgement reads the form. With a token it is of the token's run, from a browser,
// and says nothing in the name of others.
func (a *API) judgement(form feedback.Form, own bool, token string) (j judgement.Judgement, err error) {
	run := ""
	if token != "" && a.o.FeedbackTokens != nil {
		if run, err = a.o.FeedbackTokens.Check(token); err != nil {
			return j, err
		}
		// A page that holds a token need not repeat what it is for.
		if _, told := form.Fields["message_id"]; !told {
			if _, told = form.Fields["run_id"]; !told {
				field := feedback.Field{Raw: quoted(run), In: form.Missing}
				form.Fields["run_id"] = field
				if _, frontEnd := form.Fields["feedback_type"]; frontEnd {
					form.Fields["message_id"] = field
				}
			}
		}
	}
	if own {
		j, err = form.Own()
	} else {
		j, err = form.Any()
	}
	if err != nil || run == "" {
		return j, err
	}
	if judgement.Canonical(j.RunID) != run {
		return j, telemetry.Errorf(telemetry.Forbidden, "the feedback token is for another run")
	}
	if j.Scored && (j.Score < 0 || j.Score > 1) {
		return j, telemetry.Errorf(telemetry.Unprocessable, "with a feedback token the score lies in 0..1")
	}
	if _, err := a.o.FeedbackTokens.Use(token); err != nil {
		return j, err
	}
	j.ID, j.Told, j.Source, j.Service = "", nil, judgement.FromBrowser, ""
	return j, nil
}

// mayJudge tells whether a request to record is for a judgement and shows a feedback
// token, in whose place no other is asked for; the error is the token's.
func (a *API) mayJudge(path string, r *http.Request) (shown bool, err error) {
	if r.Method != http.MethodPost || a.o.FeedbackTokens == nil || !slices.Contains(feedbackDoors, path) {
		return false, nil
	}
	token := feedback.Shown(r.Header)
	if token == "" {
		return false, nil
	}
	_, err = a.o.FeedbackTokens.Check(token)
	return true, err
}

// mintFeedbackToken makes a token for one run.
func (a *API) mintFeedbackToken(w http.ResponseWriter, r *http.Request) error {
	in, err := read(w, r)
	if err != nil {
		return err
	}
	f, err := parse(in, []parameter{
		{name: "run_id", kind: text, required: true},
		{name: "expires_in_seconds", kind: whole, max: feedback.LongestLife.Seconds()},
	})
	if err != nil {
		return err
	}
	run := f.texts["run_id"]
	if run == "" || len(run) > mostFeedbackRun {
		v := in.values["run_id"]
		return &fault.Validation{Detail: []fault.FieldError{{
			Type: "string_length", Loc: []any{v.in, "run_id"}, Msg: "String should have 1 to 256 characters", Input: inputOf(v),
		}}}
	}
	seconds, told := f.counts["expires_in_seconds"]
	if told && seconds == 0 {
		return telemetry.Errorf(telemetry.Unprocessable, "expires_in_seconds is 1 to %d", int(feedback.LongestLife.Seconds()))
	}
	token, expires := a.o.FeedbackTokens.Mint(run, time.Duration(seconds)*time.Second)
	return replyPrivate(w, struct {
		Token     string    `json:"token"`
		RunID     string    `json:"run_id"`
		ExpiresAt time.Time `json:"expires_at"`
	}{token, run, expires})
}

// mostFeedbackRun bounds the text of a run's id in a token, in bytes.
const mostFeedbackRun = 256

func inputOf(v value) json.RawMessage {
	if v.raw != nil {
		return v.raw
	}
	return quoted(v.text)
}

// feedbackStats answers how runs were judged: ?service= and ?key= narrow it.
func (a *API) feedbackStats(w http.ResponseWriter, r *http.Request) error {
	if err := a.counting(); err != nil {
		return err
	}
	q := parseQuery(r.URL.RawQuery)
	key, told := q["key"]
	if !told {
		key = judgement.DefaultKey
	}
	v, err := a.o.FeedbackStats(r.Context(), q["service"], key)
	if err != nil {
		return err
	}
	body, err := encode(v)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, body)
	return nil
}
