#!/bin/sh
# registers.sh PTXAS_REPORT [PAGE]: the table of docs/gpu.md, from what ptxas said (src/target/classes/dev/upscale/cuda/ptxas.txt after a build):
# printed, or put into the page between its marks.
[ $# -ge 1 ] || { echo "use: registers.sh PTXAS_REPORT [PAGE]" >&2; exit 2; }
table() {
    awk '
    /Compiling entry function/ { split($0, part, "\047"); kernel = part[2]; arch = part[4]; sub(/_[a-z0-9]+_[a-z0-9]+$/, "", kernel); count[kernel, arch]++ }
    /bytes stack frame/ { if (kernel != "") spilled[kernel] += $5 + $9 }
    /Used [0-9]+ registers/ {
        if (kernel == "") next
        for (i = 1; i <= NF; i++) { if ($i == "Used") used = $(i + 1) + 0; if ($(i + 1) == "bytes" && $(i + 2) ~ /smem/) shared[kernel] = $i }
        if (!((kernel, arch) in least) || used < least[kernel, arch]) least[kernel, arch] = used
        if (used > most[kernel, arch]) most[kernel, arch] = used
        names[kernel] = 1; kernel = ""
    }
    END {
        for (name in names) print "| `" name "` | " count[name, "sm_90"] " | " least[name, "sm_80"] " to " most[name, "sm_80"] " | " \
            least[name, "sm_90"] " to " most[name, "sm_90"] " | " spilled[name] + 0 " | " shared[name] + 0 " |"
    }' "$1" | sort | sed '1i | kernel | pairs of types | registers, sm_80 | registers, sm_90 | spilled bytes | shared bytes |\n| --- | ---: | ---: | ---: | ---: | ---: |'
}
if [ $# -eq 1 ]; then table "$1"; exit; fi
table "$1" > "$2.table"
awk -v file="$2.table" '
    /<!-- registers -->/ { print; while ((getline line < file) > 0) print line; skip = 1; next }
    skip && /^\|/ { next }
    { skip = 0; print }' "$2" > "$2.new" && mv "$2.new" "$2" && rm "$2.table"
