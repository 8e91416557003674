#!/usr/bin/env bash
# Certificates for broker, service and base units from an authority of your own.
#
#   deploy/certificates.sh FOLDER BROKER_NAME_OR_ADDRESS COMMON_NAME...
#   deploy/certificates.sh certs broker.example emcheck monitoring BU-0001 BU-0002
#
# Run again to add units: what exists is kept. Keep ca.key off line; whoever has it can be any unit.
set -euo pipefail

if [ $# -lt 3 ]; then
  sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
folder=$1
broker=$2
shift 2
days=${DAYS:-825}
umask 077
mkdir -p "$folder"
cd "$folder"

key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null || openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }

sign() { # NAME COMMON_NAME EXTENSIONS
  [ -f "$1.crt" ] && return
  key "$1.key"
  openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -set_serial "0x$(openssl rand -hex 16)" -days "$days" -sha256 \
    -extfile <(printf '%s\n' "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" \
      "subjectKeyIdentifier=hash" "authorityKeyIdentifier=keyid" "$3") \
    -out "$1.crt" 2>/dev/null
  rm "$1.csr"
}

if [ ! -f ca.crt ]; then
  key ca.key
  openssl req -x509 -new -key ca.key -sha256 -days "$days" -subj "/CN=emcheck authority" -out ca.crt \
    -addext "keyUsage=critical,keyCertSign,cRLSign"
fi

case $broker in
  *[!0-9.]*) names="DNS:$broker" ;;
  *) names="IP:$broker" ;;
esac
sign broker "$broker" "$(printf 'extendedKeyUsage=serverAuth\nsubjectAltName=%s' "$names")"
for name in "$@"; do
  sign "$name" "$name" "extendedKeyUsage=clientAuth"
done
chmod 644 ./*.crt
