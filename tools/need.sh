#!/usr/bin/env bash
# Ensures that a command exists: `need.sh COMMAND PACKAGE`. Installs the package for root on Debian, else fails and names it.
set -euo pipefail
command -v "$1" >/dev/null && exit
if [[ $EUID -ne 0 ]] || ! command -v apt-get >/dev/null; then
	echo "webchat needs the command '$1': please install the Debian package '$2' (as root: apt-get install $2)" >&2
	exit 1
fi
printf '\n==> Installing the Debian package %s\n' "$2"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq && apt-get install -y -qq --no-install-recommends "$2"
