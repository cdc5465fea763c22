#!/bin/sh
# registers.sh PTXAS_REPORT: the table of docs/gpu.md, from what ptxas said (target/classes/dev/upscale/cuda/ptxas.txt after a build).
[ $# -eq 1 ] || { echo "use: registers.sh PTXAS_REPORT" >&2; exit 2; }
awk '
/Compiling entry function/ { split($0, part, "\x27"); kernel = part[2]; arch = part[4] }
/bytes stack frame/ { if (kernel != "") spill[kernel, arch] = $5 + $9 }
/Used [0-9]+ registers/ {
    if (kernel == "") next
    for (i = 1; i <= NF; i++) { if ($i == "Used") used = $(i + 1); if ($(i + 1) == "bytes" && $(i + 2) ~ /smem/) shared[kernel] = $i }
    registers[kernel, arch] = used; names[kernel] = 1; kernel = ""
}
END {
    print "| kernel | registers sm_80 | registers sm_90 | spilled bytes | shared bytes |"
    print "| --- | --- | --- | --- | --- |"
    for (name in names) print "| `" name "` | " registers[name, "sm_80"] " | " registers[name, "sm_90"] " | " spill[name, "sm_80"] + spill[name, "sm_90"] " | " shared[name] + 0 " |" | "sort"
}' "$1"
