/**
 * A machine of its own for as long as a test: this system's files under an overlay in memory, a real systemd as process 1 of its own
 * namespaces, and a real sshd. What is done to it is done to nothing else; it may be rebooted. Its network is this machine's, its
 * pseudo-terminals too.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@sim2servo/hil-tests/rig/free-port';
import { needsSshd } from './sshd.js';

const systemd = ['/usr/lib/systemd/systemd', '/lib/systemd/systemd'].find(path => existsSync(path));

/** In a mount namespace of its own: $1 is an empty folder, $2 names the cgroup. What it mounts goes with it. */
const mounts = `set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root" "$1/cgroup"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
mount -t cgroup2 none "$1/cgroup"
mkdir -p "$1/cgroup/$2"
`;

/** Nothing that this system would start by itself, but the sshd in $3. Where the machine asks for a reboot it begins anew. */
const machine = `${mounts}
root=$1/root
units=$root/etc/systemd/system
rm -rf "$units" "$root"/usr/lib/systemd/system/*.target.wants/systemd-udev* "$root"/usr/lib/systemd/system/multi-user.target.wants \\
  "$root"/usr/lib/systemd/system/timers.target.wants "$root/var/log/journal"
mkdir -p "$units/multi-user.target.wants" "$root/etc/kit-test"
: > "$root/etc/fstab"
: > "$root/etc/machine-id"
echo robot > "$root/etc/hostname"
cp "$3"/* "$root/etc/kit-test"
mv "$root/etc/kit-test/kit-test.service" "$units"
ln -s ../kit-test.service "$units/multi-user.target.wants/"
for unit in systemd-logind.service systemd-timesyncd.service systemd-networkd.service systemd-resolved.service getty.target; do
  ln -s /dev/null "$units/$unit"
done
echo $$ > "$1/cgroup/$2/cgroup.procs"
code=129
# By a hangup its first process says that it wants to be started again.
while [ $code = 129 ]; do
  code=0
  unshare --pid --fork --kill-child --mount --uts --ipc --cgroup sh -c "$4" boot "$root" || code=$?
  echo "it ended with $code"
done
`;

/** In namespaces of its own: $1 is what becomes /. It may not set the clock, load modules, or touch what the kernel is set to. */
const boot = `set -eu
mount -t proc proc "$1/proc"
mount --bind "$1/proc/sys" "$1/proc/sys"
mount -o remount,bind,ro "$1/proc/sys"
mount -t sysfs -o ro sysfs "$1/sys"
mount -t cgroup2 cgroup "$1/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$1/dev"
for device in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "$1/dev/\${device%:*}" c 1 "\${device#*:}"; done
mknod -m 600 "$1/dev/kmsg" c 1 11
mknod -m 666 "$1/dev/tty" c 5 0
mknod -m 666 "$1/dev/ptmx" c 5 2
mkdir "$1/dev/pts" "$1/dev/shm"
mount --bind /dev/pts "$1/dev/pts"
mount -t tmpfs -o mode=755 tmpfs "$1/run"
mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
# A home without this user's own: what its shell does at each start is none of the robot's.
mount -t tmpfs -o mode=700 tmpfs "$1/root"
cd "$1"
mkdir run/old
pivot_root . run/old
umount -l /run/old
exec env -i container=kit-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
  setpriv --bounding-set -sys_time,-sys_module,-sys_rawio ${systemd} </dev/null
`;

/** Why there can be none on this Linux, for root; undefined where there can. */
function whyNot(): string | undefined {
  if (systemd === undefined) return 'needs systemd, of which nothing is installed here';
  if (needsSshd.skip !== false) return String(needsSshd.skip);
  const folder = mkdtempSync(join(tmpdir(), 'container-'));
  const tried = spawnSync(
    'unshare',
    [
      '--mount',
      'sh',
      '-c',
      `${mounts}rmdir "$1/cgroup/$2"\nsetpriv --version\nunshare --pid --fork --cgroup true`,
      'try',
    ].concat(folder, basename(folder)),
    { encoding: 'utf8' },
  );
  rmSync(folder, { recursive: true });
  return tried.status === 0
    ? undefined
    : `no container can be made here: ${tried.error?.message ?? tried.stderr.trim()}`;
}

/** For tests on one: where none can be made they say what stands in the way. */
export const needsContainer = {
  skip:
    process.platform === 'linux' && process.getuid?.() === 0
      ? (whyNot() ?? false)
      : 'needs root on Linux, to boot a systemd',
};

const patienceMs = 30_000;

export class Container {
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #port: number;
  readonly #said: () => string;

  private constructor(folder: string, process: ChildProcess, port: number, said: () => string) {
    this.#folder = folder;
    this.#process = process;
    this.#port = port;
    this.#said = said;
  }

  static async start(): Promise<Container> {
    const folder = mkdtempSync(join(tmpdir(), 'container-'));
    const [files, port] = [join(folder, 'files'), await freePort()];
    for (const path of [files, join(folder, 'machine')]) mkdirSync(path);
    for (const path of [join(files, 'host'), join(folder, 'user')])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
    writeFileSync(join(files, 'authorized'), readFileSync(join(folder, 'user.pub')));
    writeFileSync(
      join(files, 'kit-test.service'),
      `[Service]\nRuntimeDirectory=sshd\nExecStart=/usr/sbin/sshd -D -e -f /etc/kit-test/sshd_config\n`,
    );
    writeFileSync(
      join(files, 'sshd_config'),
      `Port ${port}
ListenAddress 127.0.0.1
HostKey /etc/kit-test/host
AuthorizedKeysFile /etc/kit-test/authorized
PermitRootLogin prohibit-password
PidFile none
StrictModes no
Subsystem sftp internal-sftp
`,
    );
    const knownHosts = join(folder, 'known_hosts');
    writeFileSync(knownHosts, `[127.0.0.1]:${port} ${readFileSync(join(files, 'host.pub'), 'utf8')}`);
    writeFileSync(
      join(folder, 'config'),
      `Host *
  IdentityFile ${join(folder, 'user')}
  IdentitiesOnly yes
  UserKnownHostsFile ${knownHosts}
  BatchMode yes
  LogLevel ERROR
`,
    );
    const args = ['--mount', 'sh', '-c', machine, 'machine', join(folder, 'machine'), basename(folder), files, boot];
    // In a group of its own, so that all of it can be ended at once.
    const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    const it = new Container(folder, child, port, () => said);
    try {
      await it.booted();
    } catch (error) {
      await it.stop();
      throw error;
    }
    return it;
  }

  /** For `ssh -F`. */
  get sshConfig(): string {
    return join(this.#folder, 'config');
  }

  get target(): string {
    return this.targetOf('root');
  }

  /** Whoever has the key may log in under each name. */
  targetOf(user: string): string {
    return `${user}@127.0.0.1:${this.#port}`;
  }

  /** Servos on a port of this machine are on `/dev/ttyUSB0` there, as a USB adapter's would be: of the group that the service joins. */
  plugIn(port: string): void {
    chownSync(port, 0, Number(this.run('getent group dialout | cut -d: -f3')));
    chmodSync(port, 0o660);
    this.run(`ln -s ${port} /dev/ttyUSB0`);
  }

  /** Runs a script there as root. @returns what it wrote to stdout */
  run(script: string): string {
    const { status, stdout, stderr } = this.#ssh(script);
    if (status !== 0) throw new Error(`${script}: ${stderr}${stdout} (exit code ${status})`);
    return stdout.trim();
  }

  /** Until a script ends well there. It is tried there: a connection for each try would cost the machine more than what is waited for. */
  async until(script: string, forMs = patienceMs): Promise<void> {
    const trying = `for try in $(seq ${forMs / 200}); do if { ${script}\n} >/dev/null 2>&1; then exit 0; fi; sleep 0.2; done; exit 7`;
    for (const since = performance.now(); ; await sleep(200)) {
      const { status, stderr } = this.#ssh(trying, forMs);
      if (status === 0) return;
      if (performance.now() - since > forMs || this.#process.exitCode !== null)
        throw new Error(`it never was so: ${script}\n${stderr}\n${this.#said()}`);
    }
  }

  async booted(): Promise<void> {
    await this.until('systemctl is-active multi-user.target');
  }

  async reboot(): Promise<void> {
    const bootId = this.run('cat /proc/1/stat | cut -d" " -f22');
    // The connection is cut before there is an answer.
    this.#ssh('systemctl reboot');
    await this.until(`test "$(cut -d' ' -f22 /proc/1/stat)" != ${bootId}`);
    await this.booted();
  }

  async stop(): Promise<void> {
    const gone = new Promise(resolve => this.#process.once('close', resolve));
    process.kill(-this.#process.pid!, 'SIGKILL');
    await gone;
    // Its groups of processes stay until they are removed, those inside first; the last process needs a moment to be gone.
    const script = `mount -t cgroup2 none "$1"
for try in $(seq 50); do find "$1/$2" -depth -type d -exec rmdir {} + 2>/dev/null || true; [ -e "$1/$2" ] || exit 0; sleep 0.1; done
exit 1`;
    execFileSync('unshare', [
      '--mount',
      'sh',
      '-c',
      script,
      'stop',
      join(this.#folder, 'machine'),
      basename(this.#folder),
    ]);
    rmSync(this.#folder, { recursive: true });
  }

  #ssh(script: string, forMs = patienceMs) {
    return spawnSync('ssh', ['-F', this.sshConfig, '-p', `${this.#port}`, 'root@127.0.0.1', 'sh -s'], {
      input: script,
      encoding: 'utf8',
      timeout: forMs + 5_000,
    });
  }
}
