// Package static serves files that are in memory to browsers: with a type that
// does not depend on the host, compressed, tagged, and under a policy.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// types gives the content type of a file by the end of its name. They are not
// left to the host's MIME table, which on some systems calls scripts plain text;
// a browser then refuses to run them.
var types = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".map":         "application/json",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
	".woff2":       "font/woff2",
}

// OtherType is that of a file whose type is not known: something to save, never
// something to run.
const OtherType = "application/octet-stream"

// packed are the types that are compressed already.
var packed = map[string]bool{"image/png": true, "font/woff2": true, OtherType: true}

// What Cache-Control says.
const (
	ForGood = "public, max-age=31536000, immutable" // for names that change with the content
	Ask     = "no-cache"                            // each time; the tag makes the answer short
)

// File is a file in memory. It is an [http.Handler] for the one path that it is
// at, immutable and safe for concurrent use.
type File struct {
	name, contentType, cache, policy string
	plain                            variant
	zipped                           func() variant // made when first asked for; no content when there is none
}

// variant is one form of a file; each has a tag of its own.
type variant struct {
	etag    string
	content []byte
}

// New returns the file of that name, which says its type; content is not copied.
// cache is [ForGood] or [Ask], and policy the Content-Security-Policy.
func New(name string, content []byte, cache, policy string) *File {
	f := &File{name: name, contentType: types[path.Ext(name)], cache: cache, policy: policy}
	if f.contentType == "" {
		f.contentType = OtherType
	}
	sum := sha256.Sum256(content)
	tag := hex.EncodeToString(sum[:8])
	f.plain = variant{etag: `"` + tag + `"`, content: content}
	f.zipped = sync.OnceValue(func() variant {
		if packed[f.contentType] {
			return variant{}
		}
		short := compress(content)
		if len(short) >= len(content) {
			return variant{}
		}
		return variant{etag: `"` + tag + `-gzip"`, content: short}
	})
	return f
}

func compress(content []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return content // there is such a level
	}
	_, _ = w.Write(content) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// ServeHTTP implements [http.Handler].
func (f *File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	form := f.plain
	if zipped := f.zipped(); len(zipped.content) > 0 {
		header.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Values("Accept-Encoding")) {
			form = zipped
			header.Set("Content-Encoding", "gzip")
			// ServeContent leaves it out beside an encoding.
			header.Set("Content-Length", strconv.Itoa(len(form.content)))
		}
	}
	header.Set("Content-Type", f.contentType)
	header.Set("Content-Security-Policy", f.policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", f.cache)
	header.Set("ETag", form.etag)
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(form.content))
}

// acceptsGzip reads the values of Accept-Encoding. What is named beats "*", and a
// weight of zero means no.
func acceptsGzip(values []string) bool {
	others := false
	for _, value := range values {
		for item := range strings.SplitSeq(value, ",") {
			name, params, _ := strings.Cut(item, ";")
			weight := 1.0
			if key, q, ok := strings.Cut(params, "="); ok && strings.EqualFold(strings.TrimSpace(key), "q") {
				var err error
				if weight, err = strconv.ParseFloat(strings.TrimSpace(q), 64); err != nil {
					weight = 0
				}
			}
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "gzip", "x-gzip":
				return weight > 0
			case "*":
				others = weight > 0
			}
		}
	}
	return others
}
