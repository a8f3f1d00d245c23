package admin_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/namespaces/admin"
	"github.com/seed3686fee0/parlor/namespaces/admin/adminapi"
)

const everyone = `{"namespace":"/chat","target":{"all":true}}`

// What is wrong with a request is said: what, where, and what to do.
func TestAPIBadRequests(t *testing.T) {
	o := openOffice(t, admin.Options{Auth: admin.Basic(apiUser, hash)})
	long := strings.Repeat("x", 1025)
	for name, test := range map[string]struct {
		call
		status int
		code   string
		field  string
	}{
		"no path":              {call{path: "v2/sockets"}, 404, "not_found", ""},
		"the top":              {call{path: ""}, 404, "not_found", ""},
		"a path to clean":      {call{path: "v1//sockets"}, 404, "not_found", ""},
		"dots":                 {call{path: "v1/x/../sockets"}, 404, "not_found", ""},
		"a slash too many":     {call{path: "v1/sockets/"}, 404, "not_found", ""},
		"POST to a list":       {call{path: "v1/sockets", method: "POST"}, 405, "method_not_allowed", ""},
		"GET of a command":     {call{path: "v1/disconnect"}, 405, "method_not_allowed", ""},
		"a preflight":          {call{path: "v1/disconnect", method: "OPTIONS"}, 405, "method_not_allowed", ""},
		"a body on GET":        {call{path: "v1/stats", method: "GET", body: "{}"}, 400, "bad_request", ""},
		"a query on POST":      {call{path: "v1/disconnect?all=1", body: everyone}, 400, "bad_request", ""},
		"an unknown parameter": {call{path: "v1/sockets?usr=ada"}, 400, "bad_request", "usr"},
		"twice":                {call{path: "v1/sockets?user=ada&user=bob"}, 400, "bad_request", "user"},
		"empty":                {call{path: "v1/sockets?user="}, 400, "bad_request", "user"},
		"no field of data":     {call{path: "v1/sockets?data.=x"}, 400, "bad_request", "data."},
		"limit 0":              {call{path: "v1/sockets?limit=0"}, 400, "bad_request", "limit"},
		"limit too high":       {call{path: "v1/rooms?limit=1001"}, 400, "bad_request", "limit"},
		"no number":            {call{path: "v1/sockets?limit=many"}, 400, "bad_request", "limit"},
		"no cursor":            {call{path: "v1/sockets?cursor=abc"}, 400, "bad_request", "cursor"},
		"no address":           {call{path: "v1/sockets?address=home"}, 400, "bad_request", "address"},
		"a semicolon":          {call{path: "v1/sockets?a=1;b=2"}, 400, "bad_request", ""},
		"a long query":         {call{path: "v1/sockets?user=" + strings.Repeat("x", 5000)}, 400, "bad_request", ""},
		"a foreign namespace":  {call{path: "v1/sockets?namespace=/nope"}, 404, "not_found", ""},
		"no such socket":       {call{path: "v1/sockets/nobody"}, 404, "not_found", ""},

		"no type":             {call{path: "v1/disconnect", body: everyone, header: map[string]string{"Content-Type": ""}}, 415, "unsupported_media_type", ""},
		"a form":              {call{path: "v1/disconnect", body: everyone, header: map[string]string{"Content-Type": "text/plain"}}, 415, "unsupported_media_type", ""},
		"another charset":     {call{path: "v1/disconnect", body: everyone, header: map[string]string{"Content-Type": "application/json; charset=utf-16"}}, 415, "unsupported_media_type", ""},
		"compressed":          {call{path: "v1/disconnect", body: everyone, header: map[string]string{"Content-Encoding": "gzip"}}, 415, "unsupported_media_type", ""},
		"too large":           {call{path: "v1/emit", body: `{"event":"` + strings.Repeat("x", 1<<20) + `"}`}, 413, "too_large", ""},
		"no body":             {call{path: "v1/disconnect", method: "POST"}, 400, "bad_request", ""},
		"no JSON":             {call{path: "v1/disconnect", body: "kick ada"}, 400, "bad_request", ""},
		"more than one value": {call{path: "v1/disconnect", body: everyone + everyone}, 400, "bad_request", ""},
		"an array":            {call{path: "v1/disconnect", body: "[]"}, 400, "bad_request", ""},
		"an unknown member":   {call{path: "v1/disconnect", body: `{"namespace":"/chat","target":{"usr":"ada"}}`}, 400, "bad_request", "/target/usr"},
		"a member twice":      {call{path: "v1/disconnect", body: `{"target":{"user":"a"},"target":{"user":"b"}}`}, 400, "bad_request", "/target"},
		"another type":        {call{path: "v1/disconnect", body: `{"target":{"user":7}}`}, 400, "bad_request", "/target/user"},
		"another case":        {call{path: "v1/disconnect", body: `{"Target":{"user":"a"}}`}, 400, "bad_request", "/Target"},
		"no target":           {call{path: "v1/disconnect", body: `{"namespace":"/chat"}`}, 400, "bad_request", "/target"},
		"an empty target":     {call{path: "v1/disconnect", body: `{"namespace":"/chat","target":{"room":""}}`}, 400, "bad_request", "/target"},
		"two targets":         {call{path: "v1/disconnect", body: `{"namespace":"/chat","target":{"room":"a","user":"b"}}`}, 400, "bad_request", "/target"},
		"not all":             {call{path: "v1/disconnect", body: `{"namespace":"/chat","target":{"all":false}}`}, 400, "bad_request", "/target"},
		"all of what":         {call{path: "v1/disconnect", body: `{"target":{"all":true}}`}, 400, "bad_request", "/namespace"},
		"a room of what":      {call{path: "v1/disconnect", body: `{"target":{"room":"a"}}`}, 400, "bad_request", "/namespace"},
		"an event to where":   {call{path: "v1/emit", body: `{"target":{"user":"a"},"event":"x"}`}, 400, "bad_request", "/namespace"},
		"a long target":       {call{path: "v1/disconnect", body: `{"target":{"user":"` + long + `"}}`}, 400, "bad_request", "/target/user"},
		"a long room":         {call{path: "v1/join", body: `{"namespace":"/chat","target":{"user":"a"},"room":"` + long + `"}`}, 400, "bad_request", "/room"},
		"no room":             {call{path: "v1/join", body: `{"namespace":"/chat","target":{"user":"a"}}`}, 400, "bad_request", "/room"},
		"no event":            {call{path: "v1/emit", body: everyone}, 400, "bad_request", "/event"},
		"a reserved event":    {call{path: "v1/emit", body: `{"namespace":"/chat","target":{"all":true},"event":"connect_error"}`}, 400, "bad_request", "/event"},
		"args of no array":    {call{path: "v1/emit", body: `{"namespace":"/chat","target":{"all":true},"event":"x","args":"y"}`}, 400, "bad_request", "/args"},
		"the admins":          {call{path: "v1/disconnect", body: `{"namespace":"/admin","target":{"all":true}}`}, 403, "forbidden", "/namespace"},
		"an odd namespace":    {call{path: "v1/disconnect", body: `{"namespace":"chat","target":{"all":true}}`}, 404, "not_found", ""},
		"an empty room":       {call{path: "v1/disconnect", body: `{"namespace":"/chat","target":{"room":"empty"}}`}, 404, "not_found", ""},
		"an absent user":      {call{path: "v1/disconnect", body: `{"target":{"user":"nobody"}}`}, 404, "not_found", ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := *o
			o.t = t
			e, header := o.refused(test.call, test.status)
			if e.Code != test.code || e.Field != test.field {
				t.Errorf("%+v, not %s at %q", e, test.code, test.field)
			}
			if allow := header.Get("Allow"); (allow != "") != (test.status == http.StatusMethodNotAllowed) {
				t.Errorf("Allow: %q", allow)
			}
		})
	}
	if n := len(o.io.Namespaces()); n != 3 {
		t.Errorf("there are %d namespaces now", n)
	}
	if o.said("msg=\"admin command\"") > 0 {
		t.Errorf("something was done:\n%s", o.log)
	}
}

// Nobody gets in without good credentials, and no answer has a browser ask for a
// password.
func TestAPICredentials(t *testing.T) {
	token := admin.JWT(func(_ context.Context, token string) (admin.Principal, error) {
		switch token {
		case "eyJ.admin.x":
			return admin.Principal{Name: "Ada", Roles: []string{"editor", "admin"}}, nil
		case "eyJ.user.x":
			return admin.Principal{Name: "Bob", Roles: []string{"editor"}}, nil
		}
		return admin.Principal{}, errors.New("a bad token")
	}, "admin")
	sessions := admin.NewMemorySessions(10)
	if err := sessions.Put(t.Context(), "5e5510n", admin.Principal{Name: "Eve", Credential: admin.NodeCredential}, time.Hour); err != nil {
		t.Fatal(err)
	}
	o := openOffice(t, admin.Options{Auth: admin.Any(admin.Basic(apiUser, hash), token), Sessions: sessions})
	for name, test := range map[string]struct {
		authorization string
		ok            bool
	}{
		"none":             {"", false},
		"a wrong password": {"Basic YWRtaW46d3Jvbmc=", false},
		"another user":     {"Basic b3B0OmNoYW5nZWl0", false},
		"half of it":       {"Basic b3Bz", false},
		"a token":          {"Bearer eyJ.admin.x", true},
		"any case":         {"bearer eyJ.admin.x", true},
		"without the role": {"Bearer eyJ.user.x", false},
		"a bad token":      {"Bearer eyJ.bad.x", false},
		"an empty token":   {"Bearer ", false},
		"a session":        {"Bearer 5e5510n", true},
		"another scheme":   {"Digest eyJ.admin.x", false},
	} {
		t.Run(name, func(t *testing.T) {
			o := *o
			o.t = t
			c := call{path: "v1/stats", header: map[string]string{"Authorization": test.authorization}}
			if test.ok {
				ask[adminapi.Stats](&o, c)
				return
			}
			e, header := o.refused(c, http.StatusUnauthorized)
			if e.Code != "unauthenticated" || header.Get("WWW-Authenticate") != `Bearer realm="admin"` {
				t.Errorf("%+v, %s", e, header)
			}
		})
	}
	for _, secret := range []string{"eyJ.", "5e5510n", "wrong", "b3Bz", password} {
		if o.said(secret) > 0 {
			t.Errorf("%q is in the log:\n%s", secret, o.log)
		}
	}
	// A cookie is nobody's credentials.
	o.refused(call{path: "v1/stats", header: map[string]string{"Authorization": "", "Cookie": "session=5e5510n"}}, http.StatusUnauthorized)
}

// What a page of another origin has a browser send is refused, whatever it knows.
func TestAPIForeignOrigins(t *testing.T) {
	o := openOffice(t, admin.Options{Auth: admin.Basic(apiUser, hash)})
	for name, test := range map[string]struct {
		header map[string]string
		ok     bool
	}{
		"no browser":        {nil, true},
		"its own page":      {map[string]string{"Origin": o.url, "Sec-Fetch-Site": "same-origin"}, true},
		"an old browser":    {map[string]string{"Origin": o.url}, true},
		"the address bar":   {map[string]string{"Sec-Fetch-Site": "none"}, true},
		"another page":      {map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, false},
		"a sibling":         {map[string]string{"Sec-Fetch-Site": "same-site"}, false},
		"an old browser's":  {map[string]string{"Origin": "https://evil.example"}, false},
		"a sandboxed frame": {map[string]string{"Origin": "null"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := *o
			o.t = t
			for _, c := range []call{
				{path: "v1/stats", header: test.header},
				{path: "v1/disconnect", body: everyone, header: test.header},
			} {
				if test.ok {
					ask[map[string]any](&o, c)
				} else if e, _ := o.refused(c, http.StatusForbidden); e.Code != "foreign_origin" {
					t.Errorf("%+v", e)
				}
			}
		})
	}
	response, _ := o.send(call{path: "v1/stats", header: map[string]string{"Origin": o.url}})
	for name := range response.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("%s: %s", name, response.Header.Get(name))
		}
	}
}

// Who may only look may do nothing else, and is told so before anybody is looked
// for; what an application does not authorize is not done.
func TestAPIRights(t *testing.T) {
	t.Run("read-only", func(t *testing.T) {
		o := openOffice(t, admin.Options{Auth: admin.Basic(apiUser, hash), ReadOnly: true})
		for path, body := range map[string]string{
			"v1/disconnect": `{"target":{"user":"nobody"}}`,
			"v1/join":       `{"namespace":"/","target":{"all":true},"room":"x"}`,
			"v1/leave":      `{"namespace":"/","target":{"all":true},"room":"x"}`,
			"v1/emit":       `{"namespace":"/","target":{"all":true},"event":"x"}`,
		} {
			if e, _ := o.refused(call{path: path, body: body}, http.StatusForbidden); e.Code != "forbidden" {
				t.Errorf("%s: %+v", path, e)
			}
		}
		ask[adminapi.Stats](o, call{path: "v1/stats"})
		if n := o.said(`msg="admin command refused" admin=admin`); n != 4 {
			t.Errorf("%d refusals in the log:\n%s", n, o.log)
		}
	})
	t.Run("Authorize", func(t *testing.T) {
		o := openOffice(t, admin.Options{Auth: admin.Basic(apiUser, hash), Authorize: func(p admin.Principal, c admin.Command) error {
			if p.Name == apiUser && c.Name == "disconnect" {
				return errors.New("admin may not disconnect anybody")
			}
			return nil
		}})
		if e, _ := o.refused(call{path: "v1/disconnect", body: everyone}, http.StatusForbidden); e.Message != "admin may not disconnect anybody" {
			t.Errorf("%+v", e)
		}
		ask[adminapi.Done](o, call{path: "v1/emit", body: `{"namespace":"/","target":{"all":true},"event":"x"}`})
	})
	t.Run("production", func(t *testing.T) {
		o := openOffice(t, admin.Options{Auth: admin.Basic(apiUser, hash), Mode: admin.Production})
		for _, path := range []string{"v1/sockets", "v1/sockets/x", "v1/rooms"} {
			o.refused(call{path: path}, http.StatusForbidden)
		}
		ask[adminapi.Stats](o, call{path: "v1/stats"})
		ask[adminapi.Done](o, call{path: "v1/emit", body: `{"namespace":"/","target":{"all":true},"event":"x"}`})
	})
	t.Run("insecure", func(t *testing.T) {
		o := openOffice(t, admin.Options{Auth: admin.Insecure()})
		ask[adminapi.Stats](o, call{path: "v1/stats", header: map[string]string{"Authorization": ""}})
	})
}

// Who has the password is not taken for somebody who guesses, however many
// requests are under way.
func TestAPIManyAtOnce(t *testing.T) {
	o := openOffice(t, admin.Options{Auth: admin.Basic(apiUser, hash)})
	var asking sync.WaitGroup
	for range 60 {
		asking.Go(func() { ask[adminapi.Stats](o, call{path: "v1/stats"}) })
	}
	asking.Wait()
}
