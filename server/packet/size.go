package packet

// Size returns about how many bytes the packet is as a message, attachments
// included.
func (p *Packet) Size() int {
	n := len(p.Namespace) + len(p.Args.joined()) + 24
	if p.Args.list != nil && p.Args.list.att != nil {
		for _, b := range p.Args.list.att.list {
			n += len(b)
		}
	}
	return n
}
