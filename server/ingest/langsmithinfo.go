package ingest

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"treq/server/access"
	"treq/server/fault"
	"treq/telemetry"
	"treq/telemetry/langsmith"
)

// protocolVersion is the version of LangSmith whose run protocol is spoken: from
// 0.8.10 on, Python's SDK sends judgements in the stream of runs.
const protocolVersion = "0.17.12"

// batchBytes is the size of a request that SDKs are asked for, LangSmith's own.
const batchBytes = 20 << 20

// info is what SDKs ask once, before they send. All fields are there: Python's SDK
// ends its sending at one that is missing.
type info struct {
	Version           string          `json:"version"`
	LicenseExpiration *string         `json:"license_expiration_time"`
	Flags             map[string]bool `json:"instance_flags"`
	Batch             map[string]any  `json:"batch_ingest_config"`
}

// info answers GET /info, to everybody: it says nothing of what is here.
func (i *Ingest) info(w http.ResponseWriter, r *http.Request) error {
	if err := onlyGet(r); err != nil {
		return err
	}
	return answerJSON(w, info{
		Version: protocolVersion,
		Flags: map[string]bool{
			"zstd_compression_enabled": true, "gzip_body_enabled": true,
			"dataset_examples_multipart_enabled": false, "ch_query_enabled": false,
		},
		Batch: map[string]any{
			"use_multipart_endpoint": true, "size_limit": 100, "size_limit_bytes": min(batchBytes, i.max.Load()),
			"scale_up_qsize_trigger": 1000, "scale_up_nthreads_limit": 16, "scale_down_nempty_trigger": 4,
		},
	})
}

// session is a project as the SDKs' helpers for links read it.
type session struct {
	ID        string  `json:"id"`
	TenantID  string  `json:"tenant_id"`
	Name      string  `json:"name"`
	StartTime string  `json:"start_time"`
	EndTime   *string `json:"end_time"`
	Extra     *string `json:"extra"`
	Reference *string `json:"reference_dataset_id"`
}

// tenant names the one workspace there is.
var tenant = uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:treq:workspace"))

// sessions answers GET /sessions with the project that is asked for by name, the
// default one without. Projects are names here, so each that is asked for is there,
// under an id that follows from the name.
func (i *Ingest) sessions(w http.ResponseWriter, r *http.Request, q *request) (err error) {
	if err := onlyGet(r); err != nil {
		return err
	}
	if q.scope, err = i.tokens.Authorize(access.Ingest, r.Header); err != nil {
		return err
	}
	query := r.URL.Query()
	name := query.Get("name")
	if name == "" {
		name = langsmith.DefaultProject
	}
	if len(name) > maxRoute {
		return telemetry.Errorf(telemetry.Unprocessable, "the name of a project may have %d bytes", maxRoute)
	}
	list := []session{}
	if offset, _ := strconv.Atoi(query.Get("offset")); offset <= 0 {
		list = append(list, session{
			ID: uuid.NewSHA1(tenant, []byte(name)).String(), TenantID: tenant.String(), Name: name, StartTime: "1970-01-01T00:00:00",
		})
	}
	return answerJSON(w, list)
}

// page answers GET /api/v2/runs/{id}/url, which the SDKs' helper for links asks where
// they don't make the link themselves, with the run's page on the dashboard here. A
// run need not be there yet: SDKs ask as soon as they have sent it.
func (i *Ingest) page(w http.ResponseWriter, r *http.Request, q *request, run string) (err error) {
	if err := onlyGet(r); err != nil {
		return err
	}
	if q.scope, err = i.tokens.Authorize(access.Ingest, r.Header); err != nil {
		return err
	}
	id, err := langsmith.ParseID(run)
	if err != nil {
		return err
	}
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return answerJSON(w, map[string]string{"url": scheme + "://" + r.Host + "/#/runs/" + id.String()})
}

func onlyGet(r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return &fault.MethodError{Allow: "GET, HEAD"}
	}
	return nil
}

func answerJSON(w http.ResponseWriter, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, body)
	return nil
}

func answer(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = typeJSON
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away will send the request again
}
