package runs

import "testing"

func TestLinks(t *testing.T) {
	const tail = "/o/default/projects/p/my%20app/r/r1"
	for endpoint, want := range map[string]string{
		"": "https://smith.langchain.com",
		"https://api.smith.langchain.com/otel/v1/traces":         "https://smith.langchain.com",
		"https://eu.api.smith.langchain.com":                     "https://eu.smith.langchain.com",
		"https://beacon.smith.langchain.com":                     "https://beacon.smith.langchain.com",
		"http://langsmith.internal:1984/api/v1/otel/traces":      "http://langsmith.internal:1984",
		"https://api.smith.langchain.com.example.com":            "https://api.smith.langchain.com.example.com",
		"https://user:secret@langsmith.internal":                 "https://langsmith.internal",
		"https://tools.internal/langsmith/api/v1/otel/v1/traces": "https://tools.internal/langsmith",
		"http://localhost:1984/otel/v1/traces":                   "http://localhost:1984",
		"%%":                                                     "https://smith.langchain.com",
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
	real := Links{Real: func(project string) (string, string, bool) { return "t1", "id of " + project, project == "known" }}
	if got, want := real.run("known", "r1"), "https://smith.langchain.com/o/t1/projects/p/id%20of%20known/r/r1"; got != want {
		t.Errorf("a known project's page is %s, not %s", got, want)
	}
	if got, want := real.run("other", "r1"), "https://smith.langchain.com/o/default/projects/p/other/r/r1"; got != want {
		t.Errorf("another project's page is %s, not %s", got, want)
	}
}
