package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"treq/server/alerting"
	"treq/telemetry"
)

// credentials are how we show who we are.
type credentials struct {
	token   secret
	headers map[string]telemetry.Secret
}

// header gives the headers of a request, and what of them is secret.
func (c credentials) header() (http.Header, []string, error) {
	h, secrets := http.Header{}, []string{}
	token, err := c.token.reveal()
	if err != nil {
		return nil, nil, err
	}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
		secrets = append(secrets, token)
	}
	for name, value := range c.headers {
		h.Set(name, value.Reveal())
		secrets = append(secrets, value.Reveal())
		secrets = append(secrets, strings.Fields(value.Reveal())...)
	}
	return h, secrets, nil
}

// The headers of a webhook. The signature is "t=SECONDS,v1=HEX": the moment of
// sending, and the HMAC-SHA256 with the receiver's secret of SECONDS, a full stop
// and the body.
const (
	SignatureHeader   = "Treq-Signature"
	IdempotencyHeader = "Idempotency-Key"
)

// Sign gives the value of SignatureHeader.
func Sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	sum := hmac.New(sha256.New, []byte(secret))
	sum.Write([]byte(t + "."))
	sum.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(sum.Sum(nil))
}

// webhook posts the JSON of Alertmanager's webhooks, version 4.
type webhook struct {
	post        poster
	style       style
	credentials credentials
	secret      secret
}

func (webhook) most() int { return 200 }

type webhookMessage struct {
	Version           string            `json:"version"`
	GroupKey          string            `json:"groupKey"`
	TruncatedAlerts   int               `json:"truncatedAlerts"`
	Status            alerting.State    `json:"status"`
	Receiver          string            `json:"receiver"`
	GroupLabels       map[string]string `json:"groupLabels"`
	CommonLabels      map[string]string `json:"commonLabels"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
	ExternalURL       string            `json:"externalURL"`
	Alerts            []webhookAlert    `json:"alerts"`
}

type webhookAlert struct {
	Status       alerting.State    `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"` // the year 1 while it fires
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
}

func (w webhook) send(ctx context.Context, m *message) (string, error) {
	out := webhookMessage{
		Version: "4", GroupKey: "{}:{" + strings.TrimSuffix(strings.ReplaceAll(m.group, "\x00", ","), ",") + "}", Status: m.state(), Receiver: m.receiver,
		GroupLabels: m.groupLabels(), ExternalURL: w.style.external,
	}
	var labels, annotations []map[string]string
	for i := range m.notices {
		n := &m.notices[i]
		a := webhookAlert{
			Status: n.State, Labels: labelsOf(n), Annotations: annotationsOf(n, w.style, m.sample),
			StartsAt: n.StartsAt.UTC(), EndsAt: n.EndsAt.UTC(), GeneratorURL: w.style.link(&n.Alert), Fingerprint: n.Fingerprint,
		}
		if n.State == alerting.Firing {
			a.EndsAt = time.Time{}
		}
		out.Alerts = append(out.Alerts, a)
		labels, annotations = append(labels, a.Labels), append(annotations, a.Annotations)
	}
	out.CommonLabels, out.CommonAnnotations = common(labels), common(annotations)
	body, err := toJSON(out)
	if err != nil {
		return "", err
	}
	header, secrets, err := w.credentials.header()
	if err != nil {
		return "", err
	}
	key, err := w.secret.reveal()
	if err != nil {
		return "", err
	}
	if key != "" {
		header.Set(SignatureHeader, Sign(key, time.Now(), body))
		secrets = append(secrets, key)
	}
	header.Set(IdempotencyHeader, m.key)
	return w.post.post(ctx, call{header: header, body: body, secrets: secrets})
}

// labelsOf gives an alert's labels, with those that every receiver of Alertmanager's
// forms relies on.
func labelsOf(n *notice) map[string]string {
	out := maps.Clone(n.Labels)
	if out == nil {
		out = map[string]string{}
	}
	if out["alertname"] == "" {
		out["alertname"] = n.Rule
	}
	if out["severity"] == "" && n.Severity != "" {
		out["severity"] = string(n.Severity)
	}
	return out
}

func annotationsOf(n *notice, s style, sample bool) map[string]string {
	text := n.Text(s.language)
	out := map[string]string{"summary": text.Summary}
	if text.Description != "" {
		out["description"] = text.Description
	}
	if n.State == alerting.Firing && !sample {
		out["value"] = strconv.FormatFloat(n.Value, 'g', -1, 64)
	}
	return out
}

// resendEvery is how often an Alertmanager hears of what fires. It takes an alert
// for over when it has not heard of it for keepFor, so that it notices when this
// process is gone.
const (
	resendEvery = time.Minute
	keepFor     = 4 * resendEvery
)

// alertmanager posts to an Alertmanager's API, version 2.
type alertmanager struct {
	post        poster
	style       style
	credentials credentials
}

func (alertmanager) most() int { return 1000 }

type postableAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

func (a alertmanager) send(ctx context.Context, m *message) (string, error) {
	var out []postableAlert
	for i := range m.notices {
		n := &m.notices[i]
		p := postableAlert{
			Labels: labelsOf(n), Annotations: annotationsOf(n, a.style, m.sample),
			StartsAt: n.StartsAt.UTC(), EndsAt: n.EndsAt.UTC(), GeneratorURL: a.style.link(&n.Alert),
		}
		if n.State == alerting.Firing {
			p.EndsAt = m.now.Add(keepFor).UTC()
		}
		out = append(out, p)
	}
	body, err := toJSON(out)
	if err != nil {
		return "", err
	}
	header, secrets, err := a.credentials.header()
	if err != nil {
		return "", err
	}
	return a.post.post(ctx, call{path: "/api/v2/alerts", header: header, body: body, secrets: secrets})
}
