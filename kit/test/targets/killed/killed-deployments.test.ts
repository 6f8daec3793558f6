/** `kill -9` of the deployer, of its agent, and of both, at every step of a deployment. `npm run long` kills a thousand (kill-a-thousand.ts). */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { type Kills, killDeployments } from './deployment-kills.js';

/** In memory, where the machine has a place for that: what is there survives a killed process, and more need not be. */
function quickFolder(t: Test): string {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'kit-kills-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

t.test(
  'fifty deployments whose deployer, agent or both are killed leave a store that starts, and the next succeeds',
  async t => {
    const counted = await killDeployments(quickFolder(t), 50);
    t.match(counted, { kills: 50, ofVictims: { agent: 17, deployer: 17, both: 16 }, atSteps: 41, atMoments: 9 });
    t.ok(counted.proposed > 10, `${counted.proposed} of them had got a policy in`);
    t.comment(JSON.stringify(counted));
  },
);

interface KeptKills extends Kills {
  readonly of: number;
}

/** `npm run long`'s own program. @returns it, and all that it has said on stderr so far */
function aThousand(out: string, kills: number): { program: ChildProcess; said: () => string } {
  const path = fileURLToPath(new URL('kill-a-thousand.js', import.meta.url));
  // In a group of its own, as a terminal has it: Ctrl-C reaches the process that is to be killed as well.
  const program = spawn(process.execPath, [path, out, String(kills)], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  program.stderr!.setEncoding('utf8').on('data', text => {
    said += text;
  });
  return { program, said: () => said };
}

t.test('the long run says how far it is, and Ctrl-C leaves what it counted so far', async t => {
  const out = join(quickFolder(t), 'kills.json');
  const { program, said } = aThousand(out, 1000);
  t.teardown(() => program.kill('SIGKILL'));
  while (!said().includes('\n')) await once(program.stderr!, 'data');
  t.match(said(), /^1 of 1000 killed, [\d.]+ a second, \d+ min left\n/);
  t.notOk(existsSync(out), 'a run that is not over leaves what an earlier one has found');
  process.kill(-program.pid!, 'SIGINT');
  const [exit] = await once(program, 'exit');
  t.equal(exit, 130, said());
  const kept = JSON.parse(readFileSync(out, 'utf8')) as KeptKills;
  t.equal(kept.of, 1000);
  t.ok(kept.kills >= 1 && kept.kills < 1000, `${kept.kills}`);
  t.equal(kept.atSteps + kept.atMoments, kept.kills);
});
