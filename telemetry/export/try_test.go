package export

import (
	"net/http"
	"strings"
	"testing"
)

func TestTry(t *testing.T) {
	l := newLangSmith(t, everything)
	d := Deps{Version: "1.2.3", Transport: l}
	c := Config{Name: "ls", Profile: "langsmith", Endpoint: "http://user:password@langsmith.test", APIKey: secret("lsv2_secret"), Project: "assistente"}
	answers, err := Try(t.Context(), c, d)
	if err != nil || len(answers) != 2 {
		t.Fatalf("%+v, %v", answers, err)
	}
	if a := answers[0]; !a.Taken || a.Said != "HTTP 200 OK" || a.Protocol != Protobuf || a.Endpoint != "http://langsmith.test/otel/v1/traces" || len(l.otlp) != 1 || len(l.otlp[0]) != 1 {
		t.Errorf("%+v, spans %v", a, l.otlp)
	}
	a := answers[1]
	run := l.runs[a.Trace]
	if !a.Taken || a.Said != "HTTP 202 Accepted" || a.Endpoint != "http://langsmith.test/runs/multipart" || run["name"] != TryName || run["session_name"] != "assistente" || run["end_time"] == nil {
		t.Errorf("%+v, run %v", a, run)
	}
	l.answer = func(*http.Request, []byte) int { return http.StatusForbidden }
	answers, err = Try(t.Context(), c, d)
	if err != nil || answers[0].Taken || answers[1].Taken || answers[0].Said != "HTTP 403 Forbidden: refused" {
		t.Errorf("%+v, %v", answers, err)
	}
	if _, err := Try(t.Context(), Config{Name: "x", Endpoint: "http://x", Protocol: "smtp"}, d); err == nil {
		t.Error("a configuration that does not validate was tried")
	}
}

func TestTryOtherProtocols(t *testing.T) {
	r, address := receive(t)
	answers, err := Try(t.Context(), Config{Name: "g", Protocol: GRPC, Endpoint: "http://" + address}, Deps{})
	if err != nil || len(answers) != 1 || !answers[0].Taken || answers[0].Said != "gRPC OK" || <-r.spans != 1 {
		t.Errorf("%+v, %v", answers, err)
	}
	s := &strict{t: t, check: func(r *http.Request, _ []byte) int { return http.StatusOK }}
	for _, protocol := range []string{Protobuf, JSON} {
		answers, err = Try(t.Context(), Config{Name: "o", Protocol: protocol, Endpoint: "http://o.test/v1/traces"}, Deps{Transport: s})
		if err != nil || len(answers) != 1 || !answers[0].Taken {
			t.Errorf("%+v, %v", answers, err)
		}
	}
	if len(s.taken) != 2 {
		t.Errorf("took %v", s.taken)
	}
	answers, err = Try(t.Context(), Config{Name: "n", Endpoint: "http://127.0.0.1:1/v1/traces"}, Deps{})
	if err != nil || answers[0].Taken || !strings.Contains(answers[0].Said, "refused") {
		t.Errorf("nobody there: %+v, %v", answers, err)
	}
}
