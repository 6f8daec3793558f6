/** The files that make a program a robot's service: systemd units, udev rule, limits, modules, and the program that people type. */
import { latencyRule } from '@sim2servo/firmware-bridge/port-latency';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import { loopNodeFlags } from '@sim2servo/runtime/gc-pauses';
import { brokerVariable } from '../robot/robot-places.js';
import { nodePath, programPath, type RuntimePackage } from './runtime-package.js';
import type { TargetFacts } from './target-facts.js';

export const systemUser = 'sim2servo';
export const busDevice = '/dev/sim2servo-bus';

export const unitNames = { service: 'sim2servo.service', agent: 'sim2servo-agent.service' } as const;

/**
 * What keeps the service below its budget of memory, beside the first: one helper thread instead of four, builtins not copied for each
 * thread, code that is not run any more given up, and a collection that can be asked for before an arm moves. 171 MB at the peak of a trial
 * became 150 (linux-x64, Node 22).
 */
const engineFlags = '--max-semi-space-size=1 --v8-pool-size=1 --no-short-builtin-calls --optimize-for-size --expose-gc';

/**
 * `sim2servo-robot`, with the root folder that it lies in. Files that it makes are for the group, since the service and the person who
 * deploys share the store.
 */
export function programScript({ ownNode, manifest }: Pick<RuntimePackage, 'ownNode' | 'manifest'>): string {
  const current = '$root/opt/sim2servo/current';
  // V8's first compiler alone: 30 MB less, and no second one at work while the arm moves; inference is as fast (21 µs, two layers of 128).
  const compiler = manifest.inference === 'wasm' ? ' --liftoff-only' : '';
  return `#!/bin/sh
umask 007
root=$(cd "$(dirname "$0")/../../.." && pwd -P)
root=\${root%/}
SIM2SERVO_ROOT=\${root:-/}
# Threads share what glibc keeps of freed memory, instead of keeping some each.
MALLOC_ARENA_MAX=2
export SIM2SERVO_ROOT MALLOC_ARENA_MAX
exec ${ownNode ? 'node' : `"${current}/${nodePath}"`} ${engineFlags} ${loopNodeFlags.join(' ')}${compiler} "${current}/${programPath}" "$@"
`;
}

/** Kinds of serial devices: the name that the kernel lists them under, and the module that brings it. */
const serialKinds = [
  { path: /^\/dev\/ttyUSB/, device: 'char-ttyUSB', module: 'usbserial' },
  { path: /^\/dev\/ttyACM/, device: 'char-ttyACM', module: 'cdc_acm' },
  { path: /^\/dev\/ttyAMA/, device: 'char-ttyAMA' },
  { path: /^\/dev\/ttyTHS/, device: 'char-ttyTHS' },
  { path: /^\/dev\/ttyS/, device: 'char-ttyS' },
] as const;

/** By a name that says nothing of its kind (by-id, or our own) it is one of the two that USB has. */
function kindsOf(port: string): readonly { readonly device: string; readonly module?: string }[] {
  const known = serialKinds.filter(({ path }) => path.test(port));
  return known.length > 0 ? known : serialKinds.slice(0, 2);
}

/** Loaded at boot: a class of devices can only be allowed by its name once its module has named it. Empty where none is needed. */
export function modulesFile(port: string | undefined): string {
  const modules = port === undefined ? [] : kindsOf(port).flatMap(({ module }) => module ?? []);
  return modules.length === 0
    ? ''
    : `# The serial adapter may be plugged in after sim2servo.service has started.\n${modules.join('\n')}\n`;
}

export const limitsFile = `# Who drives an arm by hand over ssh may have real-time priority, too.\n@${systemUser} - rtprio 60\n`;

/** Adapters answer at once; the one that the servos hang on has a name of its own, whichever socket it is in. */
export function udevRule(adapter: TargetFacts['adapter']): string {
  const { vendor, product, serial } = adapter ?? {};
  const name =
    vendor === undefined
      ? `# ${busDevice} is not named: the adapter's ids were not known when this was written.`
      : `SUBSYSTEM=="tty", ATTRS{idVendor}=="${vendor}", ATTRS{idProduct}=="${product}",${serial === undefined ? '' : ` ATTRS{serial}=="${serial}",`} SYMLINK+="${busDevice.slice('/dev/'.length)}"`;
  return `${latencyRule}\n${name}\n`;
}

/**
 * What both units refuse themselves. Not among it, and why: MemoryDenyWriteExecute, since V8 compiles; RestrictRealtime, since the loop
 * asks for FIFO; PrivateDevices, since the serial port would be gone; PrivateUsers, since the port's group would be nobody's.
 */
function hardening(writable: readonly string[], network: boolean): string {
  return `NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ReadWritePaths=${writable.join(' ')}
ProtectHome=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
LockPersonality=yes
RemoveIPC=yes
RestrictNamespaces=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @mount @swap @reboot @raw-io @debug
SystemCallErrorNumber=EPERM
${network ? 'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK' : 'RestrictAddressFamilies=AF_UNIX\nPrivateNetwork=yes\nIPAddressDeny=any'}
DevicePolicy=closed`;
}

/** The loop. @param port the serial port that it may open; undefined where its bus is behind a broker */
export function serviceUnit({ spec, site }: Pick<LoadedRobot, 'spec' | 'site'>, port: string | undefined): string {
  const network = site.bus.kind === 'mqtt';
  const devices = port === undefined ? [] : kindsOf(port).map(({ device }) => `\nDeviceAllow=${device} rw`);
  return `[Unit]
Description=sim2servo: ${spec.name}, waits without torque until it is told to start
After=systemd-modules-load.service${network ? ' network-online.target\nWants=network-online.target' : ''}
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
ExecStart=/usr/local/bin/sim2servo-robot run
User=${systemUser}
Group=${systemUser}
UMask=0007
RuntimeDirectory=sim2servo
RuntimeDirectoryMode=0750
# Fed by the control loop, tick by tick: a loop that hangs ends here. After a restart the service waits; it never moves by itself.
WatchdogSec=10
Restart=on-failure
RestartSec=1
TimeoutStartSec=60
TimeoutStopSec=20
# For FIFO, which the loop's thread asks for.
LimitRTPRIO=60
OOMScoreAdjust=-500
${hardening(['/var/lib/sim2servo'], network)}${devices.join('')}

[Install]
WantedBy=multi-user.target
`;
}

/** Who takes deployments from a broker. It has the network, and no device. */
export function agentUnit({ spec }: Pick<LoadedRobot, 'spec'>): string {
  return `[Unit]
Description=sim2servo: ${spec.name}, takes policies from a broker
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=300
StartLimitBurst=20

[Service]
Type=notify
NotifyAccess=main
EnvironmentFile=/etc/sim2servo/agent.env
ExecStart=/usr/local/bin/sim2servo-robot serve
User=${systemUser}
Group=${systemUser}
UMask=0007
# Fed each time that it has looked how the robot is.
WatchdogSec=60
Restart=on-failure
RestartSec=5
${hardening(['/var/lib/sim2servo'], true)}

[Install]
WantedBy=multi-user.target
`;
}

/** The broker's URL may hold a password: it lies here, and on no command line. */
export const agentEnvironment = (brokerUrl: string): string => `${brokerVariable}=${brokerUrl}\n`;
