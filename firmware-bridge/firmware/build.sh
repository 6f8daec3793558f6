#!/bin/sh
# Builds the ATmega328P image and its description into FOLDER (default: here), prints what they use, and fails where the part is too
# small. The image holds no path, date or debug data: the same compiler gives the same bytes. Needs avr-gcc, avr-libc, make.
set -eu
cd "$(dirname "$0")"
folder=${1:-.}
image=kitlink-atmega328p
flash_limit=32256 # 32 KiB less the bootloader's 512 bytes
ram=2048
stack=512 # what must be left
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make -s OUT="$work"

size=$(avr-size -B "$work/$image.elf" | tail -n 1)
text=$(echo "$size" | awk '{print $1}')
data=$(echo "$size" | awk '{print $2}')
bss=$(echo "$size" | awk '{print $3}')
flash=$((text + data))
used=$((data + bss))
echo "flash $flash of $flash_limit bytes, RAM $used of $ram bytes ($((ram - used)) left for the stack)" >&2
[ "$flash" -le "$flash_limit" ] || { echo "error: the image does not fit into the flash" >&2; exit 1; }
[ $((ram - used)) -ge "$stack" ] || { echo "error: less than $stack bytes are left for the stack" >&2; exit 1; }

cp "$work/$image.hex" "$folder/$image.hex"
cat > "$folder/$image.json" <<END
{
  "image": "$image.hex",
  "part": "atmega328p",
  "clockHz": 16000000,
  "baudRate": 500000,
  "protocolVersion": $(sed -n 's/^#define KL_VERSION //p' wire.h),
  "compiler": "$(avr-gcc --version | head -n 1)",
  "libc": "$(echo '__AVR_LIBC_VERSION_STRING__' | avr-gcc -E -P -include avr/version.h - | tail -n 1 | tr -d '"')",
  "flashBytes": $flash,
  "flashLimitBytes": $flash_limit,
  "ramBytes": $used,
  "ramLimitBytes": $((ram - stack)),
  "sha256": "$(sha256sum "$folder/$image.hex" | cut -d ' ' -f 1)"
}
END
