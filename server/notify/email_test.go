package notify

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"treq/telemetry"
)

// contextThatEnds gives one whose time is almost up.
func contextThatEnds(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), 50*time.Millisecond)
}

// mailServer is an SMTP server that does as its script says.
type mailServer struct {
	t         *testing.T
	listener  net.Listener
	tls       *tls.Config
	always    bool              // TLS from the start
	noTLS     bool              // offers no STARTTLS
	auth      string            // mechanisms offered
	answers   map[string]string // by command, in the place of a success
	hangsUpon string            // says nothing to this command
	done      sync.WaitGroup

	mu       sync.Mutex
	commands []string
	mail     string
}

func serveMail(t *testing.T, s *mailServer) *mailServer {
	t.Helper()
	s.t = t
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	s.tls = certificate.TLS.Clone()
	s.tls.NextProtos = nil
	certificate.Close()
	s.done.Go(func() {
		for {
			c, err := s.listener.Accept()
			if err != nil {
				return
			}
			if s.always {
				c = tls.Server(c, s.tls)
			}
			s.talk(c)
		}
	})
	t.Cleanup(func() { _ = s.listener.Close(); s.done.Wait() })
	return s
}

// talk holds one conversation.
func (s *mailServer) talk(c net.Conn) {
	defer func() { _ = c.Close() }()
	text := textproto.NewConn(c)
	_ = text.PrintfLine("220 ready")
	for {
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.commands = append(s.commands, line)
		s.mu.Unlock()
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		if verb == s.hangsUpon {
			_, _ = bufio.NewReader(c).ReadByte() // until the client goes
			return
		}
		if answer, scripted := s.answers[verb]; scripted {
			_ = text.PrintfLine("%s", answer)
			continue
		}
		switch verb {
		case "EHLO":
			_ = text.PrintfLine("250-hello")
			if s.auth != "" {
				_ = text.PrintfLine("250-AUTH %s", s.auth)
			}
			if s.noTLS || s.always {
				_ = text.PrintfLine("250 8BITMIME")
			} else {
				_ = text.PrintfLine("250 STARTTLS")
			}
		case "STARTTLS":
			_ = text.PrintfLine("220 go on")
			c = tls.Server(c, s.tls)
			text = textproto.NewConn(c)
		case "AUTH":
			if strings.HasPrefix(line, "AUTH LOGIN") {
				for _, question := range []string{"Username:", "Password:"} {
					_ = text.PrintfLine("334 %s", base64.StdEncoding.EncodeToString([]byte(question)))
					answer, err := text.ReadLine()
					if err != nil {
						return
					}
					s.mu.Lock()
					s.commands = append(s.commands, answer)
					s.mu.Unlock()
				}
			}
			_ = text.PrintfLine("235 welcome")
		case "DATA":
			_ = text.PrintfLine("354 go on")
			body, err := text.ReadDotBytes()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.mail = string(body)
			s.mu.Unlock()
			_ = text.PrintfLine("250 kept")
		case "QUIT":
			_ = text.PrintfLine("221 bye")
			return
		default:
			_ = text.PrintfLine("250 ok")
		}
	}
}

func (s *mailServer) heard() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.commands, "\n")
}

// send sends a sample by way of the server.
func (s *mailServer) send(security string) (string, error) {
	e := newEmail(Receiver{
		Kind: Email, Address: s.listener.Addr().String(), Security: security, Username: "alerts", Password: telemetry.NewSecret("canary"),
		From: "Treq <alerts@example.com>", To: []string{"Ana <a@example.com>", "b@example.com"},
	}, englishStyle())
	roots := x509.NewCertPool()
	certificate, err := x509.ParseCertificate(s.tls.Certificates[0].Certificate[0])
	if err != nil {
		s.t.Fatal(err)
	}
	roots.AddCert(certificate)
	e.roots = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	attempt, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	if s.hangsUpon != "" {
		attempt, cancel = contextThatEnds(s.t)
	}
	defer cancel()
	return e.send(attempt, newSample("team", moment))
}

func TestMailIsDelivered(t *testing.T) {
	plain := base64.StdEncoding.EncodeToString([]byte("\x00alerts\x00canary"))
	for _, c := range []struct {
		name, security string
		server         *mailServer
		heard          string
	}{
		{"STARTTLS", "", &mailServer{auth: "PLAIN LOGIN"}, "STARTTLS\nEHLO treq-telemetry\nAUTH PLAIN " + plain + "\n"},
		{"TLS", alwaysTLS, &mailServer{auth: "PLAIN", always: true}, "EHLO treq-telemetry\nAUTH PLAIN " + plain + "\n"},
		{"LOGIN", startTLS, &mailServer{auth: "LOGIN"}, "AUTH LOGIN\n" + base64.StdEncoding.EncodeToString([]byte("alerts")) + "\n" + base64.StdEncoding.EncodeToString([]byte("canary")) + "\n"},
		{"clear text", noTLS, &mailServer{auth: "PLAIN", noTLS: true}, "AUTH PLAIN " + plain + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveMail(t, c.server)
			if answer, err := s.send(c.security); err != nil || answer != "taken for 2 recipients" {
				t.Fatalf("%q, %v; the server heard\n%s", answer, err, s.heard())
			}
			for _, want := range []string{c.heard, "MAIL FROM:<alerts@example.com>", "RCPT TO:<a@example.com>\nRCPT TO:<b@example.com>\nDATA"} {
				if !strings.Contains(s.heard(), want) {
					t.Errorf("the server heard\n%s\nwithout\n%s", s.heard(), want)
				}
			}
			if !strings.Contains(s.mail, "Subject: =?utf-8?q?[TEST]") || !strings.Contains(s.mail, "Test message of Treq Telemetry") {
				t.Errorf("mail =\n%s", s.mail)
			}
		})
	}
}

func TestMailIsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		server *mailServer
		want   string
		wrong  bool
	}{
		{"no STARTTLS", &mailServer{noTLS: true, auth: "PLAIN"}, "offers no STARTTLS", true},
		{"no password wanted", &mailServer{}, "takes no password", true},
		{"unknown mechanism", &mailServer{auth: "GSSAPI"}, "in no way that is known", true},
		{"wrong password", &mailServer{auth: "PLAIN", answers: map[string]string{"AUTH": "535 not alerts with canary"}}, "answered 535", true},
		{"greylisted", &mailServer{auth: "PLAIN", answers: map[string]string{"RCPT": "451 later"}}, "answered 451", false},
		{"no such mailbox", &mailServer{auth: "PLAIN", answers: map[string]string{"RCPT": "550 nobody"}}, "answered 550", true},
		{"busy", &mailServer{auth: "PLAIN", answers: map[string]string{"EHLO": "421 busy", "HELO": "421 busy"}}, "answered 421", false},
		{"hang", &mailServer{auth: "PLAIN", hangsUpon: "MAIL"}, "no answer in time", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveMail(t, c.server)
			_, err := s.send(startTLS)
			r, ok := err.(*refusal)
			if !ok || !strings.Contains(r.reason, c.want) || r.wrong != c.wrong {
				t.Fatalf("%#v, want %q", err, c.want)
			}
			if strings.Contains(r.reason+r.detail, "canary") {
				t.Errorf("%+v shows the password", r)
			}
			if s.noTLS && strings.Contains(s.heard(), "AUTH") {
				t.Errorf("the password went over a connection that was to be safe:\n%s", s.heard())
			}
		})
	}
	// A certificate that nobody vouches for.
	s := serveMail(t, &mailServer{auth: "PLAIN"})
	got := sampleTo(t, Receiver{Kind: Email, Address: s.listener.Addr().String(), Username: "alerts", Password: telemetry.NewSecret("canary"), From: "a@example.com", To: []string{"b@example.com"}})
	if got.Err == nil || !strings.Contains(got.Err.Error(), "certificate") {
		t.Errorf("a certificate nobody vouches for: %v", got.Err)
	}
}
