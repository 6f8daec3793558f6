/** `kit run` as a process on a real port: what ends it, how it leaves, and what is left of its log. */
import { setTimeout as sleep } from 'node:timers/promises';
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { startAvrRig } from '@sim2servo/hil-tests/rig/avr-rig';
import { PseudoTerminal } from '@sim2servo/hil-tests/rig/pseudo-terminal';
import { logInfo } from '@sim2servo/runtime/logs';
import type { RunReport } from '@sim2servo/runtime/run-policy';
import t from 'tap';
import { errorOf, type Kill, kit, kitProcess, needsLinux, type Said } from './test-io.js';

const folder = t.testdir({});
const bundle = `${folder}/bundle`;

t.before(async () => {
  for (const line of [`train --steps 2064 --out ${folder}/run`, `export ${folder}/run ${bundle}`]) {
    const said = await kit(line);
    if (said.exit !== 0) throw new Error(said.err);
  }
});

/** A port that nobody serves but this test. `say`: what its other end sends every 10 ms. */
async function foreignPort(say: Uint8Array | undefined): Promise<{ path: string; stop: () => void }> {
  const port = await PseudoTerminal.open();
  const timer = setInterval(() => {
    port.poll(() => {});
    if (say !== undefined) port.write(say);
  }, 10);
  return {
    path: port.path,
    stop: () => {
      clearInterval(timer);
      port.hangUp();
    },
  };
}

t.test('a port on which nothing answers, and one on which something else does', needsLinux, async t => {
  const gps = new TextEncoder().encode('$GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,*76\r\n');
  for (const [say, code] of [
    [undefined, 'E_NO_ANSWER'],
    [gps, 'E_FOREIGN_DEVICE'],
  ] as const) {
    const port = await foreignPort(say);
    const said = await kitProcess([
      'run',
      '--policy',
      bundle,
      '--port',
      port.path,
      '--yes',
      '--json',
      '--log',
      `${folder}/none.mcap`,
    ]);
    port.stop();
    t.equal(said.exit, 3, code);
    t.match(errorOf(said), { code, hint: /kit device flash/ });
  }
});

t.test('on the virtual board', needsLinux, async t => {
  const rig = await startAvrRig({ robot: 'desk2', imagePath: firmwareImage });
  t.teardown(() => rig.stop());
  let runs = 0;
  /** A run in whose motion `act` is called. On a machine too busy to feed the board in time it is begun again. */
  const runUntil = async (act: (kill: Kill) => void | Promise<void>) => {
    for (let attempt = 1; ; attempt++) {
      const log = `${folder}/${++runs}.mcap`;
      const args = ['run', '--policy', bundle, '--port', rig.path, '--yes', '--seconds', '20', '--log', log];
      let acted = false;
      const said = await kitProcess(args, {
        async meanwhile(process) {
          while (process.running() && (await rig.report()).device !== 'armed') await sleep(50);
          await sleep(500);
          if (!process.running()) return;
          acted = true;
          await act(process.kill);
        },
      });
      if (acted && said.exit !== 4) return { ...said, log };
      if (attempt === 5) throw new Error(`no run came into motion: ${said.err}`);
    }
  };

  await t.test('Ctrl-C holds the arm, finishes the log, and says so', async t => {
    const { exit, out, err, log } = await runUntil(kill => kill('SIGINT'));
    t.equal(exit, 130);
    t.match(err, /target 1, 0 reached/);
    t.notMatch(err, /NaN/, 'what was not measured yet is not said');
    t.match(out, /^interrupted: .*\nthe arm was told to hold, and holds/);
    t.match(out, new RegExp(`log: ${log}, \\d+ transitions, whole`));
    const { complete, records } = logInfo(log);
    t.ok(complete && records > 0, `${records} transitions, whole`);
    t.match(await rig.report(), { device: 'held', reason: 'the host asked for it' });
  });

  await t.test('a second run on the same port is refused by name of the first, which goes on', async t => {
    let second: Promise<Said> | undefined;
    const first = await runUntil(async kill => {
      second = kitProcess([
        'run',
        '--policy',
        bundle,
        '--port',
        rig.path,
        '--yes',
        '--json',
        '--seconds',
        '1',
        '--log',
        `${folder}/second-${runs}.mcap`,
      ]);
      await second;
      kill('SIGINT');
    });
    const refused = await second!;
    t.equal(refused.exit, 3);
    t.match(errorOf(refused), { code: 'E_PORT_BUSY' });
    t.equal(first.exit, 130, 'the first was ended by Ctrl-C, by nothing else');
  });

  await t.test('a cable that is pulled in mid-run: named, the log whole, the arm held by the board', async t => {
    const { exit, err, log } = await runUntil(() => rig.tell({ kind: 'hangUp' }));
    t.equal(exit, 3);
    t.match(err, /error: .*port/);
    t.match(err, /E_PORT_/);
    t.match(err, /the hold failed: .*port.*; when nobody speaks: the board holds the arm by itself 60 ms after/);
    t.ok(logInfo(log).complete);
    await sleep(200);
    t.match(await rig.report(), { device: 'latched', reason: 'no motion command came in time' });
  });
});

t.test('a run that fails in motion says with --json what it did until then, beside the error', needsLinux, async t => {
  const rig = await startAvrRig({ robot: 'desk2', imagePath: firmwareImage });
  t.teardown(() => rig.stop());
  const log = `${folder}/cut.mcap`;
  const args = ['run', '--policy', bundle, '--port', rig.path, '--yes', '--json', '--seconds', '20', '--log', log];
  const said = await kitProcess(args, {
    async meanwhile(process) {
      while (process.running() && (await rig.report()).device !== 'armed') await sleep(50);
      await sleep(300);
      await rig.tell({ kind: 'hangUp' });
    },
  });
  const { report } = JSON.parse(said.out) as { report: RunReport };
  t.match(errorOf(said), { code: /^E_PORT_/ });
  t.match(report, { end: { kind: 'failed' }, log: { path: log }, missedBy: { away: Number } });
  t.ok(report.ticks > 0, `${report.ticks} ticks`);
});
