package instrument

import "strings"

// Family is one row of a family table: a model whose name contains one of
// Contains, without regard to case, is of the family Name.
type Family struct {
	Name     string
	Contains []string
}

// DefaultFamilies is the guide's table: "8b" or "instant", then "70b", then
// "glm" (docs/semantics.md, section 6).
func DefaultFamilies() []Family {
	return []Family{
		{Name: "8b", Contains: []string{"8b", "instant"}},
		{Name: "70b", Contains: []string{"70b"}},
		{Name: "glm4", Contains: []string{"glm"}},
	}
}

// FamilyOf gives the function that decides by the table; the first row that
// matches wins, a model that matches none is of the family [Other], no model of
// none ("").
func FamilyOf(table []Family) func(model string) string {
	rows := make([]Family, 0, len(table))
	for _, row := range table {
		lowered := make([]string, len(row.Contains))
		for i, part := range row.Contains {
			lowered[i] = strings.ToLower(part)
		}
		rows = append(rows, Family{Name: row.Name, Contains: lowered})
	}
	return func(model string) string {
		if model == "" {
			return ""
		}
		model = strings.ToLower(model)
		for _, row := range rows {
			for _, part := range row.Contains {
				if strings.Contains(model, part) {
					return row.Name
				}
			}
		}
		return Other
	}
}
