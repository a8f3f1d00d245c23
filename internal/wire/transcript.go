package wire

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Transcript is a conversation with a server, kept as a text file. A line is empty, a comment that
// starts with "#", or a step: a verb, for some verbs "#" and the name of a request, "@" and the name
// of a client when there are several, a colon, and an argument.
//
//	server ping-interval=200ms   settings of the server that the conversation needs
//	ours: <reason>               differs from Node's server on purpose; only ours is held to it
//	open websocket               open a session: websocket, polling, upgraded, or each of them
//	dial <query>                 only the WebSocket handshake, with that query behind "EIO=4&"
//	moved@w: <client>            the upgrade is done: w's WebSocket is that client's session from here on
//	C: 42["echo",1]              the client sends a text packet
//	C-bin: 00ff                  … a binary message, in hexadecimal
//	C-frame: 8180 00000000       … bytes as they are (WebSocket)
//	C-close: 1000                … a close frame (0: without a code)
//	C-end:                       … nothing more, and ends its TCP connection
//	S: 42["echo",1]              the server's next packet is this; "*" stands for any text
//	S-bin: 00ff                  … is this binary message
//	S-close: 1005                … nothing: it closes, on a WebSocket with this code (1005: none)
//	quiet:                       nothing has arrived that was not asked for
//	GET: POST: <body>            a request to the polling session; its response is looked at below
//	PUT: HEAD: …                 any method likewise
//	request: GET /x?y            a request outside of any session
//	status: 200                  the response (of a handshake too) has this status
//	header: Content-Type: text/* … this header; an empty value means that it is absent
//	body: ok                     … this body
//
// In arguments "$sid" is the id of the session ("$sid@name" that of another client), and "␞" is the
// separator of polling payloads.
//
// At its end, whether it is written there or not, every session that was not closed must be quiet,
// which a round trip finds out and not a pause; and every one that was closed must have ended.
type Transcript struct {
	Name       string
	Options    map[string]string // settings of the server
	Ours       string            // why it differs from Node's server; "" when it does not
	Transports []string          // to be played on each
	steps      []step
}

type step struct {
	line                int
	verb, label, client string
	arg                 string
}

var stepSyntax = regexp.MustCompile(`^([A-Za-z-]+)(#\w+)?(@\w+)?(?:$|:$|: | )(.*)$`)

// ReadTranscript reads a file.
func ReadTranscript(path string) (*Transcript, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("transcript: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("transcript: %w", err)
	}
	return ParseTranscript(path, string(b))
}

// ParseTranscript reads a transcript from its text.
func ParseTranscript(name, text string) (*Transcript, error) {
	tr := &Transcript{Name: name, Options: map[string]string{}, Transports: []string{Websocket}}
	for i, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m := stepSyntax.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("%s:%d: %q is not a step", name, i+1, line)
		}
		st := step{line: i + 1, verb: m[1], label: m[2], client: strings.TrimPrefix(m[3], "@"), arg: m[4]}
		switch st.verb {
		case "server":
			for field := range strings.FieldsSeq(st.arg) {
				k, v, _ := strings.Cut(field, "=")
				tr.Options[k] = v
			}
			continue
		case "ours":
			tr.Ours = st.arg
			continue
		case "open":
			if st.arg == "each" {
				tr.Transports = Transports()
			} else if !slices.Contains(Transports(), st.arg) {
				return nil, fmt.Errorf("%s:%d: unknown transport %q", name, i+1, st.arg)
			}
		}
		tr.steps = append(tr.steps, st)
	}
	if len(tr.steps) == 0 {
		return nil, fmt.Errorf("%s: no steps", name)
	}
	return tr, nil
}

// Run plays the transcript against the server at addr. Transport is what "open each" opens. The
// error names the line.
func (tr *Transcript) Run(addr, transport string) error {
	p := &player{addr: addr, transport: transport, clients: map[string]*client{}}
	defer p.close()
	for _, st := range tr.steps {
		if err := p.play(st); err != nil {
			return fmt.Errorf("%s:%d: %s: %w", tr.Name, st.line, st.verb, err)
		}
	}
	for _, name := range p.order {
		if err := p.clients[name].finish(); err != nil {
			return fmt.Errorf("%s: at the end: client %q: %w", tr.Name, name, err)
		}
	}
	return nil
}
