-- sockets
local out = {}
for i = 4, #ARGV do
	local owner, _, user = record(ARGV[i])
	if owner == me then
		out[#out + 1] = orphan(ARGV[i], user)
	end
end
return out
