# Set-up for ./hexcast: finds what is missing, says in one line what it installs, and builds only what has changed.
# Sourced; $root is the checkout.

readonly exit_setup_missing=6
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
# Build nodes that outlive the build keep a CI job's pipes open.
export MSBUILDDISABLENODEREUSE=1
# dotnet and npm keep their caches under HOME, which services and CI often do not set.
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"

# What must be there → the Debian packages that bring it.
readonly run_packages=(ffmpeg ffprobe bwrap npm)
# A server and a client in C++ to measure ours against.
readonly grpc_peer_packages=(g++ protoc grpc_cpp_plugin pkg-config grpc++)
readonly test_packages=(chromium curl etcd etcdctl openssl python3-grpc node nginx wrk prometheus promtool fuser nft ip cc strace)
declare -rA debian_packages=(
  [ffmpeg]=ffmpeg [ffprobe]=ffmpeg [bwrap]=bubblewrap [npm]=npm [node]=nodejs
  [chromium]=chromium [curl]=curl [etcd]=etcd-server [etcdctl]=etcd-client
  [prometheus]=prometheus [promtool]=prometheus
  [python3-grpc]="python3-grpcio python3-protobuf"
  [nginx]=nginx [openssl]=openssl [wrk]=wrk [fuser]=psmisc
  [nft]=nftables [ip]=iproute2 [cc]="gcc libc6-dev" [strace]=strace
  [g++]=g++ [protoc]="protobuf-compiler libprotobuf-dev" [grpc_cpp_plugin]=protobuf-compiler-grpc
  [pkg-config]=pkg-config [grpc++]=libgrpc++-dev
)

say() { printf 'hexcast: %s\n' "$*" >&2; }

is_there() {
  case $1 in
    # Where it lies is not on every user's PATH.
    nginx | nft) [[ -x /usr/sbin/$1 ]] ;;
    ip) [[ -x /usr/sbin/ip || -x /sbin/ip || -x /usr/bin/ip ]] ;;
    python3-grpc) [[ -x /usr/bin/python3 ]] && /usr/bin/python3 -c 'import grpc, google.protobuf' 2>/dev/null ;;
    grpc++) [[ -e /usr/include/grpcpp/grpcpp.h ]] ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# need_packages THING…: installs what is missing as root; otherwise prints the command that would, and ends.
need_packages() {
  local thing missing=()
  for thing in "$@"; do
    is_there "$thing" || missing+=(${debian_packages[$thing]})
  done
  ((${#missing[@]})) || return 0
  mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)

  if ! command -v apt-get >/dev/null; then
    say "missing: ${missing[*]} (Debian's names). Install them with this system's package manager, then start again."
    exit $exit_setup_missing
  fi
  if (($(id -u) != 0)); then
    say "missing: ${missing[*]}. Run this, then start again:"
    printf '  sudo apt-get update && sudo apt-get install -y --no-install-recommends %s\n' "${missing[*]}" >&2
    exit $exit_setup_missing
  fi
  say "installing ${missing[*]} (apt-get)"
  install_packages "${missing[@]}"
}

install_packages() {
  local log policy=/usr/sbin/policy-rc.d made_policy=0 failed=0
  log=$(mktemp)
  # Debian starts a service when its package is installed. The tests start their own; nobody asked for a daemon.
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    made_policy=1
  fi
  {
    apt-get update -q -o DPkg::Lock::Timeout=300 &&
      DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold "$@"
  } >"$log" 2>&1 </dev/null || failed=1
  ((made_policy)) && rm -f "$policy"
  if ((failed)); then
    tail -n 20 "$log" >&2
    say "apt-get failed; its whole output is in $log. Once it works, start again."
    exit $exit_setup_missing
  fi
  rm -f "$log"
  # Not at the next boot either.
  if [[ -d /run/systemd/system ]]; then
    [[ " $* " == *" etcd"* ]] && systemctl -q disable etcd 2>/dev/null
    [[ " $* " == *" nginx "* ]] && systemctl -q disable nginx 2>/dev/null
    [[ " $* " == *" prometheus"* ]] && systemctl -q disable prometheus 2>/dev/null
  fi
  return 0
}

need_sdk() {
  local home
  if ! command -v dotnet >/dev/null; then
    for home in "${DOTNET_ROOT:-}" "$HOME/.dotnet" /usr/share/dotnet /usr/lib/dotnet; do
      [[ -n $home && -x $home/dotnet ]] && export PATH="$home:$PATH" DOTNET_ROOT="$home" && break
    done
  fi
  if ! command -v dotnet >/dev/null || ! dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; then
    say "the .NET 10 SDK is missing. Install it from https://dotnet.microsoft.com/download/dotnet/10.0, then start again."
    exit $exit_setup_missing
  fi
}

# npm_ci FOLDER…: what the folders' lock files name. What pages need of others comes as built files in npm packages, which
# the project files copy; tests/Grpc.Tests/node is a gRPC peer.
npm_ci() {
  local folder stamp
  for folder in "$@"; do
    [[ -f $folder/package-lock.json ]] || continue
    stamp=$(sha256sum <"$folder/package-lock.json")
    [[ -f $folder/node_modules/.hexcast-stamp && $(<"$folder/node_modules/.hexcast-stamp") == "$stamp" ]] && continue
    need_packages npm
    folder=${folder%/}
    say "installing libraries (npm ci in ${folder#"$root"/})"
    quietly npm ci --prefix "$folder" --no-audit --no-fund --ignore-scripts --no-update-notifier
    printf '%s' "$stamp" >"$folder/node_modules/.hexcast-stamp"
  done
}

# quietly COMMAND…: shows its output only if it fails, and then ends.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    say "failed: $*"
    exit 1
  fi
  rm -f "$log"
}

# Name, size and time of every file that the build reads: equal means that there is nothing to build.
# (The restore itself writes the lock files, which follow from the project files, and the build copies what pages need of
# others to wwwroot/lib.)
sources_stamp() {
  (
    cd "$root"
    find . \( -name bin -o -name obj -o -name node_modules -o -name .git -o -path './src/*/wwwroot/lib' \
      -o -path ./data -o -path ./docs \) -prune \
      -o -type f \( -path './src/*' -o -path './proto/*' -o -path './presets/*' -o -path './tests/*' -o -path './bench/*' \
      -o -path './*.props' -o -path './*.slnx' -o -name .editorconfig -o -name BannedSymbols.txt -o -name global.json \) \
      -not -name packages.lock.json -printf '%p %s %T@\n' | grep "^\./\(${1}\)" | LC_ALL=C sort
    dotnet --version
  ) | sha256sum
}

# build_quietly WHAT DLL [FOLDERS]: Release build of a project folder or the solution, if its sources changed or DLL,
# which it makes, is not there. FOLDERS: which of tests|bench it takes its sources from, beside src. All, as a rule: these
# projects take files from each other, and what runs without having been built says the figures of another commit.
build_quietly() (
  local what=$1 dll=$2 stamp_file stamp
  mkdir -p "$root/artifacts"
  # Two starts at once would write the same files.
  exec 9>"$root/artifacts/build.lock"
  flock 9
  npm_ci "$root"/src/*/
  if [[ $what == *.slnx ]]; then npm_ci "$root/tests/Grpc.Tests/node"; fi
  stamp_file="$root/artifacts/built-$(tr -c 'A-Za-z0-9\n' - <<<"$what")"
  stamp=$(sources_stamp "src/\|proto/\|presets/\|[^/]*$\|${3:-src/}")
  [[ -f $root/$dll && -f $stamp_file && $(<"$stamp_file") == "$stamp" ]] && return 0
  if [[ -f $stamp_file ]]; then
    say "building $what"
  else
    say "building $what (the first time, which takes a minute or some)"
  fi
  # One compiler for all projects, and gone afterwards: starting one a project takes most of the time.
  quietly dotnet build "$root/$what" -c Release -v q -nologo -tl:off '-clp:NoSummary;ErrorsOnly' \
    -p:UseSharedCompilation=true 9>&-
  quietly dotnet build-server shutdown --vbcscompiler 9>&-
  printf '%s' "$stamp" >"$stamp_file"
)

readonly beside_src='tests/\|bench/'
readonly app_dll=src/App/bin/Release/net10.0/hexcast.dll
readonly simulation_dll=tests/Simulation/bin/Release/net10.0/Hexcast.Simulation.dll
readonly tidy_dll=tests/Tidy/bin/Release/net10.0/Hexcast.Tidy.dll

build_app() { build_quietly src/App "$app_dll"; }
build_everything() { build_quietly Hexcast.slnx "$tidy_dll" "$beside_src"; }
