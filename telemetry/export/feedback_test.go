package export

import (
	"strings"
	"testing"

	"treq/telemetry"
)

func TestFeedbackTargetFollowsProfileEndpointAndSetting(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		words  Feedback
		base   string
	}{
		{"a profile's words, the cloud", Config{Profile: "langsmith", Endpoint: "https://api.smith.langchain.com"}, FeedbackLangSmith, "https://api.smith.langchain.com"},
		{"an installation of one's own", Config{Profile: "langsmith", Endpoint: "https://ls.example/api/v1/otel/v1/traces"}, FeedbackLangSmith, "https://ls.example/api/v1"},
		{"Langfuse by its address", Config{Endpoint: "https://cloud.langfuse.com/api/public/otel/v1/traces"}, FeedbackLangfuse, "https://cloud.langfuse.com"},
		{"Phoenix by the setting", Config{Endpoint: "http://phoenix:6006/v1/traces", Feedback: FeedbackPhoenix}, FeedbackPhoenix, "http://phoenix:6006"},
		{"any other", Config{Endpoint: "http://collector:4318/v1/traces"}, "", ""},
		{"off", Config{Profile: "langsmith", Endpoint: "https://api.smith.langchain.com", Feedback: FeedbackOff}, "", ""},
		{"on, where it is the default", Config{Profile: "langsmith", Endpoint: "https://api.smith.langchain.com", Feedback: FeedbackOn}, FeedbackLangSmith, "https://api.smith.langchain.com"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.config.Name = "sink"
			if err := c.config.Validate(); err != nil {
				t.Fatal(err)
			}
			target, ok := c.config.FeedbackTarget()
			if ok != (c.words != "") || target.Words != c.words || target.Base != c.base {
				t.Errorf("%v %+v", ok, target)
			}
		})
	}
}

func TestFeedbackTargetCarriesTheKeys(t *testing.T) {
	target, _ := Config{
		Name: "s", Profile: "langsmith", Endpoint: "https://user:word@ls.example", APIKey: telemetry.NewSecret("key"), Tenant: "w",
		Headers: map[string]telemetry.Secret{"X-Extra": telemetry.NewSecret("more")},
	}.FeedbackTarget()
	got := map[string]string{}
	for name, value := range target.Headers {
		got[name] = value.Reveal()
	}
	if got["x-api-key"] != "key" || got["X-Extra"] != "more" || got["Authorization"] != "Basic dXNlcjp3b3Jk" || target.Tenant != "w" ||
		target.Base != "https://ls.example" {
		t.Errorf("%+v %v", target, got)
	}
}

func TestFeedbackSettingIsChecked(t *testing.T) {
	for setting, want := range map[Feedback]string{
		"maybe":    `sinks.s.feedback: "maybe" is not known`,
		FeedbackOn: "sinks.s.feedback: profile otlp does not say how judgements are told",
	} {
		err := Config{Name: "s", Endpoint: "http://collector:4318/v1/traces", Feedback: setting}.Validate()
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", setting, err)
		}
	}
}
