package runs

import "testing"

func TestLinks(t *testing.T) {
	const tail = "/o/default/projects/p/my%20app/r/r1"
	for endpoint, want := range map[string]string{
		"": "https://smith.langchain.com",
		"https://api.smith.langchain.com/otel/v1/traces":    "https://smith.langchain.com",
		"https://eu.api.smith.langchain.com":                "https://eu.smith.langchain.com",
		"https://beacon.smith.langchain.com":                "https://beacon.smith.langchain.com",
		"http://langsmith.internal:1984/api/v1/otel/traces": "http://langsmith.internal:1984",
		"https://api.smith.langchain.com.example.com":       "https://api.smith.langchain.com.example.com",
		"https://user:secret@langsmith.internal":            "https://langsmith.internal",
		"%%":                                                "https://smith.langchain.com",
	} {
		if got := (Links{Endpoint: endpoint}).run("my app", "r1"); got != want+tail {
			t.Errorf("%s: %s", endpoint, got)
		}
	}
	if got := (Links{Project: "p"}).project("", ""); got != "p" {
		t.Errorf("project %s", got)
	}
	if got := (Links{}).project("", "told"); got != "told" {
		t.Errorf("project %s", got)
	}
	if got := (Links{}).project(""); got != "default" {
		t.Errorf("project %s", got)
	}
}
