#!/bin/sh
# exports.sh PREFIX LIBRARY...: a shared library offers functions of its prefix, and nothing else.
prefix=$1 rc=0
shift
for library; do
    names=$(LC_ALL=C nm -D --defined-only "$library" | sed 's/.* //; s/@.*//')
    [ -n "$names" ] || { echo "$library exports nothing"; rc=1; }
    for name in $names; do
        case $name in
        "$prefix"*) ;;
        *) echo "$library exports $name"; rc=1 ;;
        esac
    done
done
exit $rc
