package admin

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/seed3686fee0/parlor/namespaces/admin/adminapi"
)

// A roomKey is a room's place in a list, and the cursor of what comes after it.
type roomKey struct {
	Namespace string `json:"n"`
	Name      string `json:"r"`
}

func (k roomKey) compare(l roomKey) int {
	return cmp.Or(cmp.Compare(k.Namespace, l.Namespace), cmp.Compare(k.Name, l.Name))
}

// rooms is GET /v1/rooms: those of all servers, without the ones that every
// socket has for itself.
func (h *api) rooms(r *http.Request, _ Principal) (any, error) {
	q := readQuery(r)
	filter := socketFilter{namespace: q.text("namespace")}
	room, prefix := q.text("room"), q.text("prefix")
	limit := q.number("limit", apiDefaultLimit, apiMaxLimit)
	var after roomKey
	paged := q.cursor(&after)
	if err := q.end(); err != nil {
		return nil, err
	}
	if err := h.shows(filter.namespace); err != nil {
		return nil, err
	}
	counts := make(map[roomKey]int)
	reach := h.find(r.Context(), &filter, func(s foundSocket) {
		for _, name := range s.Rooms {
			if name != s.ID && (room == "" || name == room) && strings.HasPrefix(name, prefix) {
				counts[roomKey{s.Namespace, name}]++
			}
		}
	})
	keys := make([]roomKey, 0, len(counts))
	for key := range counts {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, roomKey.compare)
	answer := adminapi.Rooms{Rooms: []adminapi.Room{}, Total: len(keys), Reach: reach}
	for _, key := range keys {
		switch {
		case paged && after.compare(key) >= 0:
		case len(answer.Rooms) == limit:
			last := answer.Rooms[limit-1]
			var err error
			answer.Next, err = next(roomKey{last.Namespace, last.Name})
			return answer, err
		default:
			answer.Rooms = append(answer.Rooms, adminapi.Room{Name: key.Name, Namespace: key.Namespace, Sockets: counts[key]})
		}
	}
	return answer, nil
}
