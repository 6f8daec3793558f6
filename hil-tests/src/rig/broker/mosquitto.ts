/** Mosquitto, where the system has it: the broker that people run. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrokerOptions, BrokerProcess } from './broker-process.js';

/** Debian keeps it where only root's path leads. */
const path = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;
export const hasMosquitto = spawnSync('mosquitto', ['-h'], { env: { PATH: path } }).error === undefined;

/** @throws KitError E_BROKER_START */
export function startMosquitto({ tls, acl }: BrokerOptions): Promise<BrokerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'mosquitto-'));
  const aclFile = join(folder, 'acl');
  const config = join(folder, 'mosquitto.conf');
  const lines = (port: number) => [
    `listener ${port} 127.0.0.1`,
    'set_tcp_nodelay true',
    'persistence false',
    // Else it changes to a user who may not read our files.
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    ...(acl === undefined ? [] : [`acl_file ${aclFile}`]),
    ...(tls === undefined
      ? ['allow_anonymous true']
      : [
          `cafile ${tls.ca}`,
          `certfile ${tls.cert}`,
          `keyfile ${tls.key}`,
          'require_certificate true',
          'use_identity_as_username true',
        ]),
  ];
  return BrokerProcess.start({
    scheme: tls === undefined ? 'mqtt' : 'mqtts',
    spawn(port) {
      if (acl !== undefined) writeFileSync(aclFile, acl, { mode: 0o600 });
      writeFileSync(config, `${lines(port).join('\n')}\n`);
      return spawn('mosquitto', ['-c', config], { env: { PATH: path }, stdio: ['ignore', 'ignore', 'pipe'] });
    },
    tidy: () => rmSync(folder, { recursive: true, force: true }),
  });
}
