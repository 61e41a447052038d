package api

import (
	"mime"
	"strconv"
	"strings"
)

// wantsExposition tells whether an Accept header is a scraper's: it names a
// format of an exposition, and JSON not at least as much. A bare text/plain is
// no scraper: axios and browsers send it too.
func wantsExposition(accept string) bool {
	if accept == "" || accept == "*/*" {
		return false
	}
	var exposition, json float64
	for part := range strings.SplitSeq(accept, ",") {
		media, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		q := 1.0
		if v, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(v, 64); err != nil {
				q = 0
			}
		}
		switch {
		case media == "application/json":
			json = max(json, q)
		case media == "application/openmetrics-text",
			media == "text/plain" && (params["version"] == "0.0.4" || params["version"] == "1.0.0"),
			media == "application/vnd.google.protobuf" && params["proto"] == "io.prometheus.client.MetricFamily":
			exposition = max(exposition, q)
		}
	}
	return exposition > json
}
