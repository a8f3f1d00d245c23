-- user, name, rooms
for i = 6, #ARGV do
	if call('ZSCORE', key('room', ARGV[i]), ARGV[4]) then
		call('HSET', key('names', ARGV[i]), ARGV[4], ARGV[5])
	end
end
return 0
