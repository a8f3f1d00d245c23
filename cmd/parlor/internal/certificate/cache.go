package certificate

import (
	"context"
	"strings"
	"sync"

	"golang.org/x/crypto/acme/autocert"
)

// A cache keeps certificates in a directory. One that cannot be kept is used all the
// same: autocert, when told, would drop it and ask the authority for another, again
// and again. All methods may be called concurrently.
type cache struct {
	autocert.DirCache

	mu     sync.Mutex
	failed error // why something was not kept, which is to be said; guarded by mu
}

// Put implements [autocert.Cache].
func (c *cache) Put(ctx context.Context, name string, data []byte) error {
	err := c.DirCache.Put(ctx, name, data)
	if err == nil || strings.HasSuffix(name, "+token") { // the answer to a question of the authority, which nobody asks again
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = err
	return nil
}

// failure returns, once, why something was not kept; nil if all was.
func (c *cache) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.failed
	c.failed = nil
	return err
}
