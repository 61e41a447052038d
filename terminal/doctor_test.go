package terminal

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// well is a service with which all is well.
func well() service {
	return service{
		"/readyz":             `{"status":"ready","reasons":[],"notices":[]}`,
		"/monitoring/metrics": `{"chat":{"total_requests":10},"rag":{"total_searches":9},"llm":{"total_calls":11}}`,
		"/monitoring/models":  `{"models":[{"model":"glm-4.7","calls":11,"unpriced_tokens":0}]}`,
		"/monitoring/sinks":   `{"sinks":[{"name":"langsmith","state":"sending","sent_spans":31}]}`,
		"/monitoring/alerts":  `{"alerts":[{"name":"error_rate","instances":[]}],"receivers":[{"name":"team","state":"ok"},{"name":"mended","state":"ok","last_error":"no route"}]}`,
		"/monitoring/health":  `{"status":"ok","telemetry":{"services":[{"service":"app","last_seen_seconds":3,"unpriced_tokens_ratio":0,"streams_without_usage_ratio":0,"searches_without_scores_ratio":0}]}}`,
	}
}

func examine(t *testing.T, s service, language Language, at time.Time) (fine, rest []string) {
	t.Helper()
	c := s.client(t)
	found, err := Doctor(t.Context(), c, Screen{Language: language}, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		title := fixedAddress(c, f.Title)
		switch {
		case f.Level == Fine:
			fine = append(fine, title)
		case f.Remedy == "":
			t.Errorf("%q has no remedy", title)
		default:
			rest = append(rest, map[Level]string{Note: "! ", Problem: "✗ "}[f.Level]+title)
		}
	}
	return fine, rest
}

// Of a service with which all is well every question is answered, always in one order.
func TestDoctorOfAHealthyService(t *testing.T) {
	for range 5 {
		fine, rest := examine(t, well(), English, now)
		want := []string{
			"http://service answers", "the journal takes data", "the clocks agree", "counted: 10 chats, 9 searches, 11 model calls",
			"app sent data 3 s ago", "the searches tell their scores", "every token has a price", "the sink langsmith took 31 spans",
		}
		if diff := cmp.Diff(want, fine); diff != "" || len(rest) > 0 {
			t.Errorf("%v (-want +got):\n%s", rest, diff)
		}
	}
}

// Whatever is broken is found, with a remedy, and nothing else is.
func TestDoctorFindsEachThingThatIsBroken(t *testing.T) {
	for _, tt := range []struct {
		name, path, old, new  string
		off                   time.Duration
		english, inPortuguese string
	}{
		{"not ready", "/readyz", `{"status":"ready","reasons":[]`, `503 {"status":"not ready","reasons":["the disk is full"]`, 0, "✗ not ready: the disk is full", "✗ não está pronto"},
		{"in memory", "/readyz", `"notices":[]`, `"notices":["the data directory lies in memory"]`, 0, "! the data directory lies in memory", "! the data"},
		{"clocks", "", "", "", 2 * time.Minute, "✗ the clocks of this machine and of the service differ by 2 min", "✗ os relógios"},
		{"nothing comes", "/monitoring/metrics", `{"chat":{"total_requests":10},"rag":{"total_searches":9},"llm":{"total_calls":11}}`, "{}", 0, "✗ nothing was counted yet", "✗ nada foi contado"},
		{"no chats", "/monitoring/metrics", `"total_requests":10`, `"total_requests":0`, 0, "! model calls are counted, but no chat", "! chamadas de modelo são contadas"},
		{"no token", "/monitoring/metrics", `{"chat"`, `401 {"chat"`, 0, "✗ the numbers need a token", "✗ os números exigem"},
		{"the numbers fail", "/monitoring/metrics", `{"chat"`, `503 {"detail":"replaying","chat"`, 0, "✗ 503: replaying", "✗ 503"},
		{"a document fails", "/monitoring/models", `{"models"`, `503 {"detail":"no","models"`, 0, "✗ /monitoring/models: 503: no", "✗ /monitoring/models"},
		{"no price", "/monitoring/models", `"unpriced_tokens":0`, `"unpriced_tokens":5`, 0, "! no price is known for glm-4.7", "! não há preço"},
		{"no sink", "/monitoring/sinks", `{"name":"langsmith","state":"sending","sent_spans":31}`, "", 0, "! traces are forwarded to nobody", "! os traces não"},
		{"sink paused", "/monitoring/sinks", `"sending"`, `"paused","last_error":"401"`, 0, "✗ the sink langsmith is paused: 401", "✗ o destino langsmith está pausado"},
		{"sink behind", "/monitoring/sinks", `"sending"`, `"retrying","last_error":"refused","oldest_age_seconds":600`, 0, "✗ the sink langsmith is 10 min behind: refused", "✗ o destino langsmith está 10 min"},
		{"sink not reached", "/monitoring/sinks", `"sending","sent_spans":31`, `"retrying","last_error":"refused","oldest_age_seconds":6,"sent_spans":0`, 0, "✗ the sink langsmith has taken nothing yet: refused", "✗ o destino langsmith ainda não recebeu nada"},
		{"sink away", "/monitoring/sinks", `"sending"`, `"retrying","last_error":"refused","oldest_age_seconds":6`, 0, "! the sink langsmith is being tried again: refused", "! tenta-se de novo o destino langsmith"},
		{"sink stopped", "/monitoring/sinks", `"sending"`, `"stopped"`, 0, "✗ the sink langsmith is stopped", "✗ o destino langsmith está parado"},
		{"spans lost", "/monitoring/sinks", `"sent_spans":31`, `"sent_spans":31,"dead_lettered_spans":2,"expired_spans":1`, 0, "✗ the sink langsmith will not get 3 spans", "✗ o destino langsmith não receberá 3"},
		{"a rule fails", "/monitoring/alerts", `"instances":[]`, `"instances":[],"error":"no such series"`, 0, "✗ the alert error_rate cannot be evaluated: no such series", "✗ o alerta"},
		{"an alert fires", "/monitoring/alerts", `"instances":[]`, `"instances":[{"state":"firing"}]`, 0, "! an alert fires", "! há um alerta"},
		{"nobody is told", "/monitoring/alerts", `{"name":"team","state":"ok"},{"name":"mended","state":"ok","last_error":"no route"}`, "", 0, "! nobody is told of alerts", "! ninguém é avisado"},
		{"a receiver fails", "/monitoring/alerts", `"state":"ok"`, `"state":"retrying","last_error":"no route"`, 0, "✗ the receiver team could not be told: no route", "✗ o destinatário team"},
		{"silence", "/monitoring/health", `"last_seen_seconds":3`, `"last_seen_seconds":7200`, 0, "! app sent nothing for 2 h", "! app não envia nada há 2 h"},
		{"no scores", "/monitoring/health", `"searches_without_scores_ratio":0`, `"searches_without_scores_ratio":0.5`, 0, "! app: 50.0 % of the searches tell no scores", "! app: 50,0 % das buscas"},
		{"no usage", "/monitoring/health", `"streams_without_usage_ratio":0`, `"streams_without_usage_ratio":0.4`, 0, "! app: 40.0 % of the streams tell no usage", "! app: 40,0 % dos streams"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := well()
			if tt.path != "" {
				if s[tt.path] = strings.Replace(s[tt.path], tt.old, tt.new, 1); maps.Equal(s, well()) {
					t.Fatal("nothing is broken")
				}
			}
			for language, want := range map[Language]string{English: tt.english, Portuguese: tt.inPortuguese} {
				_, rest := examine(t, s, language, now.Add(tt.off))
				if len(rest) != 1 || !strings.HasPrefix(rest[0], want) {
					t.Errorf("%q, want %q", rest, want)
				}
			}
		})
	}
}
