package admin

import "net/http"

// API is a JSON API beside the page.
func (a *Admin) API() http.Handler { return http.NotFoundHandler() }
