#!/usr/bin/env bash
# Starts redis-server, three instances of parlor and nginx on the loopback address,
# and ends them all on Ctrl-C. make cluster builds parlor first.
#
#   run.sh [FLAG…]      the flags are for each instance: --log-level=debug, say
#
#   PORT=8080           nginx; the instances have the next three
#   PARLOR=bin/parlor   the program
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
port=${PORT:-8080}
parlor=${PARLOR:-$here/../../bin/parlor}
instances=3
end_within=30 # seconds; what an instance takes at most
PATH=$PATH:/usr/sbin # where nginx is

fail() {
	echo "cluster: $*" >&2
	exit 1
}

for program in redis-server nginx; do
	command -v "$program" >/dev/null || fail "there is no $program; install it (on Debian: apt-get install redis-server nginx-light)"
done
[ -x "$parlor" ] || fail "there is no $parlor; make build makes it"
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
for ((i = 0; i <= instances; i++)); do
	! answers $((port + i)) || fail "port $((port + i)) is in use; choose four others with PORT=9080"
done

dir=$(mktemp -d "${TMPDIR:-/tmp}/parlor-cluster.XXXXXX")
chmod 711 "$dir" # nginx' workers have no right to look around in it

# In the order of their start. Each has a process group of its own, so that Ctrl-C
# in a terminal is for this script alone: who ends first matters.
names=()
pids=()
start() { # a name, and a command
	local name=$1
	shift
	set -m
	"$@" </dev/null >"$dir/$name.log" 2>&1 &
	set +m
	names+=("$name")
	pids+=($!)
}

# stop tells the processes from a place in the list on to end, and waits for it.
stop() {
	local i late=$((SECONDS + end_within))
	for ((i = $1; i < ${#pids[@]}; i++)); do
		[ -z "${pids[i]}" ] || kill -TERM "${pids[i]}" 2>/dev/null || true
	done
	for ((i = $1; i < ${#pids[@]}; i++)); do
		[ -n "${pids[i]}" ] || continue
		while kill -0 "${pids[i]}" 2>/dev/null && [ $SECONDS -lt $late ]; do sleep 0.05; done
		kill -KILL "${pids[i]}" 2>/dev/null || true
		wait "${pids[i]}" 2>/dev/null || true
	done
	pids=("${pids[@]:0:$1}")
}

finish() {
	local code=$?
	trap '' INT TERM HUP
	if [ $code != 0 ]; then tail -n 5 "$dir"/*.log >&2 2>/dev/null || true; fi
	[ ${#pids[@]} -le $((instances + 1)) ] || stop $((instances + 1)) # nginx: nobody comes any more
	[ ${#pids[@]} -le 1 ] || stop 1                                   # the instances, which tell Redis
	stop 0
	rm -rf "$dir"
	exit $code
}
trap finish EXIT
trap 'exit 0' INT TERM HUP

# ready waits until the program that was started last has what it is to have.
ready() { # a test, and its argument
	local late=$((SECONDS + 10)) last=$((${#pids[@]} - 1))
	until "$@"; do
		kill -0 "${pids[last]}" 2>/dev/null || fail "${names[last]} has ended at once"
		[ $SECONDS -lt $late ] || fail "${names[last]} does not get ready"
		sleep 0.05
	done
}

# Redis has no port: its socket is in a directory that only its owner can list.
start redis redis-server --port 0 --unixsocket "$dir/redis.sock" --unixsocketperm 700 --save "" --appendonly no --dir "$dir"
ready test -S "$dir/redis.sock"

edits=(-e "s/listen 8080;/listen 127.0.0.1:$port;/")
for ((i = 1; i <= instances; i++)); do
	PARLOR_REDIS="unix://$dir/redis.sock" start "parlor$i" \
		"$parlor" serve --addr="127.0.0.1:$((port + i))" --instance="parlor$i" --trusted-proxy=127.0.0.1/32 "$@"
	ready answers $((port + i))
	edits+=(-e "s/parlor$i:3000/127.0.0.1:$((port + i))/")
done

sed "${edits[@]}" "$here/nginx.conf" >"$dir/parlor.conf"
cat >"$dir/nginx.conf" <<END
daemon off;
pid $dir/nginx.pid;
error_log stderr warn;
events {}
http {
	access_log off;
	client_body_temp_path $dir/body;
	proxy_temp_path $dir/proxy;
	fastcgi_temp_path $dir/fastcgi;
	uwsgi_temp_path $dir/uwsgi;
	scgi_temp_path $dir/scgi;
	include $dir/parlor.conf;
}
END
start nginx nginx -e stderr -p "$dir" -c "$dir/nginx.conf"
ready answers "$port"

echo "http://127.0.0.1:$port/ is three instances behind nginx; a private window is somebody else there."
echo "To be sure of two instances, open two of them: http://127.0.0.1:$((port + 1))/ http://127.0.0.1:$((port + 2))/ http://127.0.0.1:$((port + 3))/"
for i in "${!pids[@]}"; do echo "  ${names[i]}: process ${pids[i]}"; done
echo "Their logs are in $dir; Ctrl-C ends all of them."

# Whoever ends meanwhile is missing: that is what there are several for.
while :; do
	{ wait -n; } 2>/dev/null && code=0 || code=$? # which would say that it was killed
	[ $code != 127 ] || break # nobody is left
	for i in "${!pids[@]}"; do
		if [ -n "${pids[i]}" ] && ! kill -0 "${pids[i]}" 2>/dev/null; then
			echo "${names[i]} has ended"
			pids[i]=
		fi
	done
done
fail "all have ended"
