package api

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestModels(t *testing.T) {
	f := newFixture(t)
	for path, want := range map[string]string{
		"/monitoring/models":             `"document":"models","service":""`,
		"/monitoring/models?service=app": `"document":"models","service":"app"`,
	} {
		w := httptest.NewRecorder()
		f.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil))
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for what, c := range map[string]struct {
		path   string
		change func(*Options)
		status int
	}{
		"a window":     {"/monitoring/models?window=5m", func(*Options) {}, http.StatusUnprocessableEntity},
		"no models":    {"/monitoring/models", func(o *Options) { o.Models = nil }, http.StatusNotFound},
		"in a replay":  {"/monitoring/models", func(o *Options) { o.Meter = &fakeMeter{ready: errors.New("counting")} }, http.StatusServiceUnavailable},
		"other method": {"/monitoring/models", func(*Options) {}, http.StatusMethodNotAllowed},
	} {
		w := httptest.NewRecorder()
		method := http.MethodGet
		if c.status == http.StatusMethodNotAllowed {
			method = http.MethodDelete
		}
		newFixture(t, c.change).handler.ServeHTTP(w, httptest.NewRequest(method, "http://localhost"+c.path, nil))
		if w.Code != c.status {
			t.Errorf("%s: %d %s, want %d", what, w.Code, w.Body, c.status)
		}
	}
}
