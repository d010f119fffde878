# shellcheck shell=sh
# Downloads a file with a known SHA-256, using programs that even slim images have. Never uses a proxy, because the server is
# in the cluster. apt-helper verifies the SHA-256 itself during the download.
with_apt_helper() { # URL FILE SHA256
  unset http_proxy all_proxy ALL_PROXY
  exec /usr/lib/apt/apt-helper -qq -o Acquire::http::Proxy=DIRECT -o Acquire::Retries=0 \
    -o Acquire::EnableSrvRecords=false -o APT::Sandbox::User=root download-file "$1" "$2" "SHA256:$3"
}
with_curl() { # URL FILE
  exec curl --disable --fail --silent --show-error --noproxy '*' --output "$2" "$1"
}
with_python() { # URL FILE
  exec python3 -c 'import shutil, sys, urllib.request
try:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(sys.argv[1]) as answer, open(sys.argv[2], "wb") as file:
        shutil.copyfileobj(answer, file, 1 << 20)
except OSError as error:
    sys.exit(str(error))' "$1" "$2"
}
with_node() { # URL FILE
  # shellcheck disable=SC2016 # JavaScript
  exec "$node" -e 'const [url, file] = process.argv.slice(1);
const fail = (error) => { console.error(error.message); process.exit(1); };
require("http").get(url, (answer) => {
  if (answer.statusCode !== 200) return fail(new Error(`HTTP ${answer.statusCode}`));
  require("stream").pipeline(answer, require("fs").createWriteStream(file), (error) => error && fail(error));
}).on("error", fail);' "$1" "$2"
}

# Sets $downloader, or returns 1 if there is none.
find_downloader() {
  node=
  if [ -x /usr/lib/apt/apt-helper ]; then downloader=apt_helper
  elif command -v curl > /dev/null; then downloader=curl
  elif command -v python3 > /dev/null; then downloader=python
  else
    downloader=node
    node=$(set +f && find_node)
    [ -n "$node" ]
  fi
}

# Kills the download process $1, which writes the file $2, if it receives less than 768 KiB within 3 s, or at the time $3.
guard_download() {
  size=0
  while sleep 3 && now && [ "$now" -lt "$3" ]; do
    last=$size
    size=$(stat -c %s "$2" || echo 0)
    [ $((size - last)) -ge 786432 ] || break
  done
  kill -KILL "$1"
}

# Downloads the URL $1 to the file $2 if it has the SHA-256 $3 and at most $4 bytes, until the time $5. Returns 1 and
# sets $obstacle if that fails.
download() {
  find_downloader || { obstacle="the download requires apt-helper, curl, python3 or the runner's Node.js, and this image has none of them"; return 1; }
  (ulimit -f "$(($4 / 512 + 1))" && "with_$downloader" "$1" "$2" "$3") > "$2.log" 2>&1 &
  job=$!
  guard_download "$job" "$2" "$5" > /dev/null 2>&1 &
  guard=$!
  { wait "$job"; } 2> /dev/null # suppresses the shell's "Killed" message
  status=$?
  job=
  kill -USR1 "$guard" 2> /dev/null # like in limited.sh
  { wait "$guard"; } 2> /dev/null
  if [ "$status" -eq 137 ]; then
    obstacle="$1 responds too slowly or not at all"
  elif [ "$status" -ne 0 ]; then
    obstacle="$1 could not be downloaded ($downloader exited with $status: $(head -n 1 "$2.log"))"
  elif [ "$downloader" != apt_helper ] && [ "$(sha256sum < "$2")" != "$3  -" ]; then
    obstacle="the file from $1 has an unexpected SHA-256"
  else
    return 0
  fi
  return 1
}
