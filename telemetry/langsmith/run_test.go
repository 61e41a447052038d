package langsmith

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMoments(t *testing.T) {
	for text, want := range map[string]string{
		`"2026-11-22T23:55:54.240094+00:00"`: "2026-11-22T23:55:54.240094Z",
		`"2026-11-22T20:55:54.240094-03:00"`: "2026-11-22T23:55:54.240094Z",
		`"2026-11-22T23:55:54.240094"`:       "2026-11-22T23:55:54.240094Z",
		`"2026-11-22T23:55:54"`:              "2026-11-22T23:55:54Z",
		`"2026-11-22 23:55:54.5"`:            "2026-11-22T23:55:54.5Z",
		`"2026-11-22 23:55:54.5Z"`:           "2026-11-22T23:55:54.5Z",
		`1795391944869`:                      "2026-11-22T23:59:04.869Z",
		`1795391944869.25`:                   "2026-11-22T23:59:04.86925Z",
		`1795391944869123456789`:             "",
		`-1`:                                 "",
		`"soon"`:                             "",
		`"0001-01-01T00:00:00Z"`:             "",
		`true`:                               "",
		`null`:                               "",
		``:                                   "",
	} {
		got := ""
		if n := moment([]byte(text)); n != 0 {
			got = time.Unix(0, n).UTC().Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}

func TestDottedOrders(t *testing.T) {
	const segment = "20261122T235554240094Z"
	o := readOrder(segment + one + "." + "20261122T235555000001Z" + two)
	if o.root.String() != one || o.parent.String() != one || o.self.String() != two ||
		time.Unix(0, o.start).UTC().Format(time.RFC3339Nano) != "2026-11-22T23:55:55.000001Z" {
		t.Errorf("%+v", o)
	}
	for _, bad := range []string{"", "x", segment, segment + "x", segment + one + ".", "." + segment + one, strings.Repeat(segment+one+".", 3000)} {
		if o := readOrder(bad); o != (order{}) {
			t.Errorf("%.80q: %+v", bad, o)
		}
	}
	if o := readOrder("when" + one); o.self.String() != one || o.start != 0 {
		t.Errorf("%+v", o)
	}
}

func TestIDs(t *testing.T) {
	want := ID{0x01, 0xa2, 0x05, 0xb0, 0x10, 0x00, 0x70, 0x8a, 0xbd, 0xed, 0x44, 0x59, 0xb0, 0x39, 0xfe, 0x0e}
	for _, text := range []string{one, strings.ToUpper(one), strings.ReplaceAll(one, "-", "")} {
		if got, err := ParseID(text); err != nil || got != want || got.String() != one {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "x", one[1:], one + "0", strings.Replace(one, "a", "g", 1), "00000000-0000-0000-0000-000000000000", strings.Repeat("-", 40) + one} {
		if got, err := ParseID(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// Which of two that tell a field is believed.
func TestMerging(t *testing.T) {
	const id = `"id":"` + one + `"`
	post := func(fields string) string { return `{"post":[{` + id + `,` + fields + `}]}` }
	patch := func(fields string) string { return `{"patch":[{` + id + `,` + fields + `}]}` }
	for name, c := range map[string]struct {
		ops                          []string
		name, inputs, outputs, extra string
	}{
		"a change goes before the beginning": {[]string{post(`"name":"a","inputs":{"x":1}`), patch(`"name":"b","inputs":{"x":2}`)}, "b", `{"x":2}`, "", ""},
		"also where it came first":           {[]string{patch(`"name":"b","inputs":{"x":2}`), post(`"name":"a","inputs":{"x":1}`)}, "b", `{"x":2}`, "", ""},
		"null says nothing":                  {[]string{post(`"name":"a","inputs":{"x":1}`), patch(`"name":null,"inputs":null`)}, "a", `{"x":1}`, "", ""},
		"an empty object says nothing":       {[]string{post(`"outputs":{},"inputs":{"x":1}`), patch(`"outputs":{"y":1},"inputs":{}`)}, "", `{"x":1}`, `{"y":1}`, ""},
		"an empty object is one at first":    {[]string{post(`"outputs":{}`)}, "", "", `{}`, ""},
		"a later change goes before":         {[]string{patch(`"outputs":{"y":1}`), patch(`"outputs":{"y":2}`)}, "", "", `{"y":2}`, ""},
		"metadata are joined": {
			[]string{post(`"extra":{"metadata":{"a":1,"b":1},"runtime":{"sdk":"s"}}`), patch(`"extra":{"metadata":{"b":2}}`)},
			"", "", "", `{"metadata":{"a":1,"b":2},"runtime":{"sdk":"s"}}`,
		},
		"metadata are joined the other way": {
			[]string{patch(`"extra":{"metadata":{"b":2}}`), post(`"extra":{"metadata":{"a":1,"b":1},"runtime":{"sdk":"s"}}`)},
			"", "", "", `{"metadata":{"a":1,"b":2},"runtime":{"sdk":"s"}}`,
		},
	} {
		var bodies [][]byte
		for _, op := range c.ops {
			bodies = append(bodies, []byte(op))
		}
		r := merged(t, bodies...)[0]
		got := []string{r.Name, string(r.inputs), string(r.outputs), string(r.extra)}
		if diff := cmp.Diff([]string{c.name, c.inputs, c.outputs, c.extra}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A run that does not name trace and parent has them from its dotted order, and a
// start too.
func TestPlaceFromDottedOrder(t *testing.T) {
	r := merged(t, []byte(`{"patch":[{"id":"`+two+`","dotted_order":"20261122T235554240094Z`+one+`.20261122T235555000001Z`+two+`","end_time":"2026-11-22T23:55:56Z"}]}`))[0]
	if r.Trace.String() != one || r.Parent.String() != one || r.Start == 0 || r.Posted || !r.Ended() {
		t.Errorf("%+v", r)
	}
	// An order that ends with another run is another's.
	r = merged(t, []byte(`{"post":[{"id":"`+two+`","dotted_order":"20261122T235554240094Z`+one+`"}]}`))[0]
	if r.Trace != (ID{}) || r.Start != 0 || r.Order != "" {
		t.Errorf("%+v", r)
	}
}

func TestAttachmentsAreNotOfTheSpan(t *testing.T) {
	body := "--b\r\nContent-Disposition: form-data; name=\"post." + one + "\"\r\n\r\n{}\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"attachment." + one + ".photo.png\"\r\nContent-Type: image/png; length=3\r\n\r\n\x00\r\n\r\n--b--\r\n"
	request, err := Read([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := []Attachment{{Name: "photo.png", Type: "image/png", Bytes: 3}}
	if diff := cmp.Diff(want, request.Ops[0].attachments); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFeedback(t *testing.T) {
	j, err := ReadFeedback([]byte(`{"id":"` + two + `","run_id":"` + one + `","trace_id":"` + one + `","key":"user-score","score":true,
		"comment":"Resposta certa.","created_at":"2026-11-22T23:55:56Z","feedback_source":{"type":"model"},"correction":null}`))
	if err != nil || j.ID != two || j.RunID != one || !j.Scored || j.Score != 1 || j.Comment != "Resposta certa." || j.Source != "model" ||
		j.Time.Format(time.RFC3339) != "2026-11-22T23:55:56Z" ||
		string(j.Told) != `{"created_at":"2026-11-22T23:55:56Z","feedback_source":{"type":"model"},"score":true,"trace_id":"`+one+`"}` {
		t.Errorf("%+v %s, %v", j, j.Told, err)
	}
	j, err = ReadFeedback([]byte(`{"trace_id":"` + one + `","key":"k","score":0.25,"value":"x"}`))
	if err != nil || j.RunID != one || j.Score != 0.25 || j.Source != "api" || j.Value != "x" || j.ID == "" || !j.Time.IsZero() {
		t.Errorf("%+v, %v", j, err)
	}
	for _, bad := range []string{``, `[]`, `{}`, `{"run_id":"` + one + `"}`, `{"run_id":"x","key":"k"}`, `{"run_id":"` + one + `","key":7}`, `{"id":"7","run_id":"` + one + `","key":"k"}`} {
		if j, err := ReadFeedback([]byte(bad)); err == nil {
			t.Errorf("%s: %+v", bad, j)
		}
	}
}

// FuzzRead: whatever comes is read or refused, what is read becomes a span that
// scans, and a run that is kept is the same afterwards.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"post":[{` + head + `}],"patch":[{"id":"` + one + `","outputs":{}}]}`))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"post." + one + "\"\r\nContent-Type: application/json\r\n\r\n{" + head + "}\r\n--b--\r\n"))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"feedback." + one + "\"\r\n\r\n{\"run_id\":\"" + one + "\",\"key\":\"k\"}\r\n--b--"))
	f.Fuzz(func(t *testing.T, body []byte) {
		request, err := Read(body)
		if err != nil {
			return
		}
		var r Run
		for i := range request.Ops {
			r.Merge(&request.Ops[i])
		}
		if len(request.Ops) == 0 {
			return
		}
		r.Trace = r.ID
		if id := r.ID.SpanID(); id != ([8]byte{}) {
			written(t, r.Span(id, r.Parent.SpanID(), ""))
		}
		data, _ := r.AppendBinary(nil)
		var again Run
		if _, err := again.ReadBinary(data); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, again, cmp.AllowUnexported(Run{})); diff != "" {
			t.Fatalf("(-was +is):\n%s", diff)
		}
	})
}
