package semconv

import "regexp"

// Family is one line of the table of model families: models whose name matches
// Pattern, a regular expression without regard to case, are of family Name.
type Family struct {
	Name    string
	Pattern string
}

// DefaultFamilies gives the families of docs/semantics.md, section 6: the first match wins.
func DefaultFamilies() []Family {
	return []Family{
		{Name: "8b", Pattern: "8b|instant"},
		{Name: "70b", Pattern: "70b"},
		{Name: "glm4", Pattern: "glm"},
	}
}

// OtherFamily is the family of a model that no line of the table matches.
const OtherFamily = "other"

// Families is a compiled table. It is safe for concurrent use and holds no state.
type Families struct {
	names    []string
	patterns []*regexp.Regexp
}

// NewFamilies compiles a table; an empty one puts every model into OtherFamily.
// The error names the line whose pattern does not compile.
func NewFamilies(table []Family) (*Families, error) {
	f := new(Families)
	for _, line := range table {
		re, err := regexp.Compile("(?i:" + line.Pattern + ")")
		if err != nil {
			return nil, &FamilyError{Family: line, Err: err}
		}
		f.names = append(f.names, line.Name)
		f.patterns = append(f.patterns, re)
	}
	return f, nil
}

// FamilyError is a line of the table whose pattern does not compile.
type FamilyError struct {
	Family Family
	Err    error
}

// Error names the family and the fault.
func (e *FamilyError) Error() string {
	return "model family " + e.Family.Name + ": " + e.Err.Error()
}

// Unwrap gives the fault of the pattern.
func (e *FamilyError) Unwrap() error { return e.Err }

// Of gives the family of a model's raw name: the first line that matches, else
// OtherFamily. It costs a regular expression or three: callers cache by model.
func (f *Families) Of(model string) string {
	for i, re := range f.patterns {
		if re.MatchString(model) {
			return f.names[i]
		}
	}
	return OtherFamily
}
