package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"html"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"treq/telemetry"
)

// What Receiver.Security says.
const (
	startTLS  = "starttls"
	alwaysTLS = "tls"
	noTLS     = "none"
)

// email sends mail over SMTP, a connection for each message.
type email struct {
	config   Receiver
	security string
	password secret
	style    style
	roots    *tls.Config // nil: the system's
}

func newEmail(r Receiver, s style) *email {
	e := &email{config: r, security: r.Security, password: secret{r.Password, r.PasswordFile}, style: s}
	if e.security == "" {
		e.security = startTLS
	}
	return e
}

func (*email) most() int { return 50 }

func (e *email) send(ctx context.Context, m *message) (answer string, err error) {
	password, err := e.password.reveal()
	if err != nil {
		return "", err
	}
	host, _, _ := net.SplitHostPort(e.config.Address)
	from, err := mail.ParseAddress(e.config.From)
	if err != nil {
		return "", misconfigured(telemetry.Errorf(telemetry.Unprocessable, "from is no address"))
	}
	text, err := e.compose(m, from)
	if err != nil {
		return "", err
	}
	connection, err := e.dial(ctx, host)
	if err != nil {
		return "", unreachable(ctx, err)
	}
	defer connection.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = connection.SetDeadline(deadline)
	}
	defer context.AfterFunc(ctx, func() { _ = connection.Close() })()
	client, err := smtp.NewClient(connection, host)
	if err != nil {
		return "", smtpFailure(ctx, err, password)
	}
	if err := e.login(client, host, password); err != nil {
		return "", smtpFailure(ctx, err, password)
	}
	if err := e.deliver(client, from.Address, text); err != nil {
		return "", smtpFailure(ctx, err, password)
	}
	_ = client.Quit()
	return fmt.Sprintf("taken for %d recipients", len(e.config.To)), nil
}

func (e *email) tls(host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if e.roots != nil {
		c = e.roots.Clone()
	}
	c.ServerName = host
	return c
}

func (e *email) dial(ctx context.Context, host string) (net.Conn, error) {
	if e.security == alwaysTLS {
		dialer := &tls.Dialer{NetDialer: newDialer(), Config: e.tls(host)}
		return dialer.DialContext(ctx, "tcp", e.config.Address)
	}
	return newDialer().DialContext(ctx, "tcp", e.config.Address)
}

// login secures the connection as the settings ask and shows who we are. A server
// that does not offer what is asked for gets no password.
func (e *email) login(client *smtp.Client, host, password string) error {
	if err := client.Hello("treq-telemetry"); err != nil {
		return err
	}
	if e.security == startTLS {
		if offered, _ := client.Extension("STARTTLS"); !offered {
			return &refusal{reason: "the server offers no STARTTLS", wrong: true}
		}
		if err := client.StartTLS(e.tls(host)); err != nil {
			return err
		}
	}
	if e.config.Username == "" {
		return nil
	}
	offered, mechanisms := client.Extension("AUTH")
	if !offered {
		return &refusal{reason: "the server takes no password", wrong: true}
	}
	known := strings.Fields(strings.ToUpper(mechanisms))
	for _, mechanism := range known {
		if mechanism == "PLAIN" {
			return client.Auth(plainAuth{e.config.Username, password})
		}
	}
	for _, mechanism := range known {
		if mechanism == "LOGIN" {
			return client.Auth(loginAuth{e.config.Username, password})
		}
	}
	return &refusal{reason: "the server takes passwords in no way that is known: want PLAIN or LOGIN", wrong: true}
}

func (e *email) deliver(client *smtp.Client, from string, text []byte) error {
	if err := client.Mail(from); err != nil {
		return err
	}
	for _, to := range e.config.To {
		address, err := mail.ParseAddress(to)
		if err != nil {
			return &refusal{reason: "to holds what is no address", wrong: true}
		}
		if err := client.Rcpt(address.Address); err != nil {
			return err
		}
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	return w.Close()
}

// plainAuth is AUTH PLAIN. Whether the connection is secure enough is the
// settings' to say, not the mechanism's.
type plainAuth struct{ user, password string }

// Start gives the whole of the exchange.
func (a plainAuth) Start(*smtp.ServerInfo) (string, []byte, error) {
	return "PLAIN", []byte("\x00" + a.user + "\x00" + a.password), nil
}

// Next has nothing to add.
func (plainAuth) Next(_ []byte, more bool) ([]byte, error) {
	if more {
		return nil, &refusal{reason: "the server asks for more than a password", wrong: true}
	}
	return nil, nil
}

// loginAuth is AUTH LOGIN, which some large providers take alone.
type loginAuth struct{ user, password string }

// Start names the mechanism.
func (loginAuth) Start(*smtp.ServerInfo) (string, []byte, error) { return "LOGIN", nil, nil }

// Next answers the two questions.
func (a loginAuth) Next(question []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	switch q := strings.ToLower(string(question)); {
	case strings.HasPrefix(q, "user"):
		return []byte(a.user), nil
	case strings.HasPrefix(q, "pass"):
		return []byte(a.password), nil
	}
	return nil, &refusal{reason: "the server asks for more than a password", wrong: true}
}

// smtpFailure says what went wrong. What the server wrote is for who sends a sample.
func smtpFailure(ctx context.Context, err error, password string) error {
	if _, ok := errors.AsType[*refusal](err); ok {
		return err
	}
	if said, ok := errors.AsType[*textproto.Error](err); ok {
		return &refusal{
			reason: fmt.Sprintf("the mail server answered %d", said.Code), wrong: said.Code >= 500,
			detail: describe(said.Code, said.Msg, []string{password}),
		}
	}
	return unreachable(ctx, err)
}

// compose writes the mail: plain text, and the same as HTML. Its Message-ID is the
// idempotency key, so that a mail that comes twice is shown once, and its thread
// the group.
func (e *email) compose(m *message, from *mail.Address) ([]byte, error) {
	p := m.page(e.style)
	_, domain, _ := strings.Cut(from.Address, "@")
	var b bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	header("From", from.String())
	var to []string
	for _, text := range e.config.To {
		if address, err := mail.ParseAddress(text); err == nil {
			to = append(to, address.String())
		}
	}
	header("To", strings.Join(to, ", "))
	header("Subject", mime.QEncoding.Encode("utf-8", shorten(strings.Join(strings.Fields(p.title), " "), 200)))
	header("Date", m.now.In(e.style.zone).Format(time.RFC1123Z))
	header("Message-ID", "<"+m.key+"@"+domain+">")
	header("References", "<"+digest(m.receiver, []string{m.group})+"@"+domain+">")
	header("Auto-Submitted", "auto-generated")
	header("X-Auto-Response-Suppress", "All")
	header("MIME-Version", "1.0")
	parts := multipart.NewWriter(&b)
	header("Content-Type", "multipart/alternative; boundary="+parts.Boundary())
	b.WriteString("\r\n")
	for _, part := range []struct{ kind, text string }{
		{"text/plain", p.plain(e.style)}, {"text/html", p.html(e.style)},
	} {
		w, err := parts.CreatePart(textproto.MIMEHeader{
			"Content-Type":              {part.kind + "; charset=utf-8"},
			"Content-Transfer-Encoding": {"quoted-printable"},
		})
		if err != nil {
			return nil, err
		}
		q := quotedprintable.NewWriter(w)
		if _, err := q.Write([]byte(part.text)); err != nil {
			return nil, err
		}
		if err := q.Close(); err != nil {
			return nil, err
		}
	}
	if err := parts.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// html gives the page as a mail's HTML: no scripts, no pictures, nothing fetched.
func (p page) html(s style) string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><html><body style="font-family:sans-serif">`)
	for _, i := range p.items {
		fmt.Fprintf(&b, `<div style="border-left:4px solid #%06X;padding:4px 12px;margin:0 0 16px">`, p.color)
		fmt.Fprintf(&b, "<p><b>%s %s</b></p>", i.mark, html.EscapeString(i.heading))
		if i.body != "" {
			fmt.Fprintf(&b, "<p>%s</p>", html.EscapeString(i.body))
		}
		b.WriteString("<table>")
		for _, f := range i.facts {
			fmt.Fprintf(&b, `<tr><td style="color:#667085;padding-right:12px">%s</td><td>%s</td></tr>`, html.EscapeString(f.name), html.EscapeString(f.value))
		}
		b.WriteString("</table>")
		if strings.HasPrefix(i.link, "http://") || strings.HasPrefix(i.link, "https://") {
			fmt.Fprintf(&b, `<p><a href="%s">%s</a></p>`, html.EscapeString(i.link), s.words().details)
		}
		b.WriteString("</div>")
	}
	fmt.Fprintf(&b, `<p style="color:#667085">%s</p></body></html>`, s.words().footer)
	return b.String()
}
