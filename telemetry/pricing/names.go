package pricing

import "strings"

// spellings gives the names to look for, the one as told first, then without what
// paths, dates and tags add to it. All are in lower case.
func spellings(model string) []string {
	name := strings.ToLower(strings.TrimSpace(model))
	if name == "" {
		return nil
	}
	found := []string{name}
	add := func(s string) {
		if s != "" && s != found[len(found)-1] {
			found = append(found, s)
		}
	}
	// models/gemini-2.0-flash, publishers/google/models/…, projects/…/models/….
	if at := strings.LastIndex("/"+name, "/models/"); at >= 0 {
		add(name[at+len("models/"):])
	}
	// arn:aws:bedrock:…:inference-profile/us.anthropic.….
	if strings.HasPrefix(name, "arn:") {
		add(baseName(name))
	}
	for _, s := range found {
		if undated := withoutDate(s); undated != s {
			add(undated)
		}
	}
	return found
}

// baseName is what follows the last slash.
func baseName(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// withoutDate cuts -2024-08-06, -20250929, @20250929, -latest, @latest and @default
// off a name's end.
func withoutDate(name string) string {
	for _, tag := range [...]string{"-latest", "@latest", "@default"} {
		if s, ok := strings.CutSuffix(name, tag); ok {
			return s
		}
	}
	for _, form := range [...]string{"-dddd-dd-dd", "-dddddddd", "@dddddddd"} {
		if n := len(name) - len(form); n > 0 && fits(name[n:], form) {
			return name[:n]
		}
	}
	return name
}

// fits tells whether a text has the form, where d stands for a digit.
func fits(text, form string) bool {
	for i := range len(form) {
		if form[i] == 'd' {
			if text[i] < '0' || text[i] > '9' {
				return false
			}
		} else if text[i] != form[i] {
			return false
		}
	}
	return true
}
