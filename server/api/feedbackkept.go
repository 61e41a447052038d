package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"treq/server/feedback"
	"treq/telemetry"
)

// keptFeedback are the addresses at which LangSmith's clients find judgements.
var keptFeedback = []string{"/feedback", "/api/v1/feedback"}

// isKeptFeedback tells whether a path is that of one judgement.
func isKeptFeedback(path string) bool {
	for _, base := range keptFeedback {
		if strings.HasPrefix(path, base+"/{") {
			return true
		}
	}
	return false
}

// mostFeedback is the largest limit of a list, LangSmith's, and what it is where none is
// given.
const mostFeedback = 100

// listFeedback lists judgements. They hold comments, so they are shown as runs are.
func (a *API) listFeedback(w http.ResponseWriter, r *http.Request) error {
	if err := a.mayReadRuns(r); err != nil {
		return err
	}
	query := r.URL.Query()
	q := feedback.Query{Runs: query["run"], Keys: query["key"], Sources: query["source"], Limit: mostFeedback}
	for name, to := range map[string]*int{"limit": &q.Limit, "offset": &q.Offset} {
		if text := query.Get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 || name == "limit" && (n < 1 || n > mostFeedback) {
				return telemetry.Errorf(telemetry.Unprocessable, "limit is a whole number from 1 to %d, offset one from 0, not %.40q", mostFeedback, text)
			}
			*to = n
		}
	}
	for _, run := range q.Runs {
		if len(run) > mostFeedbackRun {
			return telemetry.Errorf(telemetry.Unprocessable, "a run's id has at most %d bytes", mostFeedbackRun)
		}
	}
	list, err := a.o.Feedback.List(r.Context(), q)
	if err != nil {
		return err
	}
	shown := make([]map[string]json.RawMessage, len(list))
	for i := range list {
		shown[i] = feedback.Shape(&list[i])
	}
	return replyPrivate(w, shown)
}

// readFeedback shows one judgement.
func (a *API) readFeedback(w http.ResponseWriter, r *http.Request) error {
	if err := a.mayReadRuns(r); err != nil {
		return err
	}
	id, err := feedbackID(r)
	if err != nil {
		return err
	}
	j, err := a.o.Feedback.Find(r.Context(), id)
	if err != nil {
		return err
	}
	return replyPrivate(w, feedback.Shape(&j))
}

// changeFeedback changes what a judgement says. It answers when that counts.
func (a *API) changeFeedback(w http.ResponseWriter, r *http.Request) error {
	if a.returned(r) {
		return errFeedbackLoop
	}
	id, err := feedbackID(r)
	if err != nil {
		return err
	}
	form, err := feedbackForm(w, r)
	if err != nil {
		return err
	}
	j, receipt, err := a.o.Feedback.Change(r.Context(), id, form)
	if err != nil {
		return err
	}
	return replyKept(w, receipt, feedback.Shape(&j))
}

// withdrawFeedback takes a judgement back.
func (a *API) withdrawFeedback(w http.ResponseWriter, r *http.Request) error {
	if a.returned(r) {
		return errFeedbackLoop
	}
	id, err := feedbackID(r)
	if err != nil {
		return err
	}
	receipt, err := a.o.Feedback.Withdraw(r.Context(), id)
	if err != nil {
		return err
	}
	return replyKept(w, receipt, withdrawn{ID: receipt.ID, Success: true, Message: "feedback withdrawn", Repeated: receipt.Repeated})
}

// withdrawn is the answer to a withdrawal.
type withdrawn struct {
	ID      string `json:"id"`
	Success bool   `json:"success"`
	Message string `json:"message"`
	// Repeated tells that it was withdrawn before.
	Repeated bool `json:"repeated"`
}

// replyKept answers 202 for what is durable and does not count yet.
func replyKept(w http.ResponseWriter, receipt feedback.Receipt, v any) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if !receipt.Counted {
		status = http.StatusAccepted
	}
	writeJSON(w, status, body)
	return nil
}

// feedbackID gives the id of the path, which is a UUID.
func feedbackID(r *http.Request) (string, error) {
	id := r.PathValue("feedback_id")
	if len(id) != 36 || uuid.Validate(id) != nil {
		return "", telemetry.Errorf(telemetry.Unprocessable, "the id of a judgement is a UUID, not %.80q", id)
	}
	return strings.ToLower(id), nil
}
