#!/usr/bin/env bash
# Fetches NVRTC 12.4, ptxas, nvdisasm and the driver library into a folder, from the Debian mirror that this system
# already uses. Installs nothing and needs no root. About 115 MB to download and 160 MB in the folder; once.
#
#   Kernels/fetch-compiler.sh [FOLDER]      the default is .tools/cuda, which git ignores
#
# The driver library (libcuda.so.1) computes nothing without a GPU: tests check on it that every symbol we bind exists.
set -euo pipefail

folder=${1:-"$(dirname "$0")/../.tools/cuda"}
[ -e "$folder/complete" ] && exit 0
command -v apt-get > /dev/null && command -v dpkg-deb > /dev/null || {
    echo "fetch-compiler.sh: this needs apt-get and dpkg-deb (Debian, Ubuntu). Elsewhere install NVIDIA's CUDA" \
         "toolkit 12.4 and set CUDA_PATH." >&2
    exit 1
}

# The mirror's address and the key that signs it, as the system's own sources name them.
sources=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2> /dev/null || true)
mirror=$(grep -oE 'https?://[^ ]+/debian/?( |$)' <<< "$sources" | head -n 1 | tr -d ' ' || true)
key=/usr/share/keyrings/debian-archive-keyring.gpg
[ -n "$mirror" ] && [ -e "$key" ] || {
    echo "fetch-compiler.sh: no Debian mirror in /etc/apt, or no $key. Install NVIDIA's CUDA toolkit 12.4 and set" \
         "CUDA_PATH." >&2
    exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/sources" "$work/unpacked" "$folder"

# An apt of its own: one source, its own lists and cache; the system's stay untouched.
packages_of() {  # packages_of SUITE PACKAGE...
    local suite=$1
    shift
    cat > "$work/sources/debian.sources" <<SOURCE
Types: deb
URIs: $mirror
Suites: $suite
Components: non-free
Signed-By: $key
SOURCE
    cat > "$work/apt.conf" <<CONFIG
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$work/sources";
Dir::State::Lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "";
CONFIG
    export APT_CONFIG="$work/apt.conf"
    apt-get -qq update
    (cd "$work" && apt-get -qq download "$@")
}
packages_of trixie libnvrtc12 libnvrtc-builtins12.4 nvidia-cuda-toolkit
packages_of bookworm libcuda1

for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/unpacked"; done
find "$work/unpacked" \( -name 'libnvrtc.so.12*' -o -name 'libnvrtc-builtins.so.12*' -o -name 'libcuda.so.*' \
    -o -path '*/bin/ptxas' -o -path '*/bin/nvdisasm' -o -path '*/bin/cuobjdump' \) -exec cp -P {} "$folder" \;
find "$folder" -type l ! -exec test -e {} \; -delete

for file in libnvrtc.so.12 libnvrtc-builtins.so.12.4 ptxas nvdisasm libcuda.so.1; do
    [ -e "$folder/$file" ] || { echo "fetch-compiler.sh: the packages brought no $file." >&2; exit 1; }
done
touch "$folder/complete"
