package promapi_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"treq/server/history"
	"treq/server/promapi"
)

// Errors have Prometheus's kinds, statuses and words.
func TestErrors(t *testing.T) {
	address := serve(t, promapi.Options{Store: filled(t, history.Options{MaxSamples: 50})})
	for path, want := range map[string]string{
		"query":                       `400 {"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": unknown position: parse error: no expression found in input"}`,
		"query?query=sum(":            `400 {"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:5: parse error: unclosed left parenthesis"}`,
		"query?query=up&time=x":       `400 {"status":"error","errorType":"bad_data","error":"invalid parameter \"time\": invalid time value for 'time': cannot parse \"x\" to a valid timestamp"}`,
		"query?query=up&timeout=x":    `400 {"status":"error","errorType":"bad_data","error":"invalid parameter \"timeout\": cannot parse \"x\" to a valid duration"}`,
		"query?query=up&timeout=1e-9": `503 {"status":"error","errorType":"timeout"`,
		"query?query=up&limit=-1":     `400 {"status":"error","errorType":"bad_data","error":"invalid parameter \"limit\": limit must be non-negative"}`,
		"query?query=label_replace(up,%22a%22,%22b%22,%22c%22,%22(%22)": `422 {"status":"error","errorType":"execution","error":"invalid regular expression in label_replace()`,
		"query?query=chats_total[10m]%2bup":                             `400 {"status":"error","errorType":"bad_data"`,
		"query?query=chats_total[1h]&time=1767615000":                   `422 {"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}`,
		"query_range?query=up":                                          `400 {"status":"error","errorType":"bad_data","error":"invalid parameter \"start\": cannot parse \"\" to a valid timestamp"}`,
		"query_range?query=up&start=2&end=1&step=1":                     `400 {"status":"error","errorType":"bad_data","error":"invalid parameter \"end\": end timestamp must not be before start time"}`,
		"query_range?query=up&start=1&end=2&step=0":                     `400 {"status":"error","errorType":"bad_data","error":"invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer"}`,
		"query_range?query=up&start=0&end=11001&step=1":                 `400 {"status":"error","errorType":"bad_data","error":"exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"}`,
		"series":                            `400 {"status":"error","errorType":"bad_data","error":"no match[] parameter provided"}`,
		"series?match[]={}":                 `400 {"status":"error","errorType":"bad_data","error":"invalid parameter \"match[]\": match[] must contain at least one non-empty matcher"}`,
		"label/%20/values?match[]=x%20y":    `400 {"status":"error","errorType":"bad_data"`,
		"metadata?limit=x":                  `400 {"status":"error","errorType":"bad_data","error":"limit must be a number"}`,
		"rules?type=x":                      `400 {"status":"error","errorType":"bad_data","error":"invalid parameter \"type\": not supported value \"x\""}`,
		"targets":                           `404 {"status":"error","errorType":"not_found"`,
		"admin/tsdb/snapshot":               `404 {"status":"error","errorType":"not_found"`,
		"format_query?query=sum(up)by(job)": `200 {"status":"success","data":"sum by (job) (up)"}`,
		"query?query=vector(1e-7)&time=1.5": `200 {"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1.500,"1e-07"]}]}}`,
		"query?query=%22a%22&time=1":        `200 {"status":"success","data":{"resultType":"string","result":[1,"a"]}}`,
		"query?query=-0.5&time=-1.25":       `200 {"status":"success","data":{"resultType":"scalar","result":[-1.250,"-0.5"]}}`,
	} {
		if got := get(t, address+"/api/v1/"+path); !strings.HasPrefix(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", path, got, want)
		}
	}
}

func get(t *testing.T, address string) string {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	return text(t, resp)
}

func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if kind := resp.Header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("%s has type %q", resp.Request.URL, kind)
	}
	return resp.Status[:4] + string(body)
}

// A form says the same as a query; one without end is refused.
func TestForms(t *testing.T) {
	address := serve(t, promapi.Options{Store: filled(t, history.Options{})}) + "/api/v1/query"
	resp, err := http.PostForm(address, url.Values{"query": {"count(up)"}, "time": {"1767615000"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(t, resp), `200 {"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1767615000,"1"]}]}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if resp, err = http.PostForm(address, url.Values{"query": {strings.Repeat("x", 2<<20)}}); err != nil {
		t.Fatal(err)
	}
	if got := text(t, resp); !strings.HasPrefix(got, `400 {"status":"error","errorType":"bad_data"`) {
		t.Errorf("got %.100s", got)
	}
}

// Until the totals are those of now, nothing is answered but who this is.
func TestNotReady(t *testing.T) {
	address := serve(t, promapi.Options{Store: filled(t, history.Options{}), Ready: func() error { return errors.New("the journal is replayed") }}) + "/api/v1/"
	if got, want := get(t, address+"query?query=up"), `503 {"status":"error","errorType":"unavailable","error":"the journal is replayed"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := get(t, address+"status/buildinfo"); !strings.HasPrefix(got, "200 ") {
		t.Errorf("got %s", got)
	}
}

// A remote server that is gone, or sends elsewhere, is named; the caller's
// credentials stay here.
func TestRemoteTroubles(t *testing.T) {
	store := filled(t, history.Options{Remote: history.RemoteOptions{URL: "http://127.0.0.1:1"}})
	address := serve(t, promapi.Options{Store: store}) + "/api/v1/query?query=up"
	if got := get(t, address); !strings.HasPrefix(got, `503 {"status":"error","errorType":"unavailable","error":"the remote history cannot be reached`) {
		t.Errorf("got %s", got)
	}
	if _, err := store.Query(t.Context(), "up", end); err == nil {
		t.Error("a query of our own was answered")
	}
}
