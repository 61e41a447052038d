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
}

const langSmithWeb = "https://smith.langchain.com"

// run gives the page of a run: docs/api.md, section 5.
func (l Links) run(project, run string) string {
	return l.web() + "/o/default/projects/p/" + url.PathEscape(project) + "/r/" + url.PathEscape(run)
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
	return u.Scheme + "://" + u.Host
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
