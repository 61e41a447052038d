package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"treq/server/config"
)

func (p *process) post(path, body string, header ...string) (int, string) {
	p.t.Helper()
	one, _, _ := p.Addr()
	req, err := http.NewRequest(http.MethodPost, "http://"+one+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func (p *process) stats(want string) {
	p.t.Helper()
	if code, got := p.do("GET", "/feedback/stats"); code != http.StatusOK || !strings.HasPrefix(got, want) {
		p.t.Errorf("%d %s, not %s", code, got, want)
	}
}

func TestAJudgementCountsWhenItIsAnsweredAndStaysWithItsRun(t *testing.T) {
	c := settings(t)
	p := begin(t, c)
	p.stats(`{"total_positive":0,"total_negative":0,"satisfaction_rate":0,"total_unscored":0,"key":"user-score",`)
	run := fmt.Sprintf("%02x%030x", 1, 1)
	for range 2 {
		if code, body := p.post("/feedback/", `{"message_id":"`+run+`","feedback_type":"positive","comment":"bom"}`); code != http.StatusOK {
			t.Fatalf("%d %s", code, body)
		}
		p.stats(`{"total_positive":1,"total_negative":0,"satisfaction_rate":1,`)
	}
	for i := range 3 {
		body := fmt.Sprintf(`{"run_id":"other %d","score":%g}`, i, float64(i)/4) // 0, 0.25, 0.5
		if code, body := p.post("/monitoring/feedback", body); code != http.StatusOK {
			t.Fatalf("%d %s", code, body)
		}
	}
	p.post("/monitoring/feedback", `{"run_id":"other","key":"tone","value":"so-so"}`)
	p.post("/monitoring/feedback", `{"run_id":"other","value":"so-so","service":"app"}`)
	p.stats(`{"total_positive":1,"total_negative":3,"satisfaction_rate":0.25,"total_unscored":1,`)
	if _, got := p.do("GET", "/monitoring/feedback/stats?key=tone"); !strings.HasPrefix(got, `{"total_positive":0,"total_negative":0,"satisfaction_rate":0,"total_unscored":1,"key":"tone"`) {
		t.Error(got)
	}
	p.question(1) // the run comes after its judgement
	for range 2 {
		_, body := p.do("GET", "/monitoring/runs/"+run)
		var doc struct {
			Feedback   *float64 `json:"feedback"`
			Judgements []struct {
				Key     string   `json:"key"`
				Score   *float64 `json:"score"`
				Comment string   `json:"comment"`
			} `json:"judgements"`
		}
		if err := json.Unmarshal([]byte(body), &doc); err != nil || len(doc.Judgements) != 1 || *doc.Judgements[0].Score != 1 || doc.Judgements[0].Comment != "bom" || doc.Feedback == nil || *doc.Feedback != 1 {
			t.Errorf("%v %s", err, body)
		}
		p.end()
		p = begin(t, c)
		awaitReady(p)
		p.stats(`{"total_positive":1,"total_negative":3,"satisfaction_rate":0.25,"total_unscored":1,`)
	}
}

// awaitReady waits for the replay, which takes a moment.
func awaitReady(p *process) {
	p.t.Helper()
	for {
		if code, _ := p.do("GET", "/readyz"); code == http.StatusOK {
			return
		}
		if p.t.Context().Err() != nil {
			p.t.Fatal("not ready")
		}
	}
}

func TestAFeedbackTokenOutlivesTheProcess(t *testing.T) {
	c := settings(t)
	c.Tokens = config.Tokens{Ingest: secrets("send"), API: secrets("read"), Admin: secrets("all")}
	p := begin(t, c)
	mint := `{"run_id":"r"}`
	for header, want := range map[string]int{"X-Api-Key: send": 200, "X-Api-Key: all": 200, "X-Api-Key: read": 403, "X-Api-Key: none": 401} {
		if code, body := p.post("/monitoring/feedback/tokens", mint, header); code != want {
			t.Errorf("%s: %d %s", header, code, body)
		}
	}
	_, made := p.post("/monitoring/feedback/tokens", mint, "X-Api-Key: send")
	var token struct{ Token string }
	if err := json.Unmarshal([]byte(made), &token); err != nil {
		t.Fatal(err)
	}
	p.end()
	p = begin(t, c)
	for header, want := range map[string]int{"X-Feedback-Token: " + token.Token: 200, "X-Api-Key: read": 403, "Authorization: Bearer " + token.Token: 200} {
		if code, body := p.post("/monitoring/feedback", `{"score":1,"run_id":"r"}`, header); code != want && code != 202 {
			t.Errorf("%.30s: %d %s", header, code, body)
		}
	}
}
