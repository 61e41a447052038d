package notify

import (
	"maps"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"treq/server/alerting"
	"treq/telemetry"
)

// Kind is what a receiver is.
type Kind string

// The kinds of receivers.
const (
	Slack        Kind = "slack"        // an incoming webhook
	Discord      Kind = "discord"      // a channel's webhook
	Teams        Kind = "teams"        // a workflow's webhook
	Telegram     Kind = "telegram"     // a bot that writes into a chat
	Email        Kind = "email"        // SMTP
	Webhook      Kind = "webhook"      // Alertmanager's JSON, signed
	Alertmanager Kind = "alertmanager" // an Alertmanager's API, which groups and repeats itself
	Shoutrrr     Kind = "shoutrrr"     // anything else, by a URL of that library
)

// Receiver is one who is told, as users write it. URL, Token, Secret, Password and
// the headers are secret; each has a twin that names a file, which is read again
// for every message, so that a rotated secret needs no restart.
type Receiver struct {
	// Name tells receivers apart, also over restarts: 1 to 64 lower-case letters,
	// digits, "-" and "_", starting with a letter or digit.
	Name string `yaml:"name"`
	Kind Kind   `yaml:"kind"`
	// URL is where messages go. Email has none; telegram has the bot API's address,
	// and a default.
	URL     telemetry.Secret `yaml:"url"`
	URLFile string           `yaml:"url_file"`
	// Token is the telegram bot's, and for webhook and alertmanager a bearer token.
	Token     telemetry.Secret `yaml:"token"`
	TokenFile string           `yaml:"token_file"`
	// Chat is where the telegram bot writes: a number, or @channel.
	Chat string `yaml:"chat"`
	// Secret signs the messages of a webhook.
	Secret     telemetry.Secret `yaml:"secret"`
	SecretFile string           `yaml:"secret_file"`
	// Headers are sent by webhook and alertmanager.
	Headers map[string]telemetry.Secret `yaml:"headers"`
	// Address is the SMTP server's host:port.
	Address string `yaml:"address"`
	// Security of the SMTP connection: starttls, the default, tls from the start, or none.
	Security     string           `yaml:"security"`
	Username     string           `yaml:"username"`
	Password     telemetry.Secret `yaml:"password"`
	PasswordFile string           `yaml:"password_file"`
	// From and To are addresses of mail.
	From string   `yaml:"from"`
	To   []string `yaml:"to"`
	// Language and Zone are the general ones where they are left out.
	Language alerting.Language `yaml:"language"`
	Zone     string            `yaml:"time_zone"`
	// MinSeverity keeps less urgent alerts away; "" lets all in.
	MinSeverity alerting.Severity `yaml:"min_severity"`
	// AroundTheClock knows no quiet hours. Alertmanager never does: it has its own.
	AroundTheClock bool `yaml:"around_the_clock"`
	// Timeout bounds one attempt, 1 s to 5 min; 0 is 10 s.
	Timeout time.Duration `yaml:"timeout"`
}

const defaultTimeout = 10 * time.Second

var receiverName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// uses lists the keys that only some kinds have, and what these need.
var uses = map[Kind]struct{ needs, may []string }{
	Slack:        {needs: []string{"url"}},
	Discord:      {needs: []string{"url"}},
	Teams:        {needs: []string{"url"}},
	Telegram:     {needs: []string{"token", "chat"}, may: []string{"url"}},
	Email:        {needs: []string{"address", "from", "to"}, may: []string{"security", "username", "password"}},
	Webhook:      {needs: []string{"url"}, may: []string{"token", "secret", "headers"}},
	Alertmanager: {needs: []string{"url"}, may: []string{"token", "headers"}},
	Shoutrrr:     {needs: []string{"url"}},
}

func (r Receiver) validate(at complain) {
	if !receiverName.MatchString(r.Name) {
		at("name", `must be 1 to 64 of a-z, 0-9, "-" and "_", starting with a letter or digit`)
	}
	use, known := uses[r.Kind]
	if !known {
		at("kind", "%q is not known; known are slack, discord, teams, telegram, email, webhook, alertmanager, shoutrrr", string(r.Kind))
		return
	}
	given := r.given()
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if given[key] && !slices.Contains(use.needs, key) && !slices.Contains(use.may, key) {
			at(key, "is nothing that kind %s has", r.Kind)
		}
	}
	for _, key := range use.needs {
		if !given[key] {
			at(key, "is missing: kind %s needs it", r.Kind)
		}
	}
	r.validateURL(at)
	r.validateMail(at)
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(r.Headers[name].Reveal()) {
			at("headers", "%q is no header, or has a value that a header cannot carry", name)
		}
	}
	checkLanguage(at, "language", r.Language)
	checkSeverity(at, "min_severity", r.MinSeverity)
	if _, err := time.LoadLocation(r.Zone); err != nil {
		at("time_zone", "%q is no time zone: want one like America/Sao_Paulo", r.Zone)
	}
	if r.Timeout != 0 && (r.Timeout < time.Second || r.Timeout > 5*time.Minute) {
		at("timeout", "must be within 1s and 5m")
	}
}

// given tells which of the keys that depend on the kind are set.
func (r Receiver) given() map[string]bool {
	return map[string]bool{
		"url":      !r.URL.IsZero() || r.URLFile != "",
		"token":    !r.Token.IsZero() || r.TokenFile != "",
		"chat":     r.Chat != "",
		"secret":   !r.Secret.IsZero() || r.SecretFile != "",
		"headers":  len(r.Headers) > 0,
		"address":  r.Address != "",
		"security": r.Security != "",
		"username": r.Username != "",
		"password": !r.Password.IsZero() || r.PasswordFile != "",
		"from":     r.From != "",
		"to":       len(r.To) > 0,
	}
}

func (r Receiver) validateURL(at complain) {
	for _, pair := range []struct {
		key    string
		secret telemetry.Secret
		file   string
	}{{"url", r.URL, r.URLFile}, {"token", r.Token, r.TokenFile}, {"secret", r.Secret, r.SecretFile}, {"password", r.Password, r.PasswordFile}} {
		if !pair.secret.IsZero() && pair.file != "" {
			at(pair.key, "and %s_file are both there: want one", pair.key)
		}
	}
	if r.URL.IsZero() {
		return
	}
	if r.Kind == Shoutrrr {
		if err := checkShoutrrr(r.URL.Reveal()); err != nil {
			at("url", "%v", err)
		}
		return
	}
	if _, err := parseTarget(r.URL.Reveal()); err != nil {
		at("url", "%v", err)
	}
}

func (r Receiver) validateMail(at complain) {
	if r.Kind != Email {
		return
	}
	if host, _, err := net.SplitHostPort(r.Address); r.Address != "" && (err != nil || host == "") {
		at("address", "must be host:port of an SMTP server, such as smtp.example.com:587")
	}
	if r.Security != "" && !slices.Contains([]string{startTLS, alwaysTLS, noTLS}, r.Security) {
		at("security", "%q is not known; known are starttls, tls and none", r.Security)
	}
	if given := r.given(); given["username"] != given["password"] {
		at("password", "and username belong together")
	}
	for _, address := range append([]string{r.From}, r.To...) {
		if _, err := mail.ParseAddress(address); address != "" && err != nil {
			at("to", "%q is no address", address)
		}
	}
}

// parseTarget reads a receiver's URL. Its errors are *telemetry.Error of kind
// Unprocessable and never show it: most such URLs are secrets.
func parseTarget(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, telemetry.Errorf(telemetry.Unprocessable, "must be http://… or https://…")
	}
	if address, err := netip.ParseAddr(u.Hostname()); err == nil {
		if err := refuseAddress(address); err != nil {
			return nil, err
		}
	}
	return u, nil
}
