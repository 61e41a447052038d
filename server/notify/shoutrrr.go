package notify

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"treq/telemetry"
)

// shoutrrr hands messages to the library of that name, which knows some two dozen
// services by URL. It dials itself: most services by the default client, which
// GuardDefaultClient keeps in bounds, some by one of their own. So the addresses of
// the URL's host are looked at before each message, too.
type shoutrrr struct {
	url   secret
	style style
	// calls has room for messages that are under way. The library cannot be
	// interrupted, so that a service that hangs would gather goroutines.
	calls chan struct{}
}

const shoutrrrCalls = 4

func newShoutrrr(url secret, s style) *shoutrrr {
	return &shoutrrr{url: url, style: s, calls: make(chan struct{}, shoutrrrCalls)}
}

func (*shoutrrr) most() int { return chatMost }

// checkShoutrrr tells whether the library knows a URL, without showing it.
func checkShoutrrr(text string) error {
	_, _, err := locate(text)
	return err
}

// locate gives the service of a URL and the host it names, if any. The library's
// errors may repeat the URL and are not passed on.
func locate(text string) (types.Service, string, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme == "" {
		return nil, "", telemetry.Errorf(telemetry.Unprocessable, "must be a URL as shoutrrr takes it, such as ntfy://ntfy.sh/topic")
	}
	scheme, _, _ := strings.Cut(u.Scheme, "+")
	if scheme == "logger" {
		return nil, "", telemetry.Errorf(telemetry.Unprocessable, "shoutrrr's logger tells nobody")
	}
	services := &router.ServiceRouter{}
	if _, err := services.NewService(scheme); err != nil {
		return nil, "", telemetry.Errorf(telemetry.Unprocessable, "shoutrrr knows no service %q", scheme)
	}
	service, err := services.Locate(u.String())
	if err != nil {
		return nil, "", telemetry.Errorf(telemetry.Unprocessable, "shoutrrr's service %s does not take this URL", scheme)
	}
	host := ""
	// For the others the host's place holds a token.
	if hosted[scheme] || scheme != u.Scheme {
		host = u.Hostname()
	}
	return service, host, nil
}

// hosted are the services whose URL says which server they talk to.
var hosted = map[string]bool{
	"bark": true, "generic": true, "gotify": true, "lark": true, "matrix": true, "mattermost": true, "ntfy": true,
	"opsgenie": true, "rocketchat": true, "signal": true, "smtp": true, "zulip": true,
}

func (s *shoutrrr) send(ctx context.Context, m *message) (string, error) {
	text, err := s.url.reveal()
	if err != nil {
		return "", err
	}
	service, host, err := locate(text)
	if err != nil {
		return "", misconfigured(err)
	}
	if err := refuseHost(ctx, host); err != nil {
		if telemetry.KindOf(err) == telemetry.Forbidden {
			return "", misconfigured(err)
		}
		return "", failed(err.Error())
	}
	select {
	case s.calls <- struct{}{}:
	default:
		return "", failed(fmt.Sprintf("the service still holds %d earlier messages", shoutrrrCalls))
	}
	page := m.page(s.style)
	words := page.plain(s.style)
	if m.sample {
		words = page.title + "\n" + words
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-s.calls }()
		done <- service.Send(words, &types.Params{"title": shorten(page.title, 200)})
	}()
	select {
	case <-ctx.Done():
		return "", failed("no answer in time")
	case err := <-done:
		if err != nil {
			return "", failed(libraryReason(err))
		}
		return "taken by shoutrrr's " + service.GetID(), nil
	}
}

// libraryReason says what a library's error is without its text.
func libraryReason(err error) string {
	if _, ok := errors.AsType[*url.Error](err); ok {
		return wayOf(err)
	}
	return "the service did not take the message"
}
