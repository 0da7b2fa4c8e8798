#!/bin/sh
# kernel.sh FOLDER: Debian's kernel, unpacked into FOLDER/kernel; nothing is installed. The version is the one that
# linux-image-amd64 depends on now, unless FOLDER/kernel holds one already; VERSION=... in the environment takes another.
set -eu
mkdir -p "$1"
cd "$1"
if [ ! -f kernel/package ]; then
    package=${VERSION:+linux-image-$VERSION}
    [ -n "$package" ] || package=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image/ { print $2; exit }')
    [ -n "$package" ] || { echo "kernel.sh: apt knows no linux-image-amd64: apt-get update" >&2; exit 1; }
    rm -rf kernel unpacked download
    mkdir download
    (cd download && apt-get download -qq "$package" 2>../download.log) || { cat download.log >&2; exit 1; }
    dpkg-deb -x download/*.deb unpacked
    for deb in download/*.deb; do
        echo "$(dpkg-deb -f "$deb" Package) $(dpkg-deb -f "$deb" Version) sha256:$(sha256sum <"$deb" | cut -d' ' -f1)" >unpacked/package
    done
    rm -r download download.log
    mv unpacked kernel
fi
echo "kernel: $(cat kernel/package)"
