package admin_test

import (
	"errors"
	"log"
	"log/slog"
	"net/http"
	"os"

	"github.com/seed3686fee0/parlor/namespaces/admin"
	"github.com/seed3686fee0/parlor/server"
)

// A server with the namespace /admin, the page and the API. The page's files are
// those of npm's @socket.io/admin-ui and @mdi/font.
//
//nolint:testableexamples // it serves until it is stopped
func Example() {
	io := server.New()
	a, err := admin.Mount(io, admin.Options{
		Auth: admin.Basic("ops", os.Getenv("OPS_PASSWORD_HASH")), // parlor admin hash prints one
		Authorize: func(p admin.Principal, c admin.Command) error {
			if c.Name == "disconnect" && c.Filter == "" {
				return errors.New("nobody disconnects everyone")
			}
			return nil
		},
		Logger: slog.Default(),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	page, err := admin.UI(os.DirFS("node_modules/@socket.io/admin-ui/ui/dist"), admin.UIOptions{
		Icons: os.DirFS("node_modules/@mdi/font"),
	})
	if err != nil {
		log.Print(err)
		return
	}
	http.Handle(io.Path(), io)
	http.Handle("/admin/", page)
	http.Handle("/admin/api/", http.StripPrefix("/admin/api", a.API()))
	log.Print(http.ListenAndServe(":3000", nil))
}
