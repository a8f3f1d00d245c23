-- Who leaves nothing is forgotten at once; what others leave is for the rest.
call('HDEL', epochs, me)
if call('HLEN', epochs) == 1 then -- the name of the first
	call('DEL', epochs)
end
if call('EXISTS', key('instance', me)) == 1 then
	call('ZADD', instances, -1, me)
else
	call('ZREM', instances, me)
end
return 0
