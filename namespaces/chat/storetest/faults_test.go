package storetest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed3686fee0/parlor/internal/failing"
	"github.com/seed3686fee0/parlor/namespaces/chat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A faulty store is a good one but for what its fields replace.
type faulty struct {
	chat.Store

	join    func(room, socket string, u chat.User, atMost int) (chat.Change, error)
	leave   func(room, socket, userID string) (chat.Change, error)
	rename  func(rooms []string, u chat.User) error
	members func(room string, atMost int) ([]chat.Member, int, error)
	set     func(socket, userID string, s chat.Status) (chat.Standing, error)
	remove  func(socket, userID string) (chat.Standing, error)
	there   func(userID string) (bool, error)
	post    func(p chat.Post) (chat.Receipt, error)
	recall  func(userID, key string) (chat.MessageID, bool, error)
	history func(q chat.Query) (chat.Page, error)
}

func (f *faulty) Join(ctx context.Context, room, socket string, u chat.User, atMost int) (chat.Change, error) {
	if f.join == nil {
		return f.Store.Join(ctx, room, socket, u, atMost)
	}
	return f.join(room, socket, u, atMost)
}

func (f *faulty) Leave(ctx context.Context, room, socket, userID string) (chat.Change, error) {
	if f.leave == nil {
		return f.Store.Leave(ctx, room, socket, userID)
	}
	return f.leave(room, socket, userID)
}

func (f *faulty) Rename(ctx context.Context, rooms []string, u chat.User) error {
	if f.rename == nil {
		return f.Store.Rename(ctx, rooms, u)
	}
	return f.rename(rooms, u)
}

func (f *faulty) Members(ctx context.Context, room string, atMost int) ([]chat.Member, int, error) {
	if f.members == nil {
		return f.Store.Members(ctx, room, atMost)
	}
	return f.members(room, atMost)
}

func (f *faulty) SetStatus(ctx context.Context, socket, userID string, s chat.Status) (chat.Standing, error) {
	if f.set == nil {
		return f.Store.SetStatus(ctx, socket, userID, s)
	}
	return f.set(socket, userID, s)
}

func (f *faulty) Remove(ctx context.Context, socket, userID string) (chat.Standing, error) {
	if f.remove == nil {
		return f.Store.Remove(ctx, socket, userID)
	}
	return f.remove(socket, userID)
}

func (f *faulty) Connected(ctx context.Context, userID string) (bool, error) {
	if f.there == nil {
		return f.Store.Connected(ctx, userID)
	}
	return f.there(userID)
}

func (f *faulty) Post(ctx context.Context, p chat.Post) (chat.Receipt, error) {
	if f.post == nil {
		return f.Store.Post(ctx, p)
	}
	return f.post(p)
}

func (f *faulty) Recall(ctx context.Context, userID, key string) (chat.MessageID, bool, error) {
	if f.recall == nil {
		return f.Store.Recall(ctx, userID, key)
	}
	return f.recall(userID, key)
}

func (f *faulty) History(ctx context.Context, q chat.Query) (chat.Page, error) {
	if f.history == nil {
		return f.Store.History(ctx, q)
	}
	return f.history(q)
}

var background = context.Background()

// TestFaults shows that the kit notices: each of these faults fails the case
// that is about it.
func TestFaults(t *testing.T) {
	for _, test := range []struct {
		fault, by string
		store     func(m chat.Store) *faulty
	}{
		{"counts sockets", "users are counted", func(m chat.Store) *faulty {
			return &faulty{Store: m, join: func(room, socket string, u chat.User, atMost int) (chat.Change, error) {
				u.ID = socket
				return m.Join(background, room, socket, u, atMost)
			}}
		}},
		{"counts a socket twice", "again changes nothing", func(m chat.Store) *faulty {
			n := 0
			return &faulty{Store: m, join: func(room, socket string, u chat.User, atMost int) (chat.Change, error) {
				n++
				return m.Join(background, room, fmt.Sprint(socket, n), u, atMost)
			}}
		}},
		{"takes any socket for a user's last", "again changes nothing", func(m chat.Store) *faulty {
			return &faulty{Store: m, leave: func(room, socket, userID string) (chat.Change, error) {
				c, err := m.Leave(background, room, socket, userID)
				c.Turned = true
				return c, err
			}}
		}},
		{"does not know that users may be their sockets", "users that are their sockets are counted", func(m chat.Store) *faulty {
			return &faulty{Store: m, leave: func(room, socket, userID string) (chat.Change, error) {
				if socket == userID {
					return chat.Change{}, nil
				}
				return m.Leave(background, room, socket, userID)
			}}
		}},
		{"lists without order", "lists", func(m chat.Store) *faulty {
			return &faulty{Store: m, members: func(room string, atMost int) ([]chat.Member, int, error) {
				list, n, err := m.Members(background, room, 1000)
				slices.Reverse(list)
				return list[:min(len(list), atMost)], n, err
			}}
		}},
		{"counts what it lists", "lists", func(m chat.Store) *faulty {
			return &faulty{Store: m, members: func(room string, atMost int) ([]chat.Member, int, error) {
				list, _, err := m.Members(background, room, atMost)
				return list, len(list), err
			}}
		}},
		{"lists before it joins", "join lists", func(m chat.Store) *faulty {
			return &faulty{Store: m, join: func(room, socket string, u chat.User, atMost int) (chat.Change, error) {
				list, _, _ := m.Members(background, room, max(atMost, 0))
				c, err := m.Join(background, room, socket, u, -1)
				c.Members = list
				return c, err
			}}
		}},
		{"cuts names at a separator", "names do not collide", func(m chat.Store) *faulty {
			return &faulty{Store: m, join: func(room, socket string, u chat.User, atMost int) (chat.Change, error) {
				room, _, _ = strings.Cut(room, ":")
				return m.Join(background, room, socket, u, atMost)
			}}
		}},
		{"has one room", "rooms are apart", func(m chat.Store) *faulty {
			return &faulty{
				Store: m,
				join: func(_, socket string, u chat.User, atMost int) (chat.Change, error) {
					return m.Join(background, "", socket, u, atMost)
				},
				members: func(_ string, atMost int) ([]chat.Member, int, error) { return m.Members(background, "", atMost) },
			}
		}},
		{"renames in all rooms", "rename", func(m chat.Store) *faulty {
			return &faulty{Store: m, rename: func(rooms []string, u chat.User) error {
				return m.Rename(background, append(rooms, "r3"), u)
			}}
		}},
		{"makes members of those it renames", "rename", func(m chat.Store) *faulty {
			return &faulty{Store: m, rename: func(rooms []string, u chat.User) error {
				for _, room := range rooms {
					_, _ = m.Join(background, room, u.ID, u, -1)
				}
				return m.Rename(background, rooms, u)
			}}
		}},
		{"looks before it joins", "one turns", func(m chat.Store) *faulty {
			return &faulty{Store: m, join: func(room, socket string, u chat.User, atMost int) (chat.Change, error) {
				list, n, _ := m.Members(background, room, 1000)
				there := slices.ContainsFunc(list, func(x chat.Member) bool { return x.User == u })
				runtime.Gosched()
				time.Sleep(time.Millisecond)
				_, err := m.Join(background, room, socket, u, atMost)
				if there {
					return chat.Change{Count: n}, err
				}
				return chat.Change{Turned: true, Count: n + 1}, err
			}}
		}},
		{"takes the last status for the user's", "status", func(m chat.Store) *faulty {
			return &faulty{Store: m, set: func(socket, userID string, s chat.Status) (chat.Standing, error) {
				st, err := m.SetStatus(background, socket, userID, s)
				st.Status = s
				return st, err
			}}
		}},
		{"always calls it a change", "status", func(m chat.Store) *faulty {
			return &faulty{Store: m, set: func(socket, userID string, s chat.Status) (chat.Standing, error) {
				st, err := m.SetStatus(background, socket, userID, s)
				st.Changed = true
				return st, err
			}}
		}},
		{"keeps no status of anonymous users", "status of a user that is its socket", func(m chat.Store) *faulty {
			return &faulty{Store: m, set: func(socket, userID string, s chat.Status) (chat.Standing, error) {
				if socket == userID {
					s = chat.Online
				}
				return m.SetStatus(background, socket, userID, s)
			}}
		}},
		{"forgets rooms", "rooms of a standing", func(m chat.Store) *faulty {
			return &faulty{Store: m, remove: func(socket, userID string) (chat.Standing, error) {
				st, err := m.Remove(background, socket, userID)
				st.Rooms = nil
				return st, err
			}}
		}},
		{"lists all as online", "lists have statuses", func(m chat.Store) *faulty {
			return &faulty{Store: m, members: func(room string, atMost int) ([]chat.Member, int, error) {
				list, n, err := m.Members(background, room, atMost)
				for i := range list {
					list[i].Status = chat.Online
				}
				return list, n, err
			}}
		}},
		{"takes a socket for the last", "connected", func(m chat.Store) *faulty {
			return &faulty{Store: m, remove: func(_, userID string) (chat.Standing, error) {
				_, _ = m.Remove(background, "s2", userID)
				return m.Remove(background, "s1", userID)
			}}
		}},
		{"takes all for connected", "connected", func(m chat.Store) *faulty {
			return &faulty{Store: m, there: func(string) (bool, error) { return true, nil }}
		}},
		{"remembers a key for everyone", "recall", func(m chat.Store) *faulty {
			return &faulty{
				Store: m,
				post: func(p chat.Post) (chat.Receipt, error) {
					p.UserID = ""
					return m.Post(background, p)
				},
				recall: func(_, key string) (chat.MessageID, bool, error) { return m.Recall(background, "", key) },
			}
		}},
		{"joins user and key", "recall", func(m chat.Store) *faulty {
			return &faulty{
				Store: m,
				post: func(p chat.Post) (chat.Receipt, error) {
					p.UserID, p.Key = "", p.UserID+":"+p.Key
					return m.Post(background, p)
				},
				recall: func(userID, key string) (chat.MessageID, bool, error) {
					return m.Recall(background, "", userID+":"+key)
				},
			}
		}},
		{"remembers by room", "repeats", func(m chat.Store) *faulty {
			return &faulty{Store: m, post: func(p chat.Post) (chat.Receipt, error) {
				if p.Key != "" {
					p.Key += p.Room
				}
				return m.Post(background, p)
			}}
		}},
		{"keeps repeats", "repeats", func(m chat.Store) *faulty {
			return &faulty{Store: m, post: func(p chat.Post) (chat.Receipt, error) {
				r, err := m.Post(background, p)
				if r.Outcome == chat.Repeated && p.Text != nil {
					p.Key = ""
					_, _ = m.Post(background, p)
				}
				return r, err
			}}
		}},
		{"looks before it remembers", "one is first", func(m chat.Store) *faulty {
			return &faulty{Store: m, post: func(p chat.Post) (chat.Receipt, error) {
				if first, ok, _ := m.Recall(background, p.UserID, p.Key); ok {
					return chat.Receipt{Outcome: chat.Repeated, ID: first}, nil
				}
				time.Sleep(time.Millisecond)
				_, err := m.Post(background, p)
				return chat.Receipt{ID: p.ID}, err
			}}
		}},
		{"drops what is late", "late", func(m chat.Store) *faulty {
			return &faulty{Store: m, post: func(p chat.Post) (chat.Receipt, error) {
				_, err := m.Post(background, p)
				return chat.Receipt{ID: p.ID}, err
			}}
		}},
		{"remembers what is late", "late", func(m chat.Store) *faulty {
			return &faulty{Store: m, post: func(p chat.Post) (chat.Receipt, error) {
				r, err := m.Post(background, p)
				if r.Outcome == chat.Late {
					p.Text = nil
					_, _ = m.Post(background, p)
				}
				return r, err
			}}
		}},
		{"includes the bound", "pages", func(m chat.Store) *faulty {
			return &faulty{Store: m, history: func(q chat.Query) (chat.Page, error) {
				if q.After {
					text, _ := strings.CutSuffix(q.Bound.String(), "7") // as all of the kit's end
					if before, ok := chat.ParseMessageID(text + "6"); ok {
						q.Bound = before
					}
				}
				return m.History(background, q)
			}}
		}},
		{"never has more", "pages", func(m chat.Store) *faulty {
			return &faulty{Store: m, history: func(q chat.Query) (chat.Page, error) {
				p, err := m.History(background, q)
				p.More = false
				return p, err
			}}
		}},
		{"newest first", "pages", func(m chat.Store) *faulty {
			return &faulty{Store: m, history: func(q chat.Query) (chat.Page, error) {
				p, err := m.History(background, q)
				slices.Reverse(p.Messages)
				return p, err
			}}
		}},
		{"has no size", "pages have a size", func(m chat.Store) *faulty {
			return &faulty{Store: m, history: func(q chat.Query) (chat.Page, error) {
				q.Bytes = 1 << 20
				return m.History(background, q)
			}}
		}},
		{"has nothing where it is too large", "pages have a size", func(m chat.Store) *faulty {
			return &faulty{Store: m, history: func(q chat.Query) (chat.Page, error) {
				if q.Bytes < 2 {
					return chat.Page{More: true}, nil
				}
				return m.History(background, q)
			}}
		}},
		{"forgets an empty room", "what is kept", func(m chat.Store) *faulty {
			gone := false
			return &faulty{
				Store: m,
				leave: func(room, socket, userID string) (chat.Change, error) {
					gone = true
					return m.Leave(background, room, socket, userID)
				},
				history: func(q chat.Query) (chat.Page, error) {
					if gone {
						return chat.Page{}, nil
					}
					return m.History(background, q)
				},
			}
		}},
		{"keeps all", "what is kept", func(chat.Store) *faulty {
			return &faulty{Store: chat.NewMemory(chat.MemoryOptions{History: 1000, HistoryBytes: 1 << 20, HistoryTotal: 1 << 20})}
		}},
		{"keeps the caller's buffer", "texts are as they were", func(m chat.Store) *faulty {
			var texts [][]byte
			return &faulty{
				Store: m,
				post: func(p chat.Post) (chat.Receipt, error) {
					texts = append(texts, p.Text)
					return chat.Receipt{ID: p.ID}, nil
				},
				history: func(chat.Query) (chat.Page, error) {
					p := chat.Page{}
					for _, text := range texts {
						p.Messages = append(p.Messages, string(text))
					}
					return p, nil
				},
			}
		}},
		{"has one history", "histories do not collide", func(m chat.Store) *faulty {
			return &faulty{
				Store: m,
				post: func(p chat.Post) (chat.Receipt, error) {
					p.Room = ""
					return m.Post(background, p)
				},
				history: func(q chat.Query) (chat.Page, error) {
					q.Room = ""
					return m.History(background, q)
				},
			}
		}},
		{"keeps out of order", "order of many", func(m chat.Store) *faulty {
			var mu sync.Mutex
			var texts []string
			return &faulty{
				Store: m,
				post: func(p chat.Post) (chat.Receipt, error) {
					mu.Lock()
					defer mu.Unlock()
					texts = append(texts, string(p.Text))
					return chat.Receipt{ID: p.ID}, nil
				},
				history: func(chat.Query) (chat.Page, error) {
					mu.Lock()
					defer mu.Unlock()
					p := chat.Page{Messages: texts}
					texts = nil
					return p, nil
				},
			}
		}},
	} {
		t.Run(test.fault, func(t *testing.T) {
			i := slices.IndexFunc(cases(), func(tc testCase) bool { return tc.name == test.by })
			if i < 0 {
				t.Fatalf("no case %q", test.by)
			}
			broken := func(_ testing.TB, o chat.MemoryOptions) []chat.Store {
				f := test.store(chat.NewMemory(o))
				return []chat.Store{f, f}
			}
			if !failing.Fails(t, func(t testing.TB) { cases()[i].run(newRig(t, broken)) }) {
				t.Errorf("the case %q passes", test.by)
			}
		})
	}
}

// Two stores that do not share their state are not two handles on one.
func TestSeparateStates(t *testing.T) {
	separate := func(_ testing.TB, o chat.MemoryOptions) []chat.Store {
		return []chat.Store{chat.NewMemory(o), chat.NewMemory(o)}
	}
	for _, tc := range cases() {
		if !failing.Fails(t, func(t testing.TB) { tc.run(newRig(t, separate)) }) {
			t.Errorf("the case %q passes", tc.name)
		}
	}
}
