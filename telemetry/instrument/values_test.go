package instrument

import (
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"
)

func TestClean(t *testing.T) {
	long := strings.Repeat("x", maxValueBytes)
	for raw, want := range map[string]string{
		"":                                   "",
		" gpt-4o\n":                          "gpt-4o",
		"\t \n":                              "",
		long + "y":                           long,
		strings.Repeat(" ", 500) + "m":       "m",
		strings.Repeat("x", 127) + "é":       strings.Repeat("x", 127),
		strings.Repeat("x", 126) + "é" + "y": strings.Repeat("x", 126) + "é",
		"a\xffb":                             "a\uFFFDb",
		strings.Repeat("x", 120) + strings.Repeat(" ", 20) + "y": strings.Repeat("x", 120),
	} {
		if got := clean(raw); got != want {
			t.Errorf("clean(%q) = %q, want %q", raw, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"", " a ", "\xff\xfe", strings.Repeat("\xc3", 300), strings.Repeat("é", 200), "\u00a0x\u2003"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got := clean(raw)
		if len(got) > maxValueBytes || !utf8.ValidString(got) || strings.TrimSpace(got) != got {
			t.Errorf("clean(%q) = %q", raw, got)
		}
		if again := clean(got); again != got {
			t.Errorf("clean(%q) = %q, cleaned again %q", raw, got, again)
		}
	})
}

func TestValuesAreBounded(t *testing.T) {
	v := newValues(AttrProvider, 2)
	record := "groq and the rest of a large record"
	groq, _ := v.id(record[:4])
	if unsafe.StringData(v.names[groq]) == unsafe.StringData(record) {
		t.Error("an admitted value holds on to the record it came in")
	}
	if again, folded := v.id(" groq "); again != groq || folded {
		t.Errorf("a value with spaces around it is another: %d, %v", again, folded)
	}
	v.id("openai")
	if id, folded := v.id("zhipu"); id != otherID || !folded {
		t.Errorf("a third value got id %d, folded %v", id, folded)
	}
	if id, folded := v.id(Other); id != otherID || folded {
		t.Errorf("a caller's own %q got id %d, folded %v", Other, id, folded)
	}
	if id, folded := v.id(" "); id != absent || folded {
		t.Errorf("a blank value got id %d, folded %v", id, folded)
	}
	if again, _ := v.id("groq"); again != groq {
		t.Errorf("an admitted value changed its id from %d to %d", groq, again)
	}
}
