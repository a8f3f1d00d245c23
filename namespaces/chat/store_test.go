package chat_test

import (
	"testing"

	"github.com/seed3686fee0/parlor/namespaces/chat"
	"github.com/seed3686fee0/parlor/namespaces/chat/storetest"
)

func TestMemoryIsAStore(t *testing.T) {
	storetest.Run(t, func(_ testing.TB, o chat.MemoryOptions) []chat.Store {
		m := chat.NewMemory(o)
		return []chat.Store{m, m}
	})
}
