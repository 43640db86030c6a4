#!/bin/sh
# make.sh FOLDER NAME...: an authority, and a certificate for each server named, in FOLDER. What is there stays.
set -eu
folder=$1
shift
# Account 999 is PostgreSQL's in its official image; the server refuses a key that others may read.
postgres=999

if [ -e "$folder/authority.crt" ]; then
  echo "certificates: there already"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Its chatter is of interest only when it fails.
quietly() {
  "$@" 2>"$work/said" || {
    cat "$work/said" >&2
    exit 1
  }
}

quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 \
  -subj '/CN=Muster containers' -keyout "$work/authority.key" -out "$work/authority.crt"
for name in "$@"; do
  quietly openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
    -subj "/CN=$name" -keyout "$work/$name.key" -out "$work/$name.csr"
  printf 'subjectAltName=DNS:%s,DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' \
    "$name" >"$work/$name.ext"
  quietly openssl x509 -req -days 3650 -CA "$work/authority.crt" -CAkey "$work/authority.key" -CAcreateserial \
    -in "$work/$name.csr" -extfile "$work/$name.ext" -out "$work/$name.crt"
  install -m 0644 "$work/$name.crt" "$folder/$name.crt"
  install -m 0600 "$work/$name.key" "$folder/$name.key"
  if [ "$(id -u)" = 0 ]; then chown "$postgres:$postgres" "$folder/$name.key"; fi
done
# Last: it says that all of them are there.
install -m 0644 "$work/authority.crt" "$folder/authority.crt"
echo "certificates: made for $*"
