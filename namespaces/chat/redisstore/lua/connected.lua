-- user
return connected(ARGV[4]) and 1 or 0
