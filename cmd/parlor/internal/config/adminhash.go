package config

// admin is the shape of `parlor admin`.
type admin struct {
	Hash struct{} `cmd:"" help:"Print the bcrypt hash of a password, which is read from the standard input: parlor admin hash > file."`
}

// AdminHash is `parlor admin hash`.
type AdminHash struct{}

func (AdminHash) validate(map[string]bool) error { return nil }
