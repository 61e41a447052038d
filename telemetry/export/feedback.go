package export

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"

	"treq/telemetry"
)

// Feedback says whether a sink is told of judgements of runs, and in which words.
type Feedback string

// The values of Feedback. The zero value is FeedbackOn for a profile that takes
// judgements, or an endpoint that can be nobody else's, and FeedbackOff for any other.
const (
	// FeedbackOn tells the sink in its profile's words.
	FeedbackOn Feedback = "on"
	// FeedbackOff does not tell it.
	FeedbackOff Feedback = "off"
	// FeedbackLangSmith, FeedbackLangfuse and FeedbackPhoenix name the words, for a
	// sink whose profile does not.
	FeedbackLangSmith Feedback = "langsmith"
	FeedbackLangfuse  Feedback = "langfuse"
	FeedbackPhoenix   Feedback = "phoenix"
)

var feedbackWords = []Feedback{FeedbackLangSmith, FeedbackLangfuse, FeedbackPhoenix}

// langfusePath is in every address at which Langfuse takes traces.
const langfusePath = "/api/public/otel"

// FeedbackTarget is where a sink takes judgements.
type FeedbackTarget struct {
	// Words is FeedbackLangSmith, FeedbackLangfuse or FeedbackPhoenix.
	Words Feedback
	// Base is the address of the backend's API, without a slash at the end.
	Base string
	// Headers are sent with every request, the key's among them.
	Headers map[string]telemetry.Secret
	// Tenant is the workspace, "" if not told.
	Tenant string
	// Timeout bounds one request.
	Timeout time.Duration
}

// words gives in which words a sink is told, FeedbackOff if it is not, and false
// where it was to be told and nobody knows how.
func (c Config) words() (Feedback, bool) {
	if slices.Contains(feedbackWords, c.Feedback) || c.Feedback == FeedbackOff {
		return c.Feedback, true
	}
	if w := Feedback(c.profileName()); slices.Contains(feedbackWords, w) && c.Protocol != GRPC {
		return w, true
	}
	if u, err := c.target(); err == nil && strings.Contains(u.Path, langfusePath) {
		return FeedbackLangfuse, true
	}
	return FeedbackOff, c.Feedback != FeedbackOn
}

// validateFeedback names what is wrong with Config.Feedback.
func (c Config) validateFeedback(at func(key, format string, args ...any)) {
	switch known := slices.Contains(feedbackWords, c.Feedback); {
	case c.Feedback == "" || c.Feedback == FeedbackOff || known:
	case c.Feedback != FeedbackOn:
		at("feedback", `%q is not known; known are on, off, langsmith, langfuse and phoenix`, string(c.Feedback))
	default:
		if _, ok := c.words(); !ok {
			at("feedback", "profile %s does not say how judgements are told; say langsmith, langfuse or phoenix", c.profileName())
		}
	}
}

// FeedbackTarget gives where the sink takes judgements; false if it is not told of
// them. The configuration is a usable one.
func (c Config) FeedbackTarget() (FeedbackTarget, bool) {
	c = c.WithDefaults()
	words, _ := c.words()
	u, err := c.target()
	if words == FeedbackOff || err != nil {
		return FeedbackTarget{}, false
	}
	t := FeedbackTarget{Words: words, Timeout: c.Timeout, Headers: make(map[string]telemetry.Secret, len(c.Headers)+1)}
	if user := u.User; user != nil {
		password, _ := user.Password()
		basic := base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password))
		t.Headers["Authorization"] = telemetry.NewSecret("Basic " + basic)
	}
	for name, value := range c.Headers {
		t.Headers[name] = value
	}
	if p := profiles[c.Profile]; p.keyHeader != "" && !c.APIKey.IsZero() {
		t.Headers[p.keyHeader] = telemetry.NewSecret(p.keyValue(c.APIKey.Reveal()))
	}
	if words == FeedbackLangSmith {
		t.Tenant = c.Tenant
	}
	t.Base = words.base(u)
	return t, true
}

// base takes from the address for traces what its backend adds to that of its API.
func (f Feedback) base(u *url.URL) string {
	path := u.Path
	switch f {
	case FeedbackLangfuse:
		if at := strings.Index(path, langfusePath); at >= 0 {
			path = path[:at]
		}
	case FeedbackLangSmith:
		path = strings.TrimSuffix(path, "/v1/traces")
		path = strings.TrimSuffix(path, "/otel")
	case FeedbackPhoenix:
		path = strings.TrimSuffix(strings.TrimRight(path, "/"), "/v1/traces")
	}
	return u.Scheme + "://" + u.Host + strings.TrimRight(path, "/")
}
