package instrument

import (
	"fmt"
	"strconv"
	"strings"
)

// Reference gives the table as a Markdown document.
func Reference() string {
	var b strings.Builder
	b.WriteString("# Instruments\n")
	sections := []struct{ scope, title, text string }{
		{MeterScope, "What events record", "Scope `" + MeterScope + "`. Totals survive a restart."},
		{DerivedScope, "What follows from that", "Scope `" + DerivedScope + "`. Shown where there is anything to divide by."},
		{ProcessScope, "The process", "Scope `" + ProcessScope + "`. Totals begin at zero with every process."},
	}
	for _, section := range sections {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| instrument | kind, unit | attributes | what it measures |\n|---|---|---|---|\n", section.title, section.text)
		for _, def := range Table() {
			if def.Scope != section.scope {
				continue
			}
			attrs := "none"
			if len(def.Attributes) > 0 {
				attrs = "`" + strings.Join(def.Attributes, "`, `") + "`"
			}
			fmt.Fprintf(&b, "| `%s` | %s, %s | %s | %s%s |\n", def.Name, def.Kind, def.Unit, attrs, def.Description, boundsText(def.Bounds))
		}
	}
	return b.String()
}

func boundsText(bounds []float64) string {
	if len(bounds) == 0 {
		return ""
	}
	texts := make([]string, len(bounds))
	for i, bound := range bounds {
		texts[i] = strconv.FormatFloat(bound, 'f', -1, 64)
	}
	return " Bounds: " + strings.Join(texts, ", ") + "."
}
