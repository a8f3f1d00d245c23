package config

// admin is the shape of `parlor admin`.
type admin struct {
	Sockets   AdminSockets   `cmd:"" help:"List and search the sockets of all servers."`
	Rooms     AdminRooms     `cmd:"" help:"List the rooms of all servers, with how many sockets are in them."`
	Kick      AdminKick      `cmd:"" help:"Disconnect a user, a socket or a room."`
	Broadcast AdminBroadcast `cmd:"" help:"Send an event to everyone in a namespace or room."`
	Stats     AdminStats     `cmd:"" help:"Print the statistics of all servers."`
	Hash      struct{}       `cmd:"" help:"Print the bcrypt hash of a password, which is read from the standard input: parlor admin hash > file."`
}

// AdminHash is `parlor admin hash`.
type AdminHash struct{}

func (AdminHash) validate(map[string]bool) error { return nil }
