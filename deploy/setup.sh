#!/usr/bin/env bash
# Creates .venv from the locks, and the system packages it needs where that is allowed.
#
#   deploy/setup.sh        what Arboris needs to run
#   deploy/setup.sh dev    and the linters, type checker and test tools
#   deploy/setup.sh test   and the servers and the browser that the tests start by themselves
#
# Nothing is changed besides .venv and system packages, and a second run changes nothing at all.
# PYTHON=… picks the interpreter, ARBORIS_NO_APT=1 forbids system packages, pip reads PIP_* as ever.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
level=${1:-run}
venv=.venv
policy=/usr/sbin/policy-rc.d
scratch=$(mktemp -d)
own_policy=

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
cleanup() {
    if [ -n "$own_policy" ]; then "${as_root[@]}" rm -f "$policy"; fi
    rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# --- system packages ----------------------------------------------------------------------
as_root=()
may_install() {
    [ -z "${ARBORIS_NO_APT:-}" ] && command -v apt-get >/dev/null || return 1
    [ "$(id -u)" = 0 ] && return 0
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
    as_root=(sudo -n)
}

apt_refreshed=
apt_install() { # apt_install package…: false where it is not allowed or did not work
    may_install || return 1
    if [ -z "$apt_refreshed" ]; then
        apt_refreshed=1
        say "refreshing the package lists"
        "${as_root[@]}" apt-get -qq update >&2 ||
            say "the package lists could not be refreshed; trying with the old ones"
    fi
    say "installing with apt: $*"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 install "$@" >"$scratch/apt.log" 2>&1 && return
    cat "$scratch/apt.log" >&2
    return 1
}

# --- the interpreter ----------------------------------------------------------------------
version_of() { # prints "3.x" if $1 really runs and is one we support (a version manager's shim may not)
    "$1" -c 'import sys; v = sys.version_info
if not (3, 11) <= v < (3, 14): sys.exit(1)
print(f"{v[0]}.{v[1]}")' 2>/dev/null
}
can_make_venv() { "$1" -c 'import venv, ensurepip' 2>/dev/null; }

find_python() { # prints the first supported interpreter, one that can make a venv before others
    local candidate path second=
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        path=$(command -v "$candidate") || continue
        version_of "$path" >/dev/null || continue
        if can_make_venv "$path"; then echo "$path"; return; fi
        second=${second:-$path}
    done
    echo "$second"
}

make_venv() {
    local python version
    python=$(find_python)
    if [ -z "$python" ] && [ -z "${PYTHON:-}" ] && apt_install python3 python3-venv; then python=$(find_python); fi
    [ -n "$python" ] || die "needs Python 3.11, 3.12 or 3.13 (Debian 12 or later, Ubuntu 24.04 or later: apt-get install python3 python3-venv)"
    version=$(version_of "$python")
    if ! can_make_venv "$python"; then
        apt_install "python$version-venv" && can_make_venv "$python" ||
            die "$python cannot make virtual environments: apt-get install python$version-venv"
    fi
    say "creating $venv with Python $version"
    "$python" -m venv --clear "$venv"
}

# --- Python packages ----------------------------------------------------------------------
lock_entries() { # lock_entries only|without package file: one package's part of a lock, or all others
    awk -v mode="$1" -v name="$2" '
        /^[A-Za-z0-9]/ { hit = ($0 ~ "^" name "==") }
        (mode == "only") == (hit == 1)' "$3"
}
fingerprint() { cat "$@" | sha256sum | cut -d" " -f1; }
stamped() { [ "$(cat "$venv/.stamp-$1" 2>/dev/null)" = "$2" ]; }
stamp() { printf '%s\n' "$2" >"$venv/.stamp-$1"; }
pip_install() { "$venv/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes "$@" >&2; }

install_lock() { # install_lock name file: everything in it but mysqlclient, which has to be compiled
    local wanted
    wanted=$(fingerprint "$2")
    stamped "$1" "$wanted" && return
    say "installing $2 (a first time takes some minutes)"
    lock_entries without mysqlclient "$2" >"$scratch/$1.txt"
    pip_install -r "$scratch/$1.txt" || die "pip could not install $2"
    stamp "$1" "$wanted"
}

client_library() {
    local name
    for name in mysqlclient mariadb libmariadb; do pkg-config --exists "$name" 2>/dev/null && return; done
    return 1
}
python_headers() {
    "$venv/bin/python" -c 'import pathlib, sys, sysconfig
sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())'
}
missing_for_mysqlclient() { # prints the Debian packages that its build still lacks
    local version
    command -v cc >/dev/null || command -v gcc >/dev/null || echo "gcc libc6-dev"
    command -v pkg-config >/dev/null || echo pkg-config
    client_library || echo libmariadb-dev
    if ! python_headers; then
        version=$(version_of "$venv/bin/python")
        echo "python$version-dev"
    fi
}

install_mysqlclient() {
    local wanted missing
    lock_entries only mysqlclient requirements.txt >"$scratch/mysqlclient.txt"
    wanted=$(fingerprint "$scratch/mysqlclient.txt")
    stamped mysqlclient "$wanted" && return
    missing=$(missing_for_mysqlclient)
    if [ -n "$missing" ]; then
        # shellcheck disable=SC2086  # a list of packages
        apt_install $missing && missing=$(missing_for_mysqlclient)
    fi
    if [ -n "$missing" ]; then
        say "without MySQL/MariaDB support (SQLite works); for it: apt-get install $(echo $missing), then make setup"
        return
    fi
    say "compiling mysqlclient"
    if pip_install -r "$scratch/mysqlclient.txt"; then
        stamp mysqlclient "$wanted"
    else
        say "without MySQL/MariaDB support (SQLite works): mysqlclient did not compile, see above"
    fi
}

# --- what the tests start by themselves -----------------------------------------------------
no_service_starts() { # the tests run private instances: a package just installed must start none
    [ -e "$policy" ] && return
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    own_policy=1
    "${as_root[@]}" chmod 755 "$policy"
}

missing_for_tests() { # prints the Debian packages that some tests still lack
    "$venv/bin/python" -m tests.servers
    ls /usr/share/fonts/*/noto/NotoSansCJK* >/dev/null 2>&1 || echo fonts-noto-cjk
}

install_test_servers() {
    local missing service
    missing=$(missing_for_tests)
    if grep -qsx 'ID=ubuntu' /etc/os-release && grep -qx chromium-headless-shell <<<"$missing"; then
        missing=$(grep -vx chromium-headless-shell <<<"$missing" || true)
        say "browser tests cannot run: Ubuntu has Chromium only as a snap; put a chromium or google-chrome on the PATH"
    fi
    [ -n "$missing" ] || return 0
    if may_install; then no_service_starts; fi
    # shellcheck disable=SC2086  # a list of packages
    if ! apt_install $missing; then
        say "some tests cannot run; for all of them: apt-get install $(echo $missing)"
    elif command -v systemctl >/dev/null; then
        # What was not there before must not start with the machine either.
        for service in redis-server postgresql prometheus prometheus-node-exporter; do
            if grep -qx "$service" <<<"$missing"; then
                "${as_root[@]}" systemctl --quiet disable "$service" 2>/dev/null || true
            fi
        done
    fi
}

# --- all of it ------------------------------------------------------------------------------
case $level in run | dev | test) ;; *) die "usage: deploy/setup.sh [dev|test]" ;; esac
if ! version_of "$venv/bin/python" >/dev/null || ! [ -x "$venv/bin/pip" ]; then make_venv; fi
install_lock base requirements.txt
install_mysqlclient
if [ "$level" != run ]; then install_lock dev deploy/requirements/dev.txt; fi
if [ "$level" = test ]; then install_test_servers; fi
