package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"treq/telemetry/otlp"
	"treq/test/recorded"
)

// recording is a case before it is on disk.
type recording struct {
	recorded.Description
	sent []kept
}

func describe(p plan, l *ledger, sent []kept) (*recording, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open != nil {
		return nil, fmt.Errorf("the client left a chat open")
	}
	if len(l.script) > 0 {
		return nil, fmt.Errorf("%d scripted replies were never asked for", len(l.script))
	}
	if len(l.versions) == 0 {
		return nil, fmt.Errorf("the client told no versions")
	}
	for _, i := range p.TTFT {
		if i >= len(l.truth.Calls) {
			return nil, fmt.Errorf("ttft names call %d of %d", i, len(l.truth.Calls))
		}
		l.truth.Calls[i].TTFTKnown = true
	}
	return &recording{recorded.Description{
		Client: strings.Join(append([]string{p.Client, p.Program}, p.Args...), " "),
		About:  p.About, Versions: l.versions, Settings: p.Settings, Truth: l.truth, Untold: p.Untold,
	}, sent}, nil
}

// write replaces the directory of the case and gives its size in bytes.
func (c *recording) write(dir string, machine paths) (size int, err error) {
	if err := os.RemoveAll(dir); err != nil {
		return 0, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	save := func(name string, text []byte) {
		size += len(text)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o644)
		}
	}
	for i, k := range c.sent {
		sent := k.sent
		if sent.IsNative() {
			sent.File = fmt.Sprintf("request-%02d.txt", i+1)
			save(sent.File, machine.hideInPlace(k.body))
		} else {
			sent.File = fmt.Sprintf("request-%02d.json", i+1)
			text, jsonErr := readable(k.body)
			if jsonErr != nil {
				return size, fmt.Errorf("request %d: %w", i+1, jsonErr)
			}
			save(sent.File, machine.hide(text))
		}
		c.Sent = append(c.Sent, sent)
	}
	text, jsonErr := pretty(c.Description)
	if jsonErr != nil {
		return size, jsonErr
	}
	save("case.json", text)
	return size, err
}

// readable turns an OTLP request into indented OTLP/JSON, and makes sure that
// nothing is lost on the way back.
func readable(body []byte) ([]byte, error) {
	request := ptraceotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return nil, err
	}
	traces := request.Traces()
	text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
	if err != nil {
		return nil, err
	}
	back, err := otlp.TracesFromJSON(nil, text)
	if err != nil {
		return nil, err
	}
	again := ptraceotlp.NewExportRequest()
	if err := again.UnmarshalProto(back); err != nil {
		return nil, err
	}
	returned, err := (&ptrace.JSONMarshaler{}).MarshalTraces(again.Traces())
	if err != nil {
		return nil, err
	}
	if diff := cmp.Diff(string(text), string(returned)); diff != "" {
		return nil, fmt.Errorf("OTLP/JSON loses something (-sent +kept):\n%s", diff)
	}
	laid, err := layOut(nil, text, "")
	return append(laid, '\n'), err
}

func pretty(value any) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(value)
	return text.Bytes(), err
}

// paths are those of the machine that records, which no case shows.
type paths struct{ installed, root string }

// library is where the interpreter itself is installed.
var library = regexp.MustCompile(`(?:/[\w.-]+)+?/lib/python3`)

// platform is the kernel's name.
var platform = regexp.MustCompile(`Linux-[\w.-]+glibc[\d.]*`)

// host is an attribute that names the machine.
var host = regexp.MustCompile(`("key":"host\.(?:id|name)","value":\{"stringValue":")[^"]*`)

func (p paths) hide(text []byte) []byte {
	text = bytes.ReplaceAll(text, []byte(p.installed), []byte("/installed"))
	text = bytes.ReplaceAll(text, []byte(p.root), []byte("/app"))
	text = platform.ReplaceAll(text, []byte("Linux-x86_64-with-glibc"))
	text = host.ReplaceAll(text, []byte("${1}recorded"))
	return library.ReplaceAll(text, []byte("/python/lib/python3"))
}

// hideInPlace keeps the length: the parts of a native body state theirs.
func (p paths) hideInPlace(text []byte) []byte {
	blank := func(path []byte) []byte { return []byte("/" + strings.Repeat("_", len(path)-1)) }
	for _, path := range []string{p.installed, p.root} {
		text = bytes.ReplaceAll(text, []byte(path), blank([]byte(path)))
	}
	text = platform.ReplaceAllFunc(text, func(name []byte) []byte { return append([]byte("Linux"), blank(name[len("Linux"):])...) })
	return library.ReplaceAllFunc(text, blank)
}
