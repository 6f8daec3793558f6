/** What a provisioning does, step by step: a pure function of the robot, of its runtime, and of what was found there. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KitError, messageOf } from '@sim2servo/models/error';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import type { RuntimePackage } from './runtime-package.js';
import { runtimeStep } from './runtime-step.js';
import {
  agentEnvironment,
  agentUnit,
  busDevice,
  limitsFile,
  modulesFile,
  programScript,
  serviceUnit,
  systemUser,
  udevRule,
  unitNames,
} from './service-files.js';
import { keysStep, type SiteThere, sitePath, siteText, withoutKeys, withTrust } from './site-there.js';
import { putFile, type Step } from './steps.js';
import type { TargetFacts } from './target-facts.js';
import { quoted } from './target-shell.js';

export interface InstallOptions {
  readonly robot: LoadedRobot;
  readonly runtime: RuntimePackage;
  readonly facts: TargetFacts;
  /** Serial port on the robot; default: the one in site.json. */
  readonly port: string | undefined;
  /** Of a broker that policies come from; without it there is no agent. */
  readonly mqtt: string | undefined;
  /** What is calibrated on the robot is given up for the site.json from here. */
  readonly replaceSite: boolean;
  /** Absent where the robot has none yet. */
  readonly siteThere: SiteThere | undefined;
  /** Whether what is installed runs on the machine that the steps run on. */
  readonly runs: boolean;
}

export function installSteps(options: InstallOptions): Step[] {
  const { robot, runtime, facts, mqtt, siteThere, runs } = options;
  const port = portThere(options);
  const keys = siteThere && keysStep(siteThere, robot.site);
  return [
    userStep(facts),
    foldersStep,
    ...(keys === undefined ? [] : [keys]),
    runtimeStep(runtime, facts, runs),
    {
      name: 'program',
      words: 'sim2servo-robot, for people and for the units',
      script: putFile('/usr/local/bin/sim2servo-robot', programScript(runtime), { mode: '755' }),
    },
    robotStep(options),
    {
      name: 'real-time',
      words: 'permission for real-time priority, and the module of the serial adapter at boot',
      script: [
        putFile('/etc/security/limits.d/sim2servo.conf', limitsFile),
        ...(modulesFile(port) === '' ? [] : [putFile('/etc/modules-load.d/sim2servo.conf', modulesFile(port))]),
      ].join(''),
    },
    {
      name: 'adapter',
      words: `USB adapters pass bytes on at once${facts.adapter === undefined ? '' : `; the one of ${options.port ?? 'the servos'} is ${busDevice}`}`,
      script: putFile('/etc/udev/rules.d/99-sim2servo.rules', udevRule(facts.adapter)),
    },
    {
      name: 'units',
      words: `systemd units: ${unitNames.service}${mqtt === undefined ? '' : ` and ${unitNames.agent}`}`,
      script: [
        putFile(`/etc/systemd/system/${unitNames.service}`, serviceUnit(robot, port)),
        ...(mqtt === undefined
          ? [`rm -f "$ROOT/etc/systemd/system/${unitNames.agent}" "$ROOT/etc/sim2servo/agent.env"\n`]
          : [
              putFile('/etc/sim2servo/agent.env', agentEnvironment(mqtt), { mode: '640', group: systemUser }),
              putFile(`/etc/systemd/system/${unitNames.agent}`, agentUnit(robot)),
            ]),
      ].join(''),
    },
    {
      name: 'reload',
      words: 'the kernel and udev take the new rules',
      system: true,
      script: `if [ -S /run/udev/control ]; then udevadm control --reload && udevadm trigger --subsystem-match=tty; fi
if [ -f /etc/modules-load.d/sim2servo.conf ] && command -v modprobe >/dev/null; then
  while read -r module; do case $module in \\#*) ;; *) modprobe "$module" || echo "module $module is not there" ;; esac; done < /etc/modules-load.d/sim2servo.conf
fi
`,
    },
    {
      name: 'start',
      words: 'the service runs, now and after each boot. It waits without torque',
      system: true,
      script: `resting
systemctl daemon-reload
systemctl enable ${unitNames.service}
systemctl restart ${unitNames.service}
${
  mqtt === undefined
    ? `systemctl disable --now ${unitNames.agent} 2>/dev/null || true`
    : `systemctl enable ${unitNames.agent}\nsystemctl restart --no-block ${unitNames.agent}`
}
`,
    },
  ];
}

/** The port's name on the robot: our own where the adapter is known by its ids. @throws KitError E_NO_PORT */
function portThere({ robot: { spec, site }, port, facts }: InstallOptions): string | undefined {
  if (site.bus.kind === 'mqtt') return undefined;
  const named = port ?? site.bus.port;
  if (facts.adapter !== undefined) return busDevice;
  if (named !== undefined) return named;
  throw new KitError(
    'E_NO_PORT',
    `site.json of ${spec.name} names no port, so the service would have none`,
    'name the one that the servos hang on, on the robot: --port /dev/ttyUSB0',
    'usage',
  );
}

function userStep({ user, root }: TargetFacts): Step {
  const person = root ? '' : `join ${quoted(user)} ${systemUser}\n`;
  return {
    name: 'user',
    words: `user and group ${systemUser}${root ? '' : `; ${user} joins the group`}`,
    system: true,
    script: `if command -v useradd >/dev/null; then
  make_group() { groupadd --system "$1"; }
  make_user() { useradd --system --gid "$1" --no-create-home --home-dir /var/lib/sim2servo --shell /usr/sbin/nologin "$1"; }
  join() { usermod -aG "$2" "$1"; }
else # BusyBox
  make_group() { addgroup -S "$1"; }
  make_user() { adduser -S -D -H -h /var/lib/sim2servo -s /sbin/nologin -G "$1" "$1"; }
  join() { addgroup "$1" "$2"; }
fi
grep -q '^${systemUser}:' /etc/group || make_group ${systemUser}
id ${systemUser} >/dev/null 2>&1 || make_user ${systemUser}
for group in dialout uucp; do if grep -q "^$group:" /etc/group; then join ${systemUser} $group; fi; done
${person}`,
  };
}

const foldersStep: Step = {
  name: 'folders',
  words: 'where the runtime, the robot, its policies and its logs lie',
  script: `mkdir -p "$ROOT/opt/sim2servo/releases" "$ROOT/etc/sim2servo/robot" "$ROOT/var/lib/sim2servo"
if [ $SYSTEM = no ]; then mkdir -p "$ROOT/run/sim2servo"; fi
# The service, or who has got hold of it, may change its policies and its logs, and no name that root follows.
own root:${systemUser} "$ROOT/etc/sim2servo" "$ROOT/etc/sim2servo/robot" "$ROOT/var/lib/sim2servo"
chmod 755 "$ROOT/etc/sim2servo"
chmod 750 "$ROOT/etc/sim2servo/robot" "$ROOT/var/lib/sim2servo"
for folder in store logs; do
  if [ -L "$ROOT/var/lib/sim2servo/$folder" ]; then
    refuse E_TARGET_LINK "/var/lib/sim2servo/$folder is a link to $(readlink "$ROOT/var/lib/sim2servo/$folder")" "mount the other place there, or remove the link, then run it again"
  fi
  mkdir -p "$ROOT/var/lib/sim2servo/$folder"
done
own ${systemUser}:${systemUser} "$ROOT/var/lib/sim2servo/store" "$ROOT/var/lib/sim2servo/logs"
# New files there belong to the group, whoever makes them.
chmod 2770 "$ROOT/var/lib/sim2servo/store" "$ROOT/var/lib/sim2servo/logs"
`,
};

/** `robot.json`, `site.json`, and the certificates that it names; the scene is for the simulator. */
function robotStep(options: InstallOptions): Step {
  const { robot, replaceSite } = options;
  const { folder, site } = robot;
  const group = systemUser;
  const { bus } = site;
  const certificates = bus.kind === 'mqtt' ? [bus.ca, bus.cert, bus.key].filter(path => path !== undefined) : [];
  for (const path of certificates)
    if (!/^[\w-][\w.-]*$/.test(path))
      throw new KitError(
        'E_SITE_FILE',
        `site.json of ${robot.spec.name} names the file ${path}, which lies outside the robot folder`,
        'put it beside site.json, so that it travels with the robot',
        'usage',
      );
  return {
    name: 'robot',
    words: `robot ${robot.spec.name}: robot.json, and site.json ${replaceSite ? 'from here' : 'where there is none'}`,
    script: [
      putFile('/etc/sim2servo/robot/robot.json', textOf(folder, 'robot.json'), { mode: '640', group }),
      putFile(sitePath, siteOf(options), { mode: '640', group, keep: !replaceSite }),
      ...certificates.map(path =>
        putFile(`/etc/sim2servo/robot/${path}`, textOf(folder, path), { mode: '640', group }),
      ),
    ].join(''),
  };
}

/** The site with the port's name on the robot, and with the keys that are known there; as it is where nothing changes. */
function siteOf(options: InstallOptions): string {
  const { robot, siteThere } = options;
  const port = portThere(options);
  const text = textOf(robot.folder, 'site.json');
  const { bus, trustedKeys, revokedKeys } = robot.site;
  const site = JSON.parse(text) as { bus: Record<string, unknown> };
  const moved = port === undefined || bus.kind === 'mqtt' || bus.port === port;
  const here = {
    text: moved ? text : siteText({ ...site, bus: { ...site.bus, port } }),
    trust: { trustedKeys, revokedKeys },
  };
  if (siteThere === undefined) return here.text;
  const [ours, theirs] = [withTrust(here, siteThere.trust), withTrust(siteThere, here.trust)];
  // What is only written otherwise is no other site.
  return withoutKeys(ours) === withoutKeys(theirs) ? theirs.text : ours.text;
}

function textOf(folder: string, name: string): string {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch (error) {
    throw new KitError(
      'E_FILE_READ',
      `can't read ${join(folder, name)}: ${messageOf(error)}`,
      'check the path',
      'usage',
      {
        cause: error,
      },
    );
  }
}
