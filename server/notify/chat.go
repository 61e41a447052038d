package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"strings"
	"time"

	"treq/server/alerting"
	"treq/telemetry"
)

// chatMost is how many alerts one message of a chat holds, so that it stays below
// the limits of all of them and a person still reads it.
const chatMost = 10

func newSender(r Receiver, s style, client *http.Client, version string) (sender, error) {
	p := poster{client, secret{r.URL, r.URLFile}, version}
	switch r.Kind {
	case Slack:
		return slack{p, s}, nil
	case Discord:
		return discord{p, s}, nil
	case Teams:
		return teams{p, s}, nil
	case Telegram:
		if r.URL.IsZero() && r.URLFile == "" {
			p.url.text = telemetry.NewSecret("https://api.telegram.org")
		}
		return telegram{p, s, secret{r.Token, r.TokenFile}, r.Chat}, nil
	case Email:
		return newEmail(r, s), nil
	case Webhook:
		return webhook{p, s, credentials{secret{r.Token, r.TokenFile}, r.Headers}, secret{r.Secret, r.SecretFile}}, nil
	case Alertmanager:
		return alertmanager{p, s, credentials{secret{r.Token, r.TokenFile}, r.Headers}}, nil
	case Shoutrrr:
		return newShoutrrr(p.url, s), nil
	}
	return nil, telemetry.Errorf(telemetry.Unprocessable, "receiver %s: kind %q is not known", r.Name, string(r.Kind))
}

// slack writes through an incoming webhook, in Block Kit.
type slack struct {
	post  poster
	style style
}

func (slack) most() int { return chatMost }

type object = map[string]any

func (s slack) send(ctx context.Context, m *message) (string, error) {
	p := m.page(s.style)
	blocks := []object{{"type": "header", "text": object{"type": "plain_text", "text": shorten(p.title, 150), "emoji": true}}}
	for _, i := range p.items {
		text := "*" + slackText(i.mark+" "+shorten(i.heading, 500)) + "*"
		if i.body != "" {
			text += "\n" + slackText(shorten(i.body, 1500))
		}
		if i.link != "" {
			text += "\n<" + slackText(i.link) + "|" + s.style.words().details + ">"
		}
		blocks = append(blocks,
			object{"type": "section", "text": object{"type": "mrkdwn", "text": shorten(text, 3000), "verbatim": true}},
			object{"type": "context", "elements": []object{{"type": "mrkdwn", "text": slackText(shorten(i.line(), 1500)), "verbatim": true}}})
	}
	body, err := toJSON(object{"text": slackText(p.title), "blocks": blocks})
	if err != nil {
		return "", err
	}
	return s.post.post(ctx, call{body: body})
}

// slackText escapes what Slack gives a meaning to: "<!channel>" calls everybody.
// The marks of bold and code are broken up with a space of no width.
func slackText(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "*", "\u200b*", "`", "\u200b`").Replace(text)
}

// discord writes through a channel's webhook, in embeds that call nobody.
type discord struct {
	post  poster
	style style
}

func (discord) most() int { return chatMost }

func (d discord) send(ctx context.Context, m *message) (string, error) {
	p := m.page(d.style)
	var embeds []object
	for k, i := range p.items {
		e := object{
			"title":       shorten(markdownText(i.mark+" "+i.heading), 250),
			"description": shorten(strings.TrimSpace(markdownText(shorten(i.body, 170)+"\n"+shorten(i.line(), 160))), 340),
			"color":       p.color,
			"timestamp":   m.notices[k].StartsAt.UTC().Format(time.RFC3339),
		}
		if m.notices[k].State == alerting.Resolved {
			e["color"] = green
		}
		if i.link != "" {
			e["url"] = i.link
		}
		embeds = append(embeds, e)
	}
	body, err := toJSON(object{
		"content": shorten(markdownText(p.title), 2000), "embeds": embeds, "allowed_mentions": object{"parse": []string{}},
	})
	if err != nil {
		return "", err
	}
	return d.post.post(ctx, call{body: body, judge: func(status int, answer []byte) *refusal {
		if status != http.StatusTooManyRequests {
			return nil
		}
		var limit struct {
			RetryAfter float64 `json:"retry_after"`
		}
		_ = json.Unmarshal(answer, &limit)
		return &refusal{retryAfter: seconds(limit.RetryAfter)}
	}})
}

// markdownText keeps text from becoming marks, links and calls.
func markdownText(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune("\\*_~`|>[]()#@<", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func seconds(s float64) time.Duration {
	if s > 0 && s < 1e6 {
		return time.Duration(s * float64(time.Second))
	}
	return 0
}

// teams writes through a workflow's webhook, as an adaptive card.
type teams struct {
	post  poster
	style style
}

func (teams) most() int { return chatMost }

func (t teams) send(ctx context.Context, m *message) (string, error) {
	p := m.page(t.style)
	tone := "good"
	if p.state == alerting.Firing {
		tone = map[int]string{red: "attention", blue: "accent", orange: "warning"}[p.color]
	}
	blocks := []object{{"type": "TextBlock", "size": "large", "weight": "bolder", "wrap": true, "color": tone, "text": markdownText(shorten(p.title, 300))}}
	for _, i := range p.items {
		if len(p.items) > 1 {
			blocks = append(blocks, object{"type": "TextBlock", "weight": "bolder", "wrap": true, "separator": true, "text": markdownText(i.mark + " " + shorten(i.heading, 500))})
		}
		if i.body != "" {
			blocks = append(blocks, object{"type": "TextBlock", "wrap": true, "text": markdownText(shorten(i.body, 700))})
		}
		var facts []object
		for _, f := range i.facts[:min(8, len(i.facts))] {
			facts = append(facts, object{"title": markdownText(shorten(f.name, 50)), "value": markdownText(shorten(f.value, 100))})
		}
		blocks = append(blocks, object{"type": "FactSet", "facts": facts})
	}
	card := object{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
		"msteams": object{"width": "Full"}, "body": blocks,
	}
	if link := cmp.Or(p.items[0].link, p.link); link != "" {
		card["actions"] = []object{{"type": "Action.OpenUrl", "title": t.style.words().details, "url": link}}
	}
	body, err := toJSON(object{"type": "message", "attachments": []object{
		{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card},
	}})
	if err != nil {
		return "", err
	}
	return t.post.post(ctx, call{body: body})
}

// telegram lets a bot write into a chat.
type telegram struct {
	post  poster
	style style
	token secret
	chat  string
}

func (telegram) most() int { return chatMost }

func (t telegram) send(ctx context.Context, m *message) (string, error) {
	token, err := t.token.reveal()
	if err != nil {
		return "", err
	}
	p := m.page(t.style)
	var b strings.Builder
	if len(p.items) > 1 || m.sample {
		b.WriteString("<b>" + html.EscapeString(p.title) + "</b>")
	}
	for _, i := range p.items {
		if b.Len() > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString("<b>" + html.EscapeString(i.mark+" "+shorten(i.heading, 120)) + "</b>")
		if i.body != "" {
			b.WriteString("\n" + html.EscapeString(shorten(i.body, 120)))
		}
		b.WriteString("\n" + html.EscapeString(shorten(i.line(), 120)))
		if i.link != "" && len(i.link) < 1000 && len(p.items) == 1 {
			fmt.Fprintf(&b, "\n<a href=\"%s\">%s</a>", html.EscapeString(i.link), t.style.words().details)
		}
	}
	body, err := toJSON(object{
		"chat_id": t.chat, "text": b.String(), "parse_mode": "HTML",
		"link_preview_options": object{"is_disabled": true},
		"disable_notification": m.severity() == alerting.Info,
	})
	if err != nil {
		return "", err
	}
	return t.post.post(ctx, call{path: "/bot" + token + "/sendMessage", body: body, secrets: []string{token}, judge: judgeTelegram})
}

func judgeTelegram(status int, answer []byte) *refusal {
	var said struct {
		OK         *bool `json:"ok"`
		Parameters struct {
			RetryAfter float64 `json:"retry_after"`
		} `json:"parameters"`
	}
	err := json.Unmarshal(answer, &said)
	switch {
	case status == http.StatusTooManyRequests:
		return &refusal{retryAfter: seconds(said.Parameters.RetryAfter)}
	case status == http.StatusBadRequest:
		// Most often the chat's name is wrong.
		return &refusal{wrong: true}
	case status == http.StatusOK && (err != nil || said.OK == nil || !*said.OK):
		return &refusal{reason: "the answer is not one of Telegram", wrong: true}
	}
	return nil
}
