package langsmith

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const (
	soundA = "01a205b0-1000-708a-bded-4459b039fe0e"
	soundB = "01a205b0-114e-7b62-95fd-14395b4fb57f"
)

func soundForm(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "--b\r\nContent-Disposition: form-data; name=%q\r\nContent-Type: application/json\r\n\r\n%s\r\n", pairs[i], pairs[i+1])
	}
	return b.String() + "--b--\r\n"
}

// Of a body that is refused, all stays but the parts that are bad.
func TestAppendSound(t *testing.T) {
	whole := func(id string) string { return `{"id":"` + id + `"}` }
	const judged = `{"run_id":"` + soundA + `","key":"k"}`
	for name, one := range map[string]struct {
		body, sound string
		refused     int
	}{
		"a field": {
			soundForm("post."+soundA, "{}", "post."+soundA+".outputs", "[Unserializable]", "post."+soundA+".inputs", "{}"),
			soundForm("post."+soundA, "{}", "post."+soundA+".inputs", "{}"), 1,
		},
		"a judgement": {
			soundForm("feedback."+soundB, `{"key":""}`, "feedback."+soundA, judged, "post."+soundA, "{}"),
			soundForm("feedback."+soundA, judged, "post."+soundA, "{}"), 1,
		},
		"a run, its fields and its file": {
			soundForm("post."+soundA, "{", "post."+soundA+".inputs", "{}", "attachment."+soundA+".f", "x", "patch."+soundB, "{}", "attachment."+soundB+".f", "NaN"),
			soundForm("patch."+soundB, "{}", "attachment."+soundB+".f", "NaN"), 3,
		},
		"the beginning alone": {
			soundForm("post."+soundA, "{", "patch."+soundA, "{}", "attachment."+soundA+".f", "x"),
			soundForm("patch."+soundA, "{}", "attachment."+soundA+".f", "x"), 1,
		},
		"numbers that are none": {
			soundForm("post."+soundA, `{"name":"NaN \" NaN","extra":[NaN,-Infinity, Infinity,-1]}`),
			soundForm("post."+soundA, `{"name":"NaN \" NaN","extra":[null,null, null,-1]}`), 0,
		},
		"a batch": {
			`{"post":[` + whole(soundA) + `,{"name":"n"}],"patch":[` + whole(soundB) + `,{"id":"x"}]}`,
			`{"post":[` + whole(soundA) + `],"patch":[` + whole(soundB) + `]}`, 2,
		},
		"a batch of such numbers": {`{"post":[{"id":"` + soundA + `","inputs":{"a":NaN}}]}`, `{"post":[{"id":"` + soundA + `","inputs":{"a":null}}]}`, 0},
		"one change":              {`{"id":"` + soundA + `","patch":[{"outputs":{"a":NaN}}]}`, `{"id":"` + soundA + `","patch":[{"outputs":{"a":null}}]}`, 0},
	} {
		sound, refused, fault := AppendSound([]byte("in front"), []byte(one.body))
		if diff := cmp.Diff("in front"+one.sound, string(sound)); diff != "" || refused != one.refused || (fault != nil) != (refused > 0) {
			t.Errorf("%s: %d refused, %v (-want +got):\n%s", name, refused, fault, diff)
		}
	}
	for _, bad := range []string{
		"", "--b", "[]", "7", "{", `{"post":[{"name":"n"}]}`, `{"post":[NaN,{]}`, soundForm("post."+soundA, "{"), soundForm("outputs", "{}"),
		soundForm("attachment."+soundA+".f", "x"), strings.TrimSuffix(soundForm("post."+soundA, "{}"), "--b--\r\n"), `{"id":"` + soundA + `","patch":[7]}`,
	} {
		if sound, refused, _ := AppendSound(nil, []byte(bad)); len(sound) > 0 || refused > strings.Count(bad, "name=")+1 {
			t.Errorf("%q: %q", bad, sound)
		}
	}
}

// Whatever comes, what is called sound is taken by Read.
func TestSoundIsTaken(t *testing.T) {
	names := []string{"post." + soundA, "patch." + soundA, "post." + soundB, "post." + soundA + ".inputs", "post." + soundB + ".error", "feedback." + soundA, "attachment." + soundA + ".f", "x", "post.x", "post." + soundA + ".z"}
	contents := []string{"{}", "{", `{"a":NaN}`, "NaN", `"`, `{"id":"` + soundB + `"}`, `{"run_id":"` + soundA + `","key":"k"}`, "", `"a\"NaN"`, "-Infinity", "-"}
	rapid.Check(t, func(t *rapid.T) {
		var body string
		if rapid.Bool().Draw(t, "multipart") {
			var pairs []string
			for range rapid.IntRange(0, 8).Draw(t, "parts") {
				pairs = append(pairs, rapid.SampledFrom(names).Draw(t, "name"), rapid.SampledFrom(contents).Draw(t, "content"))
			}
			body = soundForm(pairs...)
		} else {
			objects := rapid.SliceOfN(rapid.SampledFrom(contents), 0, 4)
			body = `{"post":[` + strings.Join(objects.Draw(t, "posts"), ",") + `],"patch":[` + strings.Join(objects.Draw(t, "patches"), ",") + `]}`
		}
		before, wrong := Read([]byte(body))
		sound, refused, _ := AppendSound(nil, []byte(body))
		if len(sound) == 0 {
			return
		}
		after, err := Read(sound)
		if err != nil {
			t.Fatalf("%q became %q: %v", body, sound, err)
		}
		if wrong == nil && (string(sound) != body || refused > 0 || after.Items() != before.Items()) {
			t.Fatalf("%q became %q, although it is sound", body, sound)
		}
	})
}
