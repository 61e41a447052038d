package terminal

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Clean gives a text that a terminal shows and does not obey: control and format
// characters (escape sequences, overrides of direction) become a replacement
// character, line ends and tabs a space.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', r == '\r':
			return ' '
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r):
			return '\ufffd'
		}
		return r
	}, s)
}

// columns is how many columns a clean text takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += columnsOf(r)
	}
	return n
}

func columnsOf(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// fit cuts or fills a clean text to exactly n columns, on the left side if right.
func fit(s string, n int, right bool) string {
	if columns(s) > n {
		s = cut(s, n)
	}
	space := strings.Repeat(" ", max(0, n-columns(s)))
	if right {
		return space + s
	}
	return s + space
}

// cut shortens a text to at most n columns and says so with an ellipsis.
func cut(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	used := 0
	for i, r := range s {
		w := columnsOf(r)
		if used+w > n-1 {
			return s[:i] + "…"
		}
		used += w
	}
	return s
}

// Style says what a text is, for terminals with colours.
type Style string

// The styles.
const (
	Plain  Style = ""
	Strong Style = "1"
	Dim    Style = "2"
	Good   Style = "32"
	Warn   Style = "33"
	Bad    Style = "31"
)

// Screen is what is written to.
type Screen struct {
	// Columns is the width; 0 is 80.
	Columns int
	// Whole leaves lines as long as they are where each is a record: a program reads
	// them, not a person.
	Whole bool
	// Rows is the height where pictures follow each other; 0 is no limit.
	Rows int
	// Colours allows colours.
	Colours bool
	// Language of the texts.
	Language Language
}

func (s Screen) columns() int {
	if s.Columns <= 0 {
		return 80
	}
	return s.Columns
}

// paint puts a clean text into a style.
func (s Screen) paint(style Style, text string) string {
	if !s.Colours || style == Plain || text == "" {
		return text
	}
	return "\x1b[" + string(style) + "m" + text + "\x1b[0m"
}

// cell is a text of a table with its style.
type cell struct {
	text  string
	style Style
}

func plain(s string) cell { return cell{text: s} }

// legible is how much of a name is left where others want its room.
const legible = 9

// table lays rows out under a heading. The first column that may shrink gives what
// is too wide; numbers stand right.
func (s Screen) table(heading []string, numbers []bool, rows [][]cell, indent int) string {
	widths := make([]int, len(heading))
	for i, h := range heading {
		widths[i] = columns(h)
		for _, row := range rows {
			widths[i] = max(widths[i], columns(row[i].text))
		}
	}
	room := s.columns() - indent - 2*(len(widths)-1)
	for sum(widths) > room {
		widest := 0
		for i, w := range widths {
			if !numbers[i] && (numbers[widest] || w > widths[widest]) {
				widest = i
			}
		}
		if widths[widest] <= legible {
			break
		}
		widths[widest] = max(legible, widths[widest]-(sum(widths)-room))
	}
	// What does not fit even so gives its last columns, since broken lines cannot be read.
	for sum(widths) > room && len(widths) > 2 {
		widths, room = widths[:len(widths)-1], room+2
	}
	var b strings.Builder
	line := func(cells []cell) {
		cells = cells[:len(widths)]
		b.WriteString(strings.Repeat(" ", indent))
		for i, c := range cells {
			if i > 0 {
				b.WriteString("  ")
			}
			text := fit(c.text, widths[i], numbers[i])
			if i == len(cells)-1 {
				text = strings.TrimRight(text, " ")
			}
			b.WriteString(s.paint(c.style, text))
		}
		b.WriteString("\n")
	}
	head := make([]cell, len(heading))
	for i, h := range heading {
		head[i] = cell{h, Dim}
	}
	line(head)
	for _, row := range rows {
		line(row)
	}
	return b.String()
}

func sum(numbers []int) (n int) {
	for _, v := range numbers {
		n += v
	}
	return n
}
