package admin

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/seed3686fee0/parlor/internal/static"
)

// UIOptions say where [UI] serves the page, and what it connects to.
type UIOptions struct {
	// Icons are the files of npm's @mdi/font, of which the page uses the font.
	// They are required: without them its buttons are blank.
	Icons fs.FS
	// Path is where the handler is mounted. It begins and ends with a slash;
	// "/admin/" if empty.
	Path string

	// The connect form is filled in for the server that the page comes from.
	// SocketPath is that of its Socket.IO endpoint, "/socket.io/" if empty, and
	// Namespace the one that [Mount] has been given, "/admin" if empty.
	SocketPath, Namespace string
	// MessagePack says that the server speaks MessagePack instead of JSON.
	MessagePack bool
	// WebSocketOnly says that the page has to connect without polling, as to
	// several instances without sticky sessions. Otherwise whoever uses the page
	// chooses.
	WebSocketOnly bool
}

// The files of the page and of the icons that matter here.
const (
	indexName   = "index.html"
	iconsDir    = "icons/"
	iconsStyle  = "css/materialdesignicons.min.css"
	iconsFont   = "fonts/materialdesignicons-webfont.woff2"
	iconsNotice = "LICENSE"
)

// uiPolicy is the Content-Security-Policy of the page: it loads from and connects
// to its own server alone. Its components set styles.
const uiPolicy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed page
var connectPage embed.FS

// hashedName is the name of a file that has another when it changes.
var hashedName = regexp.MustCompile(`\.[0-9a-f]{8}\.[a-z0-9]+$`)

// UI returns a handler for the page of npm's @socket.io/admin-ui, whose files,
// those of its ui/dist, are in page. What is at opts.Path itself fills in the
// connect form and goes on to the page, which is served as it is but for what it
// would load from other servers: its icons come from opts.Icons, its letters from
// the system.
//
// The handler may be used concurrently, and reads the files once, here. It
// answers the paths of the files, opts.Path, and that without its last slash, by a
// redirect; any other is not found. The page is nothing secret, and who may use
// it is for the namespace to say: [Mount] does not need it, nor it [Mount].
func UI(page fs.FS, opts UIOptions) (http.Handler, error) {
	opts.Path = cmp.Or(opts.Path, "/admin/")
	opts.SocketPath = cmp.Or(opts.SocketPath, "/socket.io/")
	opts.Namespace = cmp.Or(opts.Namespace, "/admin")
	switch {
	case !strings.HasPrefix(opts.Path, "/") || !strings.HasSuffix(opts.Path, "/"):
		return nil, fmt.Errorf("admin: UI: the path %q does not begin and end with a slash", opts.Path)
	case page == nil:
		return nil, errors.New("admin: UI: there is no page; give it the files in ui/dist of npm's @socket.io/admin-ui")
	case opts.Icons == nil:
		return nil, errors.New("admin: UI: there are no icons; give it the files of npm's @mdi/font")
	}
	u := &ui{path: opts.Path, files: map[string]http.Handler{}}
	for _, add := range []func() error{
		func() error { return u.addPage(page) },
		func() error { return u.addIcons(opts.Icons) },
		func() error { return u.addConnect(opts) },
	} {
		if err := add(); err != nil {
			return nil, fmt.Errorf("admin: UI: %w", err)
		}
	}
	return u, nil
}

// ui is immutable.
type ui struct {
	path  string
	files map[string]http.Handler // by their path below path
}

// ServeHTTP implements [http.Handler].
func (u *ui) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, below := strings.CutPrefix(r.URL.Path, u.path)
	if file, ok := u.files[name]; below && ok {
		file.ServeHTTP(w, r)
		return
	}
	if u.path != "/" && r.URL.Path == strings.TrimSuffix(u.path, "/") {
		// Relative, for a proxy may serve it below another path.
		w.Header().Set("Location", path.Base(u.path)+"/")
		w.WriteHeader(http.StatusFound)
		return
	}
	http.NotFound(w, r)
}

func (u *ui) add(name string, content []byte) {
	cache := static.Ask
	if hashedName.MatchString(name) {
		cache = static.ForGood
	}
	u.files[name] = static.New(name, content, cache, uiPolicy)
}

// addPage adds all files but source maps, which are several times as large as
// the rest, and what tools leave behind.
func (u *ui) addPage(page fs.FS) error {
	err := fs.WalkDir(page, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".":
			return nil
		case strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir() || path.Ext(name) == ".map":
			return nil
		}
		content, err := fs.ReadFile(page, name)
		if err != nil {
			return err
		}
		if name == indexName {
			if content, err = localIndex(content); err != nil {
				return err
			}
		}
		u.add(name, content)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the page: %w", err)
	}
	if u.files[indexName] == nil {
		return errors.New("read the page: there is no " + indexName + "; it is in ui/dist of npm's @socket.io/admin-ui")
	}
	return nil
}

// What the page loads from other servers, and how else that could look.
var (
	lettersLink = regexp.MustCompile(`<link rel="stylesheet" href="https://fonts\.googleapis\.com/[^"]*">`)
	iconsLink   = regexp.MustCompile(`<link rel="stylesheet" href="https://cdn\.jsdelivr\.net/npm/@mdi/font@[^"]*\.css">`)
	outsideLink = regexp.MustCompile(`\s(?:href|src)="(?:[a-z]+:)?//[^"]*"`)
)

// localIndex returns the page without what it loads from other servers. A page
// that is not the one that this was written for is an error: part of it would be
// missing, or would tell others who looks at it.
func localIndex(index []byte) ([]byte, error) {
	const unknown = "it is not the " + indexName + " of @socket.io/admin-ui 0.5: "
	letters, icons := len(lettersLink.FindAllIndex(index, -1)), len(iconsLink.FindAllIndex(index, -1))
	if letters != 1 || icons != 1 {
		return nil, fmt.Errorf(unknown+"it loads Roboto %d times and the icons %d times, not each once", letters, icons)
	}
	index = lettersLink.ReplaceAllLiteral(index, nil)
	index = iconsLink.ReplaceAllLiteral(index, []byte(`<link rel="stylesheet" href="`+iconsDir+iconsStyle+`">`))
	if link := outsideLink.Find(index); link != nil {
		return nil, fmt.Errorf(unknown+"it has%s", link)
	}
	return index, nil
}

// addIcons adds the style sheet, the font that it loads, in the one form that all
// browsers of today know, and their licence.
func (u *ui) addIcons(icons fs.FS) error {
	for _, name := range []string{iconsStyle, iconsFont, iconsNotice} {
		content, err := fs.ReadFile(icons, name)
		if err != nil {
			return fmt.Errorf("read the icons, which are the files of npm's @mdi/font: %w", err)
		}
		u.add(iconsDir+name, content)
	}
	return nil
}

// addConnect adds what fills in the form.
func (u *ui) addConnect(opts UIOptions) error {
	const script = "connect.js"
	if u.files[script] != nil {
		return errors.New("the page has a " + script + " of its own")
	}
	tmpl, err := template.ParseFS(connectPage, "page/connect.html")
	if err != nil {
		return err
	}
	parser := "default"
	if opts.MessagePack {
		parser = "msgpack"
	}
	var content bytes.Buffer
	err = tmpl.Execute(&content, struct {
		UIOptions
		Parser string
	}{opts, parser})
	if err != nil {
		return err
	}
	u.files[""] = static.New(indexName, content.Bytes(), static.Ask, uiPolicy)
	js, err := connectPage.ReadFile("page/" + script)
	if err != nil {
		return err
	}
	u.add(script, js)
	return nil
}
