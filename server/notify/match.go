package notify

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"treq/server/alerting"
	"treq/telemetry"
)

// Match names labels and what they must be: the text itself, or, behind "~", a
// regular expression that must match the whole. "rule" and "severity" are the
// alert's, whatever its labels are. An empty Match takes every alert.
type Match map[string]string

// matcher is a Match that was compiled.
type matcher []matchOne

type matchOne struct {
	label, text string
	pattern     *regexp.Regexp // nil where the text is meant
}

// compile gives an error of kind Unprocessable for an expression that is none.
func (m Match) compile() (matcher, error) {
	var out matcher
	for _, label := range slices.Sorted(maps.Keys(m)) {
		one := matchOne{label: label, text: m[label]}
		if expression, ok := strings.CutPrefix(one.text, "~"); ok {
			pattern, err := regexp.Compile("^(?:" + expression + ")$")
			if err != nil {
				return nil, telemetry.Errorf(telemetry.Unprocessable, "%s: %q is no regular expression", label, expression)
			}
			one.pattern = pattern
		}
		out = append(out, one)
	}
	return out, nil
}

func (m matcher) takes(a *alerting.Alert) bool {
	for _, one := range m {
		value := labelOf(a, one.label)
		if one.pattern != nil && !one.pattern.MatchString(value) || one.pattern == nil && value != one.text {
			return false
		}
	}
	return true
}

// labelOf gives a label, or what every alert has under that name.
func labelOf(a *alerting.Alert, label string) string {
	switch label {
	case "rule":
		return a.Rule
	case "severity":
		return string(a.Severity)
	}
	return a.Labels[label]
}

// rank orders severities; one that is not known is as urgent as a warning.
func rank(s alerting.Severity) int {
	switch s {
	case alerting.Info:
		return 0
	case alerting.Critical:
		return 2
	}
	return 1
}
