#!/usr/bin/env bash
# Takes each rule of the listener out of a copy of the tree, and requires that the rule's own test then fails.
#
#   oauth-loopback/tests/mutations.sh [WORD]    all of mutations.txt, or those whose line holds the word: LB-12
#
# Ends with 1 where a test passes all the same, where an edit changes nothing any more, or where a mutant does not compile:
# then nothing was shown.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
only=${1:-}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/mutations
export CARGO_TERM_COLOR=never

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cd "$root"
git ls-files -z --cached --others --exclude-standard | tar --null --files-from - --create --ignore-failed-read \
    2>/dev/null | tar --extract --directory "$copy"
cd "$copy"

wrong=()
count=0
tell() { # what came of it
    printf '%-8s %-66s %s\n' "${rule%% *}" "${rule#* }" "$1"
}
try() {
    [ -z "$only" ] || [[ "$rule " == *"$only "* ]] || return 0
    count=$((count + 1))
    cp "$file" "$copy/original"
    perl -0pi -e "$edit" "$file"
    local verdict=
    if cmp -s "$file" "$copy/original"; then
        verdict="THE EDIT CHANGES NOTHING: $file"
    # Words are split: they are arguments.
    # shellcheck disable=SC2086
    elif ! cargo test -q $test --no-run >"$copy/output" 2>&1; then
        verdict="DOES NOT COMPILE: $(grep -m1 '^error' "$copy/output")"
    elif timeout 120 cargo test -q $test >"$copy/output" 2>&1; then
        verdict="SURVIVES: cargo test $test"
    fi
    # With a time of its own, so that it is built again.
    cp "$copy/original" "$file"
    [ -z "$verdict" ] || wrong+=("$rule")
    tell "${verdict:-found by ${test##* }}"
}

while read -r word rest; do
    case "$word" in
        '' | '#'*) ;;
        rule) rule=$rest ;;
        file) file=$rest ;;
        edit) edit=$rest ;;
        test)
            test=$rest
            try
            ;;
        *) echo "mutations.txt: what is $word?" >&2; exit 1 ;;
    esac
done <oauth-loopback/tests/mutations.txt

[ "$count" -gt 0 ] || { echo "no rule is called $only" >&2; exit 1; }
if [ -z "$only" ]; then
    for number in $(seq 1 35); do
        grep -q "^rule LB-$number " oauth-loopback/tests/mutations.txt || wrong+=("LB-$number has no mutation")
    done
fi
printf '%d mutations, %d wrong\n' "$count" "${#wrong[@]}"
if [ ${#wrong[@]} -gt 0 ]; then
    printf '  %s\n' "${wrong[@]}"
    exit 1
fi
