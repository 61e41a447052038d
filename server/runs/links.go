package runs

import (
	"encoding/hex"
	"net/url"
	"strings"
)

// Links says where runs are seen in LangSmith. The zero value is its US cloud.
type Links struct {
	// Endpoint is the API's address that traces are forwarded to, "" if they are not.
	Endpoint string
	// Project is where runs are that name none themselves; "default" when "".
	Project string
	// Real gives the ids by which LangSmith's pages are addressed for a project's
	// name; false while they are not known, and it must not wait for them. nil knows none.
	Real func(project string) (tenant, id string, ok bool)
}

const langSmithWeb = "https://smith.langchain.com"

// run gives the page of a run: docs/api.md, section 5.
func (l Links) run(project, run string) string {
	tenant, id := "default", project
	if l.Real != nil {
		if t, p, ok := l.Real(project); ok {
			tenant, id = t, p
		}
	}
	return l.web() + "/o/" + url.PathEscape(tenant) + "/projects/p/" + url.PathEscape(id) + "/r/" + url.PathEscape(run)
}

// web gives the host of the pages that belongs to the endpoint of the API: the
// clouds have one beside it, an installation of one's own has both on one host.
func (l Links) web() string {
	u, err := url.Parse(l.Endpoint)
	if err != nil || u.Host == "" {
		return langSmithWeb
	}
	host := strings.ToLower(u.Host)
	if strings.HasSuffix(host, ".smith.langchain.com") {
		region, isAPI := strings.CutSuffix(host, "api.smith.langchain.com")
		if !isAPI {
			return "https://" + host
		}
		return "https://" + region + "smith.langchain.com"
	}
	// Below the path that its API has in an installation there is its web.
	path := strings.TrimRight(u.Path, "/")
	for _, end := range []string{"/v1/traces", "/traces", "/otel", "/v1", "/api"} {
		path = strings.TrimSuffix(path, end)
	}
	return u.Scheme + "://" + u.Host + path
}

func (l Links) project(told ...string) string {
	for _, p := range append(told, l.Project, "default") {
		if p != "" {
			return p
		}
	}
	return ""
}

// runIDOf gives the id that LangSmith knows a span under which names none itself:
// the span id, right-aligned in a zero UUID.
func runIDOf(span [8]byte) string {
	h := hex.EncodeToString(span[:])
	return "00000000-0000-0000-" + h[:4] + "-" + h[4:]
}
