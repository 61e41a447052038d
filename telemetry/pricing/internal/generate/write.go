package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// bookModel is one line of the book.
type bookModel struct {
	ID      string           `json:"id"`
	Aliases []string         `json:"aliases,omitempty"`
	Match   []clause         `json:"match,omitempty"`
	Prices  []map[string]any `json:"prices"`
}

func write(to io.Writer, date, source string, providers []slimProvider) error {
	out := bufio.NewWriter(to)
	fmt.Fprintf(out, "{\n\"date\": %q,\n\"source\": %q,\n\"providers\": [", date, source)
	for i := range providers {
		p := &providers[i]
		if i > 0 {
			fmt.Fprint(out, ",")
		}
		fmt.Fprintf(out, "\n{\"id\": %q", p.ID)
		field(out, "match", alternatives(p.ProviderMatch))
		field(out, "makes", alternatives(p.ModelMatch))
		if len(p.Fallback) > 0 {
			field(out, "fallback", p.Fallback)
		}
		fmt.Fprint(out, ", \"models\": [")
		taken := map[string]string{}
		for _, m := range p.Models {
			taken[strings.ToLower(m.ID)] = m.ID
		}
		// The order stays the source's, which is sorted: the first match wins.
		for j := range p.Models {
			line, err := modelLine(&p.Models[j], taken)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", p.ID, p.Models[j].ID, err)
			}
			if j > 0 {
				fmt.Fprint(out, ",")
			}
			fmt.Fprintf(out, "\n%s", line)
		}
		fmt.Fprint(out, "\n]}")
	}
	fmt.Fprint(out, "\n]}\n")
	return out.Flush()
}

func field[T any](out io.Writer, name string, value []T) {
	if len(value) == 0 {
		return
	}
	fmt.Fprintf(out, ", %q: %s", name, compact(value))
}

// compact is JSON in one line that leaves <, > and & as they are.
func compact(value any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // maps, strings and numbers always encode
	}
	return bytes.TrimSpace(b.Bytes())
}

// alternatives are the clauses any of which may hold.
func alternatives(c *clause) []clause {
	switch {
	case c == nil:
		return nil
	case len(c.Or) > 0:
		return c.Or
	}
	return []clause{*c}
}

func modelLine(m *slimModel, taken map[string]string) ([]byte, error) {
	line := bookModel{ID: m.ID}
	for _, c := range alternatives(&m.Match) {
		name := strings.ToLower(c.Equals)
		switch {
		case name == "":
			line.Match = append(line.Match, c)
		case taken[name] == "":
			// Names are compared without case: one spelling is enough.
			taken[name] = m.ID
			line.Aliases = append(line.Aliases, name)
		}
	}
	slices.Sort(line.Aliases)
	for i := range m.Prices {
		price, err := conditional(&m.Prices[i])
		if err != nil {
			return nil, err
		}
		line.Prices = append(line.Prices, price)
	}
	return compact(line), nil
}

// conditional gives one set of prices with its condition and its steps.
func conditional(c *slimConditional) (map[string]any, error) {
	price := map[string]any{}
	if c.Constraint.StartDate != "" {
		price["from"] = c.Constraint.StartDate
	}
	if c.Constraint.StartTime != "" {
		price["daily"] = clock(c.Constraint.StartTime) + "-" + clock(c.Constraint.EndTime)
	}
	steps := map[int64]map[string]any{}
	for _, k := range kinds {
		from, told := c.Prices[k.from]
		if !told {
			continue
		}
		base, err := decimal(from.Base, k.factor)
		if err != nil {
			return nil, err
		}
		price[k.to] = base
		for _, tier := range from.Tiers {
			if steps[tier.Start] == nil {
				steps[tier.Start] = map[string]any{"tokens": tier.Start}
			}
			if steps[tier.Start][k.to], err = decimal(tier.Price, k.factor); err != nil {
				return nil, err
			}
		}
	}
	if len(steps) > 0 {
		price["above"] = slices.SortedFunc(maps.Values(steps), func(a, b map[string]any) int {
			return cmp.Compare(a["tokens"].(int64), b["tokens"].(int64))
		})
	}
	return price, nil
}

// clock shortens 00:30:00Z to 00:30.
func clock(text string) string { return strings.TrimSuffix(strings.TrimSuffix(text, "Z"), ":00") }
