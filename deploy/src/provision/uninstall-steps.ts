/** What takes a robot's installation away again: all but its logs. */
import { systemUser, unitNames } from './service-files.js';
import type { Step } from './steps.js';

export const uninstallSteps: readonly Step[] = [
  {
    name: 'stop',
    words: 'the services end, and are not started again',
    system: true,
    script: `resting
for unit in ${unitNames.agent} ${unitNames.service}; do
  if [ -f "/etc/systemd/system/$unit" ]; then systemctl disable --now "$unit"; fi
done
`,
  },
  {
    name: 'units',
    words: 'units, rules, limits, the program',
    script: `for path in etc/systemd/system/${unitNames.service} etc/systemd/system/${unitNames.agent} etc/udev/rules.d/99-sim2servo.rules \\
  etc/security/limits.d/sim2servo.conf etc/modules-load.d/sim2servo.conf usr/local/bin/sim2servo-robot; do
  if [ -e "$ROOT/$path" ]; then rm "$ROOT/$path"; echo "removed /$path"; fi
done
`,
  },
  {
    name: 'folders',
    words: 'runtime, robot and policies; the logs stay in /var/lib/sim2servo/logs',
    script: `for path in opt/sim2servo etc/sim2servo run/sim2servo var/lib/sim2servo/store; do
  if [ -e "$ROOT/$path" ]; then rm -rf "$ROOT/$path"; echo "removed /$path"; fi
done
own -R root:root "$ROOT/var/lib/sim2servo" 2>/dev/null || true
# Without logs nothing stays.
rmdir "$ROOT/var/lib/sim2servo/logs" "$ROOT/var/lib/sim2servo" 2>/dev/null || true
`,
  },
  {
    name: 'user',
    words: `user and group ${systemUser}`,
    system: true,
    script: `if command -v userdel >/dev/null; then
  no_user() { userdel "$1"; }
  no_group() { groupdel "$1"; }
else # BusyBox
  no_user() { deluser "$1"; }
  no_group() { delgroup "$1"; }
fi
if id ${systemUser} >/dev/null 2>&1; then no_user ${systemUser}; fi
if grep -q '^${systemUser}:' /etc/group; then no_group ${systemUser}; fi
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
if [ -S /run/udev/control ]; then udevadm control --reload; fi
`,
  },
];
