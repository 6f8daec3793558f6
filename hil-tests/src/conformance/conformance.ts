/**
 * `npm run conformance`: programs of others on the emulated servo buses. They know nothing of this kit: if one of them notices that the
 * servos are none, the emulator is wrong.
 *
 * Their Python is $KIT_PYTHON, or python3. A client whose packages are not there is not run, and that is said.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBusRig } from '../rig/bus/bus-rig.js';
import type { BusKind } from '../rig/bus/create-bus.js';

interface Client {
  readonly kind: BusKind;
  readonly name: string;
  /** What its Python must be able to import, and how it is had. */
  readonly module: string;
  readonly install: string;
  /** In hil-tests/clients. */
  readonly program: string;
  readonly arguments: (port: string, baudRate: number) => readonly string[];
}

const lerobot = {
  name: "LeRobot's driver",
  module: 'lerobot.motors',
  install: 'pip install lerobot==0.4.4 dynamixel-sdk feetech-servo-sdk',
  program: 'lerobot_client.py',
};
const clients: readonly Client[] = [
  {
    kind: 'dynamixel',
    name: "the manufacturer's library",
    module: 'dynamixel_sdk',
    install: 'pip install dynamixel-sdk',
    program: 'dynamixel_sdk_client.py',
    arguments: (port, baudRate) => [port, String(baudRate)],
  },
  { ...lerobot, kind: 'dynamixel', arguments: (port, baudRate) => ['dynamixel', port, String(baudRate)] },
];

const baudRate = 1_000_000;
const servos = 6;
const clientTimeoutMs = 120_000;
/** Clients give up after 34 ms of silence, and a busy machine starves them or the rig for longer: then they begin again. */
const attempts = 3;
const folder = fileURLToPath(new URL('../../../clients/', import.meta.url));
const python = process.env.KIT_PYTHON ?? 'python3';
/** Not in this tree: what they keep for later is theirs. */
const scratch = mkdtempSync(join(tmpdir(), 'conformance-'));
const say = (text: string) => process.stdout.write(`${text}\n`);

let passed = 0;
let failed = 0;
for (const { kind, name, module, install, program, arguments: argumentsOf } of clients) {
  const title = `${kind}: ${name}`;
  if (spawnSync(python, ['-c', `import ${module}`], { cwd: scratch }).status !== 0) {
    say(`not run  ${title}: ${python} has no ${module} (${install}; KIT_PYTHON names another Python)`);
    continue;
  }
  let outcome = '';
  let isOk = false;
  for (let attempt = 1; attempt <= attempts && !isOk; attempt++) {
    const rig = await startBusRig({ kind, servos, baudRate });
    const { status, stdout, stderr } = spawnSync(python, [join(folder, program), ...argumentsOf(rig.path, baudRate)], {
      cwd: scratch,
      encoding: 'utf8',
      timeout: clientTimeoutMs,
    });
    const { maxLagUs } = await rig.report();
    await rig.stop();
    isOk = status === 0;
    outcome = isOk
      ? stdout
      : `${stderr || 'it did not end'}\n(the rig was up to ${(maxLagUs / 1000).toFixed(0)} ms late)`;
    outcome = `${attempt > 1 ? `attempt ${attempt}: ` : ''}${outcome.trim()}`;
  }
  if (isOk) passed++;
  else failed++;
  say(`${isOk ? 'ok      ' : 'FAILED  '} ${title}: ${outcome}`);
}
rmSync(scratch, { recursive: true, force: true });
say(`${passed} passed, ${failed} failed, ${clients.length - passed - failed} not run`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
