package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Origin is where a setting's value came from. The zero value is the default.
type Origin struct {
	// Name is the flag with its dashes, the environment variable or the file's path.
	Name string
	// Line is the file's line from 1; 0 where there is none.
	Line int
}

// String gives "--flag", "VARIABLE", "path:line" or "default".
func (o Origin) String() string {
	switch {
	case o.Name == "":
		return "default"
	case o.Line > 0:
		return fmt.Sprintf("%s:%d", o.Name, o.Line)
	default:
		return o.Name
	}
}

// Problem is one thing wrong with the settings.
type Problem struct {
	Origin Origin
	// Key is the file's key, "" for the file as a whole.
	Key    string
	Reason string
}

// String gives origin, key and reason; never the value of a secret.
func (p Problem) String() string {
	s := p.Reason
	if p.Key != "" {
		s = p.Key + ": " + s
	}
	if p.Origin.Name != "" {
		s = p.Origin.String() + ": " + s
	}
	return s
}

// Problems are all that is wrong, so that a person can mend it in one go.
type Problems []Problem

// Error gives one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Origin.Name, b.Origin.Name), cmp.Compare(a.Origin.Line, b.Origin.Line))
	})
	return ps
}
