package admin

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/namespaces/admin/adminapi"
)

// apiAsking is how long other servers may take to say what they have.
const apiAsking = 3 * time.Second

// find finds the sockets that match, of all servers, one after the other.
func (h *api) find(ctx context.Context, filter *socketFilter, found func(foundSocket)) adminapi.Reach {
	ctx, cancel := context.WithTimeout(ctx, apiAsking)
	defer cancel()
	return reach(h.admin.sockets(ctx, func(info socketInfo) {
		if s := look(&info); filter.matches(&s) {
			found(s)
		}
	}))
}

// reach is what an error beside an answer says of how much it is about.
func reach(err error) adminapi.Reach {
	if err == nil {
		return adminapi.Reach{}
	}
	if missing, ok := errors.AsType[*adapter.MissingError](err); ok {
		return adminapi.Reach{Missing: max(1, missing.Instances)}
	}
	return adminapi.Reach{Missing: 1} // nobody knows how many
}

// A socketKey is a socket's place in a list, and the cursor of what comes after
// it: sockets that come and go do not move it.
type socketKey struct {
	Issued    int64  `json:"t"`
	Namespace string `json:"n"`
	ID        string `json:"i"`
}

func (f *foundSocket) key() socketKey { return socketKey{f.Handshake.Issued, f.Namespace, f.ID} }

func (k socketKey) compare(l socketKey) int {
	return cmp.Or(cmp.Compare(l.Issued, k.Issued), cmp.Compare(k.Namespace, l.Namespace), cmp.Compare(k.ID, l.ID))
}

// sockets is GET /v1/sockets.
func (h *api) sockets(r *http.Request, _ Principal) (any, error) {
	q := readQuery(r)
	filter := socketFilter{
		namespace: q.text("namespace"),
		id:        q.text("socket"),
		user:      q.text("user"),
		name:      q.text("name"),
		room:      q.text("room"),
		transport: q.text("transport"),
		fields:    q.fields("data."),
	}
	if text := q.text("address"); text != "" {
		var ok bool
		if filter.network, ok = network(text); !ok {
			q.fail(badRequest("address", "%q is neither an address nor a network; write it like 192.0.2.7 or 10.0.0.0/8", text))
		}
	}
	limit := q.number("limit", apiDefaultLimit, apiMaxLimit)
	var after socketKey
	paged := q.cursor(&after)
	if err := q.end(); err != nil {
		return nil, err
	}
	if err := h.shows(filter.namespace); err != nil {
		return nil, err
	}
	page := socketPage{limit: limit}
	if paged {
		page.after = &after
	}
	reach := h.find(r.Context(), &filter, page.add)
	list, more := page.sockets()
	answer := adminapi.Sockets{Sockets: []adminapi.Socket{}, Total: page.total, Reach: reach}
	for i := range list {
		answer.Sockets = append(answer.Sockets, list[i].brief())
	}
	var err error
	if more {
		answer.Next, err = next(list[len(list)-1].key())
	}
	return answer, err
}

// shows reports whether lists are, and whether there is a namespace, where one is
// named.
func (h *api) shows(namespace string) error {
	if h.admin.opts.Mode == Production {
		return errProduction
	}
	return h.knows(namespace)
}

func (h *api) knows(namespace string) error {
	if namespace != "" && h.admin.namespace(namespace) == nil {
		return notFound("this server has no namespace %q; the answer of v1/stats lists them", namespace)
	}
	return nil
}

// socket is GET /v1/sockets/{id}.
func (h *api) socket(r *http.Request, _ Principal) (any, error) {
	q := readQuery(r)
	filter := socketFilter{id: r.PathValue("id"), namespace: q.text("namespace")}
	if err := q.end(); err != nil {
		return nil, err
	}
	if err := h.shows(filter.namespace); err != nil {
		return nil, err
	}
	page := socketPage{limit: 1}
	reach := h.find(r.Context(), &filter, page.add)
	found, _ := page.sockets()
	switch {
	case len(found) > 0:
		s := found[0].brief()
		s.Handshake = &adminapi.Handshake{
			URL:     found[0].Handshake.URL,
			Secure:  found[0].Handshake.Secure,
			Headers: found[0].Handshake.Headers,
			Query:   found[0].Handshake.Query,
		}
		return s, nil
	case reach.Missing > 0:
		return nil, notFound("there is no socket %q on the servers that have answered; %d have not", filter.id, reach.Missing)
	}
	return nil, notFound("there is no socket %q; it may have left", filter.id)
}

// brief is a socket without its handshake.
func (f *foundSocket) brief() adminapi.Socket {
	rooms := slices.DeleteFunc(slices.Clone(f.Rooms), func(room string) bool { return room == f.ID })
	slices.Sort(rooms)
	return adminapi.Socket{
		ID:        f.ID,
		Namespace: f.Namespace,
		ClientID:  f.ClientID,
		User:      f.user,
		Name:      f.name,
		Transport: f.Transport,
		Address:   f.Handshake.Address,
		Connected: time.UnixMilli(f.Handshake.Issued).UTC(),
		Rooms:     append([]string{}, rooms...), // never null
		Data:      f.Data,
	}
}
