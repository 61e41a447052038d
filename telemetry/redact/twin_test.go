package redact

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The twin finds what the scanner finds by regular expressions, slowly: an expression
// for each form, tried at every place, and check digits by the rules' own words.

type form struct {
	kind  Kind
	re    *regexp.Regexp
	holds func(found string) bool
	// number forms stand free of digits and decimal points; worded ones may follow a letter.
	number, worded bool
}

const (
	twinSpace = `(?: |\x{a0}|\x{202f})`
	twinSep   = `(?:[ ./-]|\x{a0}|\x{202f}|\x{2011})`
	twinDash  = `(?:[ /-]|\x{a0}|\x{202f}|\x{2011})`
	twinLine  = `(?:-|\x{2011})`
	twinGap   = `(?:[ .()-]|\x{a0}|\x{202f}|\x{2011}|` + twinSpace + twinLine + `|` + twinLine + twinSpace + `|` + twinSpace + twinLine + twinSpace +
		`|[()]` + twinSpace + `|[()]` + twinLine + `|` + twinSpace + `[()])`
)

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// remainder is the check digit that the Receita computes: 11 minus the remainder, 0 from 10 on.
func remainder(s string, weights ...int) int {
	sum := 0
	for i, w := range weights {
		sum += (int(s[i]) - '0') * w
	}
	if d := 11 - sum%11; d < 10 {
		return d
	}
	return 0
}

func cpfHolds(s string) bool {
	d := digitsOf(s)
	return strings.Count(d, d[:1]) < 11 && remainder(d, 10, 9, 8, 7, 6, 5, 4, 3, 2) == int(d[9]-'0') &&
		remainder(d, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2) == int(d[10]-'0')
}

func cnpjHolds(s string) bool {
	d := strings.NewReplacer(".", "", "/", "", "-", "", " ", "", "\u00a0", "", "\u2011", "", "\u202f", "").Replace(s)
	return len(d) == 14 && strings.Count(d, d[:1]) < 14 && remainder(d, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2) == int(d[12]-'0') &&
		remainder(d, 6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2) == int(d[13]-'0')
}

func cardHolds(s string) bool {
	d := digitsOf(s)
	sum := 0
	for i := range d {
		v := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			v = v*2/10 + v*2%10
		}
		sum += v
	}
	return sum%10 == 0 && strings.Count(d, d[:1]) < len(d) && twinNetwork.MatchString(d)
}

var (
	twinNetwork = regexp.MustCompile(`^(4\d{15}|4\d{18}|5\d{15}|2[2-7]\d{14}|6\d{15,18}|3[47]\d{13}|3[05689]\d{12,17})$`)
	twinTrunk   = regexp.MustCompile(`(^|\D)0\d\d\D`)
)

func phoneHolds(s string) bool {
	d := digitsOf(s)
	if strings.HasPrefix(d, "55") && len(d) >= 12 {
		d = d[2:]
	}
	if twinTrunk.MatchString(s) {
		d = strings.TrimPrefix(d, "0")
	}
	code, err := strconv.Atoi(d[:2])
	return err == nil && areaCodes[code] && (len(d) == 11 && d[2] == '9' || len(d) == 10 && '2' <= d[2] && d[2] <= '5' || len(d) == 10 && strings.HasPrefix(s, "(") && d[2] >= '6')
}

func abroadHolds(s string) bool {
	n := len(digitsOf(s))
	return 8 <= n && n <= 15
}

var twinForms = []form{
	{CPF, regexp.MustCompile(`^(\d{11}|\d{3}` + twinSep + `\d{3}` + twinSep + `\d{3}` + twinDash + `\d{2}|\d{9}` + twinDash + `\d{2})`), cpfHolds, true, true},
	{CNPJ, regexp.MustCompile(`^(\d{14}|\d{2}` + twinSep + `\d{3}` + twinSep + `\d{3}` + twinSep + `\d{4}` + twinSep + `\d{2}|\d{8}` + twinSep + `\d{4}` + twinSep + `\d{2}|\d{12}` + twinSep + `\d{2})`), cnpjHolds, true, true},
	{Card, regexp.MustCompile(`^(\d{14,19}|\d{4}` + twinSep + `\d{4}` + twinSep + `\d{4}` + twinSep + `\d{4}|\d{4}` + twinSep + `\d{6}` + twinSep + `\d{5})`), cardHolds, true, false},
	{Card, regexp.MustCompile(`^(\d{4}` + twinSep + `\d{4}` + twinSep + `\d{4}` + twinSep + `\d{4}` + twinSep + `\d{3}|\d{4}` + twinSep + `\d{6}` + twinSep + `\d{4})`), cardHolds, true, false},
	{Phone, regexp.MustCompile(`^(55\d{11}|55\d{10}|\d{11}|(?:\(?55` + twinGap + `)?\(?(?:0\d{2}|\d{2})` + twinGap + `(?:\d{8,9}|\d{4,5}` + twinGap + `\d{4}|\d` + twinGap + `\d{4}` + twinGap + `?\d{4}))`), phoneHolds, true, false},
}

// The plus forms, by how many groups follow the first: the longest that holds counts.
func abroadForms() (list []form) {
	for n := range 8 {
		list = append(list, form{Phone, regexp.MustCompile(fmt.Sprintf(`^\+[1-9]\d*(?:%s\d+){%d}`, twinGap, n)), abroadHolds, true, true})
	}
	return list
}

var allForms = append(slices.Clone(twinForms), abroadForms()...)

// twin tells what starts at the first place of text[i:], the longest; last is where the
// match before ends.
func twin(text string, i, last int) (to int, kind Kind, ok bool) {
	for _, f := range allForms {
		m := f.re.FindString(text[i:])
		if m == "" {
			continue
		}
		end := i + len(m)
		if !f.holds(m) || end < len(text) && isDigit(text[end]) {
			continue
		}
		if i > 0 && (isDigit(text[i-1]) || text[i-1] == '.' && i > 1 && isDigit(text[i-2]) && last != i-1) {
			continue
		}
		if digitsOf(m) == m && end+1 < len(text) && text[end] == '.' && isDigit(text[end+1]) {
			continue
		}
		if !f.worded && (i > 0 && text[i] != '(' && wordy(text[i-1]) || end < len(text) && wordy(text[end])) {
			continue
		}
		if f.kind == Phone && end < len(text) && wordy(text[end]) {
			continue
		}
		if !ok || end > to {
			to, kind, ok = end, f.kind, true
		}
	}
	return to, kind, ok
}

func wordy(c byte) bool { return isLetter(c) || c == '_' }

// sample draws text of what numbers are made of, and of numbers that are valid.
func sample(r *rand.Rand) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	digits := func(n int) string {
		var b strings.Builder
		for range n {
			fmt.Fprint(&b, r.IntN(10))
		}
		return b.String()
	}
	sep := func() string { return pick(" ", ".", "-", "/", "\u00a0", "\u2011", "") }
	var b strings.Builder
	for range 1 + r.IntN(6) {
		switch r.IntN(12) {
		case 0:
			b.WriteString(pick(" ", "cpf ", "em ", ", ", "\n", "x", "é", ".", "-", "(", ") ", "+", "_", "válvula ", "/"))
		case 1:
			b.WriteString(digits(1 + r.IntN(20)))
		case 2, 3:
			s, t := sep(), sep()
			d := digits(9)
			d += fmt.Sprint(remainder(d, 10, 9, 8, 7, 6, 5, 4, 3, 2))
			d += fmt.Sprint(remainder(d, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2))
			b.WriteString(d[:3] + s + d[3:6] + s + d[6:9] + t + d[9:])
		case 4:
			d := digits(12)
			d += fmt.Sprint(remainder(d, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2))
			d += fmt.Sprint(remainder(d, 6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2))
			s := sep()
			b.WriteString(d[:2] + s + d[2:5] + s + d[5:8] + sep() + d[8:12] + sep() + d[12:])
		case 5, 6:
			b.WriteString(pick("+55 ", "55 ", "", "", "+55") + pick("(11) ", "11 ", "(011) ", "21", "(85)", "10 ") + pick("9", "9 ", "") + pick("1234", "3456") + sep() + digits(4))
		case 7:
			s := sep()
			b.WriteString(pick("4111", "5500", "6011", "2221", "9999") + s + digits(4) + s + digits(4) + s + digits(4))
		case 8:
			b.WriteString(pick("+1 ", "+44 ", "+351") + digits(3) + sep() + digits(3) + sep() + digits(4))
		default:
			b.WriteString(pick(" ", ", ", " e ", "; "))
		}
	}
	return b.String()
}

// TestTwin: of eight thousand texts the scanner finds numbers where the twin does.
func TestTwin(t *testing.T) {
	rules := Brazil()
	red := made(t, rules)
	s := scanner{r: red}
	r := rand.New(rand.NewPCG(1, 2))
	found := map[Kind]int{}
	for range 8_000 {
		text := sample(r)
		var want []string
		last := -1
		for i := 0; i < len(text); {
			if isDigit(text[i]) || text[i] == '+' || text[i] == '(' {
				if to, kind, ok := twin(text, i, last); ok {
					want = append(want, fmt.Sprint(kindNames[kind], " ", text[i:to]))
					i, last = to, to
					continue
				}
			}
			i++
		}
		var got []string
		for _, m := range s.scan([]byte(text)) {
			found[m.kind]++
			got = append(got, fmt.Sprint(kindNames[m.kind], " ", text[m.from:m.to]))
		}
		if !slices.Equal(want, got) {
			t.Fatalf("%q (-twin +scanner):\n%s", text, cmp.Diff(want, got))
		}
	}
	for _, k := range []Kind{CPF, CNPJ, Phone, Card} {
		if found[k] < 50 {
			t.Errorf("only %d of %s", found[k], kindNames[k])
		}
	}
}
