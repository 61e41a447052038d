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
	return p.send(http.MethodPost, path, body, header...)
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

// send is do with a body.
func (p *process) send(method, path, body string, header ...string) (int, string) {
	p.t.Helper()
	one, _, _ := p.Addr()
	req, err := http.NewRequest(method, "http://"+one+path, strings.NewReader(body))
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

func TestAChangedJudgementCountsInThePlaceOfTheOneBefore(t *testing.T) {
	const (
		one   = "11111111-1111-4111-8111-111111111111"
		two   = "22222222-2222-4222-8222-222222222222"
		run   = "0af76519-16cd-43dd-8448-eb211c80319c"
		made  = `,"run_id":"` + run + `","key":"user-score",`
		first = `{"id":"` + one + `"` + made + `"score":1,"comment":"good","trace_id":"` + run + `"}`
	)
	c := settings(t)
	p := begin(t, c)
	for _, step := range []struct {
		method, path, body string
		want               int
		stats, shown       string
	}{
		{"POST", "/feedback", first, 200, `{"total_positive":1,"total_negative":0,"satisfaction_rate":1,"total_unscored":0`, `"score":1,`},
		{"PATCH", "/feedback/" + one, `{"score":0,"comment":"no"}`, 200, `{"total_positive":0,"total_negative":1,"satisfaction_rate":0,"total_unscored":0`, `"comment":"no","correction":null,`},
		{"PATCH", "/api/v1/feedback/" + one, `{"score":0}`, 200, `{"total_positive":0,"total_negative":1,"satisfaction_rate":0,"total_unscored":0`, `"score":0,`},
		{"PATCH", "/feedback/" + one, `{"score":[]}`, 422, `{"total_positive":0,"total_negative":1,`, `"score":0,`},
		{"PATCH", "/feedback/" + one, `{"correction":{"answer":"42"}}`, 200, `{"total_positive":0,"total_negative":1,`, `"correction":{"answer":"42"},`},
		{"PATCH", "/feedback/" + one, `{"score":null,"value":"so-so"}`, 200, `{"total_positive":0,"total_negative":0,"satisfaction_rate":0,"total_unscored":1`, `"score":null,`},
		{"PATCH", "/feedback/" + one, `{"score":0.25}`, 200, `{"total_positive":0,"total_negative":1,"satisfaction_rate":0,"total_unscored":0`, `"value":"so-so"`},
		// Another of the same run, key and maker: the last one holds, whichever it is.
		{"POST", "/feedback", `{"id":"` + two + `"` + made + `"score":1}`, 200, `{"total_positive":1,"total_negative":0,`, `"score":0.25,`},
		{"DELETE", "/api/v1/feedback/" + two, "", 200, `{"total_positive":0,"total_negative":1,"satisfaction_rate":0,"total_unscored":0`, `"score":0.25,`},
		{"DELETE", "/feedback/" + two, "", 200, `{"total_positive":0,"total_negative":1,`, `"score":0.25,`},
		{"PATCH", "/feedback/" + two, `{"score":1}`, 404, `{"total_positive":0,"total_negative":1,`, `"score":0.25,`},
		{"DELETE", "/feedback/" + one, "", 200, `{"total_positive":0,"total_negative":0,"satisfaction_rate":0,"total_unscored":0`, "was withdrawn"},
		{"POST", "/feedback", first, 200, `{"total_positive":1,"total_negative":0,`, `"comment":"good"`},
		{"PATCH", "/feedback/" + one, `{"score":0}`, 200, `{"total_positive":0,"total_negative":1,"satisfaction_rate":0,"total_unscored":0`, `"score":0,`},
		{"PATCH", "/feedback/x", `{"score":0}`, 422, `{"total_positive":0,"total_negative":1,`, `"score":0,`},
	} {
		if code, body := p.send(step.method, step.path, step.body); code != step.want {
			t.Fatalf("%s %s %s: %d %s", step.method, step.path, step.body, code, body)
		}
		p.stats(step.stats)
		if _, body := p.do("GET", "/feedback/"+one); !strings.Contains(body, step.shown) {
			t.Errorf("after %s %s %s: no %s in %s", step.method, step.path, step.body, step.shown, body)
		}
	}
	for range 2 {
		_, list := p.do("GET", "/api/v1/feedback?run="+run+"&key=user-score&limit=100&offset=0")
		if strings.Count(list, `"id"`) != 1 || !strings.Contains(list, `"run_id":"`+run+`"`) || !strings.Contains(list, `"score":0,`) {
			t.Error(list)
		}
		for _, none := range []string{"?run=" + two, "?key=tone", "?source=model", "?offset=1"} {
			if _, list := p.do("GET", "/feedback"+none); list != "[]" {
				t.Errorf("%s: %s", none, list)
			}
		}
		p.end()
		p = begin(t, c)
		awaitReady(p)
		p.stats(`{"total_positive":0,"total_negative":1,"satisfaction_rate":0,"total_unscored":0,`)
		awaitFeedback(p, one)
	}
	if code, body := p.send("PATCH", "/feedback/"+one, `{"score":true}`); code != http.StatusOK {
		t.Errorf("%d %s", code, body)
	}
	p.stats(`{"total_positive":1,"total_negative":0,"satisfaction_rate":1,"total_unscored":0,`)
}

// awaitFeedback waits until the index of judgements is made again.
func awaitFeedback(p *process, id string) {
	p.t.Helper()
	for {
		if code, _ := p.do("GET", "/feedback/"+id); code == http.StatusOK {
			return
		}
		if p.t.Context().Err() != nil {
			p.t.Fatal("not indexed")
		}
	}
}

func TestWhoMayReadChangeAndWithdrawJudgements(t *testing.T) {
	const id = "11111111-1111-4111-8111-111111111111"
	c := settings(t)
	c.Tokens = config.Tokens{Ingest: secrets("send"), API: secrets("read"), Admin: secrets("all")}
	p := begin(t, c)
	if code, body := p.post("/feedback", `{"id":"`+id+`","run_id":"r","key":"k","score":1}`, "X-Api-Key: send"); code != http.StatusOK {
		t.Fatalf("%d %s", code, body)
	}
	for _, q := range []struct {
		method, path, key string
		want              int
	}{
		{"GET", "/feedback", "", 401},
		{"GET", "/feedback", "send", 403},
		{"GET", "/feedback", "read", 200},
		{"GET", "/feedback/" + id, "", 401},
		{"GET", "/feedback/" + id, "read", 200},
		{"PATCH", "/feedback/" + id, "", 401},
		{"PATCH", "/feedback/" + id, "read", 403},
		{"PATCH", "/feedback/" + id, "send", 200},
		{"DELETE", "/feedback/" + id, "read", 403},
		{"DELETE", "/feedback/" + id, "send", 200},
		{"DELETE", "/feedback/" + id, "all", 200},
	} {
		body := ""
		if q.method == "PATCH" {
			body = `{"score":0}`
		}
		if code, body := p.send(q.method, q.path, body, "X-Api-Key: "+q.key); code != q.want {
			t.Errorf("%+v: %d %s", q, code, body)
		}
	}
}
