#!/usr/bin/env bash
# Everything that must hold, in one command. Installs what it needs and says so; `--long` adds the slow parts.
#
#   ./check.sh          fmt, clippy, docs, tests, doctests, features, fuzz smoke, interop
#   ./check.sh --long   the same, with five minutes of fuzzing for each target, a fault at every byte, a mutation
#                       for each rule of the listener, and the benches held to their bounds
set -euo pipefail
cd "$(dirname "$0")"
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
# Nothing is built twice here, so what cargo would keep for the next change is only in the way of the disk.
export CARGO_INCREMENTAL=${CARGO_INCREMENTAL:-0}

fuzz_seconds=10
case "${1:-}" in
    '') ;;
    --long) fuzz_seconds=300 ;;
    *) echo "usage: ./check.sh [--long]" >&2; exit 2 ;;
esac

begun=$SECONDS
installed=()
step() { printf '\n== %s (%d s)\n' "$1" $((SECONDS - begun)); }
fail() { echo "check.sh: $1" >&2; exit 1; }

# --- what is needed ---------------------------------------------------------------------------------------------------
step "prerequisites"
missing=()
need() { # command, Debian package
    command -v "$1" >/dev/null 2>&1 || missing+=("$2")
}
need cc gcc
need c++ g++
need make make
need pkg-config pkg-config
need openssl openssl
need node nodejs
need npm npm
need valgrind valgrind
need softhsm2-util softhsm2
need pkcs11-tool opensc
# A terminal for the command, with a test at its other end.
need script bsdutils
# What a socket was told, as the system saw it.
need strace strace
# A network for a test, with addresses of its own.
need ip iproute2
# The peers of oauth-interop; Debian keeps some of them where only root looks.
PATH="$PATH:/usr/sbin"
need squid squid-openssl
need danted dante-server
need microsocks microsocks
need tinyproxy tinyproxy
need nginx nginx
need sshd openssh-server
need ssh openssh-client
need krb5kdc krb5-kdc
need kadmin.local krb5-admin-server
need kinit krb5-user
need curl curl
need chromium chromium
need chromedriver chromium-driver
/usr/bin/python3 -m pip --version >/dev/null 2>&1 || missing+=(python3 python3-pip)
# Letters for its pages.
[ -e /usr/share/fonts/truetype/dejavu ] || missing+=(fonts-dejavu-core)
compgen -G '/usr/lib/*/libnss_wrapper.so' >/dev/null || missing+=(libnss-wrapper)
pkg-config --exists openssl 2>/dev/null || missing+=(libssl-dev)
# Negotiate: the headers of Kerberos, and what reads them.
pkg-config --exists mit-krb5-gssapi 2>/dev/null || missing+=(libkrb5-dev)
compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null || missing+=(libclang-dev)
if [ ${#missing[@]} -gt 0 ]; then
    command -v apt-get >/dev/null 2>&1 || fail "please install: ${missing[*]}"
    sudo=()
    [ "$(id -u)" = 0 ] || sudo=(sudo)
    "${sudo[@]}" apt-get update -q || true
    # Debian starts a service when it installs it, unless this says no. The tests start their own, on ports of their own.
    policy=/usr/sbin/policy-rc.d
    ours=
    if [ ! -e "$policy" ]; then
        ours=yes
        trap '"${sudo[@]}" rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
        "${sudo[@]}" chmod 755 "$policy"
    fi
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" \
        || fail "could not install: ${missing[*]}"
    if [ -n "$ours" ]; then
        "${sudo[@]}" rm -f "$policy"
        trap - EXIT
    fi
    installed+=("${missing[@]}")
fi
# The servers of the interop tests want Node 20; an older Debian has an older one, and npm has the newer.
if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
    npm install --silent --no-save --prefix target/node "node-linux-$(node -p process.arch)@20" \
        || fail "could not install Node 20"
    PATH="$PWD/target/node/node_modules/node-linux-$(node -p process.arch)/bin:$PATH"
    export PATH
    installed+=("node-20")
fi
# NTLM's accepting side, for Debian's Python. With what it needs it stays in target.
if [ ! -d target/spnego/spnego ]; then
    /usr/bin/python3 -m pip install --quiet --target target/spnego pyspnego==0.12.0 \
        || fail "could not install pyspnego"
    installed+=(pyspnego)
fi
cargo fmt --version >/dev/null 2>&1 || { rustup component add rustfmt; installed+=(rustfmt); }
cargo clippy --version >/dev/null 2>&1 || { rustup component add clippy; installed+=(clippy); }
if ! cargo fuzz --version >/dev/null 2>&1; then
    cargo install cargo-fuzz --version 0.13.2 --locked || fail "could not install cargo-fuzz"
    installed+=(cargo-fuzz)
fi

# --- the text ---------------------------------------------------------------------------------------------------------
step "fmt"
cargo fmt --all --check
cargo fmt --manifest-path fuzz/Cargo.toml --check

# Each package alone: features are not unified, so what a package forgot to ask for is missing.
packages=(oauth-core oauth-jwt oauth-loopback oauth-transport oauth-transport-hyper oauth-transport-isahc oauth
    oauth-testserver oauth-interop oauth-cli oauth-benches)
for package in "${packages[@]}"; do
    step "clippy $package"
    cargo clippy -q -p "$package" --all-targets --all-features -- -D warnings
done

step "docs"
RUSTDOCFLAGS="-D warnings" cargo doc -q --workspace --no-deps --document-private-items --all-features

# --- features: each alone, and none -----------------------------------------------------------------------------------
features() { # package, features…
    local package=$1; shift
    cargo clippy -q -p "$package" --no-default-features -- -D warnings
    for feature in "$@"; do
        cargo clippy -q -p "$package" --no-default-features --features "$feature" -- -D warnings
    done
}
step "features of oauth-core"
features oauth-core providers
step "features of oauth-jwt"
features oauth-jwt encrypted aws-lc-rs stores pkcs11
step "features of oauth-loopback"
features oauth-loopback browser tokio async-io async-std smol tls systemd
step "features of oauth-transport"
features oauth-transport contract cookies compression
step "features of oauth-transport-hyper"
features oauth-transport-hyper http2 negotiate ntlm
step "features of oauth"
features oauth hyper http2 negotiate ntlm isahc jwt cookies compression encrypted-keys aws-lc-rs stores pkcs11 loopback loopback-tls loopback-tls,stores systemd providers component hyper,loopback isahc,loopback hyper,component isahc,component
step "features of oauth-cli"
features oauth-cli isahc aws-lc-rs negotiate ntlm pkcs11

# --- the core is pure -------------------------------------------------------------------------------------------------
step "a clock in the core does not compile"
pure=$(mktemp -d)
trap 'rm -rf "$pure"' EXIT
cp -r oauth-core "$pure/oauth-core"
cp Cargo.toml Cargo.lock README.md "$pure/"
sed -i '/^members = \[/,/^\]/c\members = ["oauth-core"]' "$pure/Cargo.toml"
sed -i '/^default-members/d' "$pure/Cargo.toml"
cargo check -q --manifest-path "$pure/oauth-core/Cargo.toml" --target-dir target/pure \
    || fail "the copied core does not compile, so the next line would prove nothing"
echo 'pub(crate) fn clock() -> std::time::Instant { std::time::Instant::now() }' >> "$pure/oauth-core/src/time.rs"
if cargo check -q --manifest-path "$pure/oauth-core/Cargo.toml" --target-dir target/pure 2>"$pure/errors"; then
    fail "oauth-core compiles with a clock in it"
fi
grep -q 'std' "$pure/errors" || fail "the core failed to compile for another reason: $(cat "$pure/errors")"

# --- what it does not do ----------------------------------------------------------------------------------------------
step "fuzz, $fuzz_seconds s each"
# The sanitizers come with the stable compiler, behind a switch that is meant for nightly.
export RUSTC_BOOTSTRAP=1
targets=$(cargo fuzz list)
for target in $targets; do
    corpora=("fuzz/corpus/$target")
    mkdir -p "fuzz/corpus/$target"
    [ ! -d "fuzz/seeds/$target" ] || corpora+=("fuzz/seeds/$target")
    options=(-max_total_time="$fuzz_seconds" -rss_limit_mb=2048)
    [ ! -f "fuzz/$target.dict" ] || options+=(-dict="fuzz/$target.dict")
    cargo fuzz run "$target" "${corpora[@]}" -- "${options[@]}" 2>"$pure/fuzz" \
        || { tail -40 "$pure/fuzz" >&2; fail "fuzz target $target found something"; }
    tail -1 "$pure/fuzz"
done
unset RUSTC_BOOTSTRAP

# --- what it does -----------------------------------------------------------------------------------------------------
step "tests"
cargo test --workspace --all-features
# With ring, which all features together replace.
cargo test -p oauth-jwt --features encrypted

if [ "$fuzz_seconds" -gt 10 ]; then
    step "a fault at every byte"
    # The tests above tried a sample.
    OAUTH_SWEEP=all cargo test -q --workspace --all-features --test contract t5_faults -- --nocapture | tee "$pure/sweep"
    grep -q 'sweep of TLS on hyper' "$pure/sweep" && grep -q 'sweep of TLS on isahc' "$pure/sweep" \
        || fail "no fault was tried"

    step "each rule of the listener, taken out"
    oauth-loopback/tests/mutations.sh

    step "benches"
    cargo run -q -p oauth-benches --release -- --gate
    # Signatures by the other engine.
    cargo run -q -p oauth-benches --release --features aws-lc-rs -- --gate
fi

step "vectors"
if [ -n "${OAUTH_VECTORS:-}" ]; then
    cargo test -p oauth-core --lib vectors -- --ignored --nocapture | tee "$pure/vectors"
    cargo test -p oauth-jwt --all-features --lib --test vectors -- --ignored --nocapture | tee -a "$pure/vectors"
    # With ring: the same vectors, which are counted once.
    cargo test -q -p oauth-jwt --test vectors -- --ignored
    count=$(sed -n 's/^\.*vectors: .* \([0-9]*\) run$/\1/p' "$pure/vectors" | awk '{ sum += $1 } END { print sum + 0 }')
    left=nothing
else
    count=0
    left="json-test-suite, wycheproof, rfc-vectors, key files (set OAUTH_VECTORS to the folder that holds them)"
fi
printf '\ncheck.sh: all passed in %d s; installed: %s\n' $((SECONDS - begun)) "${installed[*]:-nothing}"
echo "vectors: $count run; not run: $left"
