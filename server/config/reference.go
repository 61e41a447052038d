package config

import (
	"fmt"
	"io"
	"strings"
)

// WriteReference writes the table of all settings as Markdown, for
// docs/configuration.md.
func WriteReference(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| key in the file | flag | environment | default | what |\n|---|---|---|---|---|\n")
	for _, s := range settings {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n",
			s.Key, code("--", s.Flag), variables(s), code("", s.Default()), strings.NewReplacer("`", "", "|", `\|`).Replace(s.Usage))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func code(prefix, text string) string {
	if text == "" {
		return ""
	}
	return "`" + prefix + text + "`"
}

func variables(s Setting) string {
	if s.Alias == "" {
		return code("", s.Env())
	}
	return code("", s.Env()) + ", " + code("", s.Alias)
}
