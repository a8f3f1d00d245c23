package admin

// userOf says whose socket it is by its data, which is what namespaces and
// applications agree on by custom alone: the id is the first of userId, user.id,
// user and username that is a text or a number, the name the first of user.name,
// user, name and username. Without an id the name is the id, and the other way
// round.
func userOf(data any) (id, name string) {
	fields, ok := data.(map[string]any)
	if !ok {
		return "", ""
	}
	user, _ := fields["user"].(map[string]any)
	id = firstText(fields["userId"], user["id"], fields["user"], fields["username"])
	name = firstText(user["name"], fields["user"], fields["name"], fields["username"])
	switch {
	case id == "":
		id = name
	case name == "":
		name = id
	}
	return id, name
}

func firstText(values ...any) string {
	for _, v := range values {
		if text, ok := plain(v); ok && text != "" {
			return text
		}
	}
	return ""
}
