package pricing

import (
	"fmt"
	"regexp"
	"strings"
)

// Clause is one rule on a name, in the words of genai-prices; exactly one field
// is set. Names and texts are compared without regard to case.
type Clause struct {
	Equals     string   `json:"equals,omitempty"`
	StartsWith string   `json:"starts_with,omitempty"`
	EndsWith   string   `json:"ends_with,omitempty"`
	Contains   string   `json:"contains,omitempty"`
	Regex      string   `json:"regex,omitempty"`
	Or         []Clause `json:"or,omitempty"`
	And        []Clause `json:"and,omitempty"`
}

// String gives the rule as the book writes it.
func (c *Clause) String() string {
	switch {
	case c.Equals != "":
		return "equals " + c.Equals
	case c.StartsWith != "":
		return "starts_with " + c.StartsWith
	case c.EndsWith != "":
		return "ends_with " + c.EndsWith
	case c.Contains != "":
		return "contains " + c.Contains
	case c.Regex != "":
		return "regex " + c.Regex
	case len(c.Or) > 0:
		return "(" + joined(c.Or, " or ") + ")"
	default:
		return "(" + joined(c.And, " and ") + ")"
	}
}

func joined(clauses []Clause, by string) string {
	texts := make([]string, len(clauses))
	for i := range clauses {
		texts[i] = clauses[i].String()
	}
	return strings.Join(texts, by)
}

// rule is a compiled clause.
type rule struct {
	clause  *Clause
	matches func(lower string) bool
}

func compile(c *Clause) (rule, error) {
	text := func(s string, matches func(s, text string) bool) rule {
		lower := strings.ToLower(s)
		return rule{c, func(name string) bool { return matches(name, lower) }}
	}
	switch {
	case c.Equals != "":
		return text(c.Equals, func(s, t string) bool { return s == t }), nil
	case c.StartsWith != "":
		return text(c.StartsWith, strings.HasPrefix), nil
	case c.EndsWith != "":
		return text(c.EndsWith, strings.HasSuffix), nil
	case c.Contains != "":
		return text(c.Contains, strings.Contains), nil
	case c.Regex != "":
		re, err := regexp.Compile("(?i:" + c.Regex + ")")
		if err != nil {
			return rule{}, err
		}
		return rule{c, re.MatchString}, nil
	}
	of, all := c.Or, false
	if len(of) == 0 {
		of, all = c.And, true
	}
	if len(of) == 0 {
		return rule{}, fmt.Errorf("a rule without any condition")
	}
	parts, err := compileAll(of)
	if err != nil {
		return rule{}, err
	}
	return rule{c, func(name string) bool {
		for i := range parts {
			if parts[i].matches(name) != all {
				return !all
			}
		}
		return all
	}}, nil
}

func compileAll(clauses []Clause) ([]rule, error) {
	made := make([]rule, len(clauses))
	for i := range clauses {
		var err error
		if made[i], err = compile(&clauses[i]); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// first gives the first rule that matches a name in lower case, nil if none does.
func first(rules []rule, lower string) *Clause {
	for i := range rules {
		if rules[i].matches(lower) {
			return rules[i].clause
		}
	}
	return nil
}
