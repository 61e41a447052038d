package langsmith

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// AppendSound appends, of a body that Read refuses, what Read takes of it: without the
// parts of a multipart body, or the objects of a batch, that are bad. A run whose
// field is bad stays without the field. NaN and the infinities, which Python's and
// some JavaScript SDKs write into what they call JSON, become null, as these SDKs
// themselves write them elsewhere. refused is the number of parts or objects left out,
// fault what Read says of the first of them, nil if there is none. Where nothing can be
// taken, or the body as a whole is broken, it appends nothing and gives Read's error.
func AppendSound(dst, body []byte) (sound []byte, refused int, fault error) {
	if bytes.HasPrefix(body, []byte("--")) {
		return soundMultipart(dst, body)
	}
	return soundBatch(dst, body)
}

func soundMultipart(dst, body []byte) (sound []byte, refused int, fault error) {
	line, _, _ := bytes.Cut(body, []byte("\r\n"))
	f := newForm(checkJSON)
	sound = dst
	without := map[string]bool{} // runs that were refused, as names of parts
	err := eachPart(body, func(p part) error {
		op, rest, _ := strings.Cut(p.name, ".")
		id, _, _ := strings.Cut(rest, ".")
		if op != "attachment" {
			p.content = finite(p.content)
		} else if _, there := f.attachments[id]; !there && (without["post."+id] || without["patch."+id]) {
			refused++
			return nil
		}
		if err := f.take(p); err != nil {
			refused++
			without[p.name] = true
			if fault == nil {
				fault = err
			}
			return nil
		}
		sound = append(append(sound, line...), "\r\n"...)
		sound = append(append(sound, p.header...), "\r\n\r\n"...)
		sound = append(append(sound, p.content...), "\r\n"...)
		return nil
	})
	if err != nil {
		return dst, 0, err
	}
	if f.request.Items() == 0 {
		return dst, 0, fault
	}
	return append(append(sound, line...), "--\r\n"...), refused, fault
}

func soundBatch(dst, body []byte) (sound []byte, refused int, fault error) {
	body = finite(body)
	if _, err := readBatch(body, checkJSON); err == nil {
		return append(dst, body...), 0, nil
	}
	if err := checkJSON(body); err != nil {
		_, err = readBatch(body, checkJSON)
		return dst, 0, err
	}
	b, id, err := splitBatch(body)
	if err != nil {
		return dst, 0, err
	}
	var kept batch
	_ = b.each(id, func(object json.RawMessage, patch bool, _ Op, err error) error {
		switch {
		case err != nil:
			refused++
			if fault == nil {
				fault = err
			}
		case patch:
			kept.Patch = append(kept.Patch, object)
		default:
			kept.Post = append(kept.Post, object)
		}
		return nil
	})
	if len(kept.Post)+len(kept.Patch) == 0 {
		return dst, 0, fault
	}
	sound = append(dst, `{"post":[`...)
	sound = append(append(sound, bytes.Join(raw(kept.Post), []byte{','})...), `],"patch":[`...)
	return append(append(sound, bytes.Join(raw(kept.Patch), []byte{','})...), `]}`...), refused, fault
}

func raw(objects []json.RawMessage) [][]byte {
	list := make([][]byte, len(objects))
	for i, o := range objects {
		list[i] = o
	}
	return list
}

// notFinite are the words that are no JSON, the longest first of those that begin alike.
var notFinite = [...]string{"-Infinity", "Infinity", "NaN"}

// finite gives JSON with null in place of numbers that are none; b itself where there
// are none. What stands in texts stays.
func finite(b []byte) []byte {
	if !slices.ContainsFunc(notFinite[1:], func(word string) bool { return bytes.Contains(b, []byte(word)) }) {
		return b
	}
	var out []byte
	from := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = textEnd(b, i)
		case '-', 'I', 'N':
			for _, word := range notFinite {
				if bytes.HasPrefix(b[i:], []byte(word)) {
					out = append(append(out, b[from:i]...), "null"...)
					from = i + len(word)
					i = from - 1
					break
				}
			}
		}
	}
	if from == 0 {
		return b
	}
	return append(out, b[from:]...)
}
