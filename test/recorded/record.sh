#!/bin/sh
# Records the cases again: installs the clients into .cache/recorded, each generation
# apart, and runs them against the fake model (record/). Arguments go to the
# recorder: record.sh -run '^openai' records some of them. Needs Python 3.11 or
# newer, Node 20 or newer and Go.
set -eu
cd "$(dirname "$0")/../.."
clients=test/recorded/clients
installed=.cache/recorded
mkdir -p "$installed"

for requirements in "$clients"/python/requirements-*.txt; do
	generation=${requirements##*/requirements-}
	venv=$installed/python-${generation%.txt}
	if ! cmp -s "$requirements" "$venv/requirements.txt"; then
		rm -rf "$venv"
		python3 -m venv "$venv"
		"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$requirements"
		cp "$requirements" "$venv/requirements.txt"
	fi
done

# Node finds packages beside the program, so the programs go where the packages are.
mkdir -p "$installed/js"
cp "$clients"/js/*.mjs "$clients"/js/package.json "$clients"/js/.npmrc "$installed/js/"
if ! cmp -s "$clients/js/package-lock.json" "$installed/js/installed-lock.json"; then
	cp "$clients/js/package-lock.json" "$installed/js/"
	(cd "$installed/js" && npm ci --silent)
	cp "$clients/js/package-lock.json" "$installed/js/installed-lock.json"
fi

exec go run ./test/recorded/record -installed "$installed" "$@"
