package cases

import (
	"bytes"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"treq/telemetry"
	"treq/telemetry/redact"
)

// TestRedactionKeepsNumbers: what clients were recorded to send counts the same when
// personal numbers were taken out of it, and when all content was.
func TestRedactionKeepsNumbers(t *testing.T) {
	rules := map[string]redact.Rules{"br": redact.Brazil(), "none": {Content: redact.NoContent}, "both": redact.Brazil()}
	both := rules["both"]
	both.Content = redact.NoContent
	rules["both"] = both
	for name, rules := range rules {
		rules.Key = telemetry.NewSecret("a key of the tests")
		r, err := redact.New(rules)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			rewritten := 0
			for _, c := range told(t) {
				before := play(t, &c)
				for i, request := range c.Requests {
					out, err := r.Traces(request)
					if err != nil {
						t.Fatal(err)
					}
					if again, err := r.Traces(out); err != nil || !bytes.Equal(again, out) {
						t.Errorf("%s: redacted twice, request %d is another: %v", c.Name, i, err)
					}
					if !bytes.Equal(out, request) {
						rewritten++
					}
					c.Requests[i] = out
				}
				after := play(t, &c)
				if diff := difference(before.Truth, after.Truth); diff != "" {
					t.Errorf("%s counts otherwise:\n%s", c.Name, diff)
				}
				if diff := gocmp.Diff(before.tally(), after.tally()); diff != "" {
					t.Errorf("%s adds up otherwise:\n%s", c.Name, diff)
				}
				if diff := gocmp.Diff(before.dispositions, after.dispositions); diff != "" {
					t.Errorf("%s has its spans count for something else:\n%s", c.Name, diff)
				}
			}
			if name != "br" && rewritten == 0 {
				t.Error("no content was taken away")
			}
			t.Logf("%d requests were rewritten", rewritten)
		})
	}
}
