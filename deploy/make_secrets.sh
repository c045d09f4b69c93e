#!/usr/bin/env bash
# Writes the secrets that compose.yml reads into deploy/secrets/; what is there already stays.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# The directory keeps others on this host out. The files are readable to all, because the
# containers that get one of them mounted run as users of their own.
mkdir -p -m 0700 secrets
umask 022
echo '*' >secrets/.gitignore
random() { head -c 36 /dev/urandom | base64 | tr '+/' '-_'; }
keep() { # keep name value
    if [ -s "secrets/$1" ]; then return; fi
    printf '%s' "$2" >"secrets/$1"
    echo "wrote deploy/secrets/$1"
}
keep secret_key "$(random)"
keep db_password "$(random)"
keep database_url "mysql://arboris:$(cat secrets/db_password)@db:3306/arboris"
