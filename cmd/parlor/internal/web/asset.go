package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path"
	"strconv"
	"strings"
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

// otherType is that of a file that the table does not know: something to save,
// never something to run.
const otherType = "application/octet-stream"

// packed are the types that are compressed already.
var packed = map[string]bool{"image/png": true, "font/woff2": true, otherType: true}

// hashed is where the app has files whose names change with their content.
const hashed = "assets/"

const (
	forGood = "public, max-age=31536000, immutable"
	ask     = "no-cache" // each time; the tag makes the answer short
)

// policy lets the page load from and connect to its own server and nothing
// else; blob: and data: are pictures that a chat has received. It is strict
// enough to hold even if a name or a message were ever put into the page as
// markup.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; " +
	"font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// asset is a file in memory, with its gzip form where that is shorter. It is
// immutable and safe for concurrent use.
type asset struct {
	name, contentType, cache string
	plain, zipped            variant // zipped has no content when there is none
}

// variant is one form of an asset; each has a tag of its own.
type variant struct {
	etag    string
	content []byte
}

// newAsset makes the asset of a file whose name is its path without the leading
// slash.
func newAsset(name string, content []byte) *asset {
	a := &asset{name: name, contentType: types[path.Ext(name)], cache: ask}
	if a.contentType == "" {
		a.contentType = otherType
	}
	if strings.HasPrefix(name, hashed) {
		a.cache = forGood
	}
	sum := sha256.Sum256(content)
	tag := hex.EncodeToString(sum[:8])
	a.plain = variant{etag: `"` + tag + `"`, content: content}
	if short := compress(content); !packed[a.contentType] && len(short) < len(content) {
		a.zipped = variant{etag: `"` + tag + `-gzip"`, content: short}
	}
	return a
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
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	form := a.plain
	if len(a.zipped.content) > 0 {
		header.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Values("Accept-Encoding")) {
			form = a.zipped
			header.Set("Content-Encoding", "gzip")
			// ServeContent leaves it out beside an encoding.
			header.Set("Content-Length", strconv.Itoa(len(form.content)))
		}
	}
	header.Set("Content-Type", a.contentType)
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", a.cache)
	header.Set("ETag", form.etag)
	http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(form.content))
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
