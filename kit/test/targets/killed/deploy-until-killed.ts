/**
 * A deployer, and its agent in a process of its own: one policy after the other is brought and installed, and the last taken back again, for
 * ever; until one of the two is killed. What elsewhere `ssh` and `sftp` carry, a pipe and appends to a file carry here.
 *
 * `node deploy-until-killed.js STORE AGENT_KILL_AT BUNDLE…`; exit code 3 where the agent is gone.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { AgentLines } from '@sim2servo/deploy/agent/agent-lines';
import { protocolVersion, type RobotConnection } from '@sim2servo/deploy/agent/protocol';
import { deployBundle } from '@sim2servo/deploy/targets/deploy-bundle';
import { exitCodes, KitError } from '@sim2servo/models/error';
import { robotProgram } from '../robot-program.js';

const [, , store = '', agentKillAt = '', ...bundles] = process.argv;
const blockBytes = 2 ** 16;
const by = 'who is killed';

const { KILL_AT: _, ...environment } = process.env;
const killAtStep = new URL('kill-at-step.js', import.meta.url).href;
const agent = spawn(
  process.execPath,
  ['--import', killAtStep, robotProgram, 'agent', '--store', store, '--robot', 'so101'],
  {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...environment, DEPLOYER_PID: String(process.pid), ...(agentKillAt && { KILL_AT: agentKillAt }) },
  },
);
process.env.AGENT_PID = String(agent.pid);
const lines = new AgentLines(
  agent.stdout,
  agent.stdin,
  async () => new KitError('E_TARGET_LOST', 'the agent is gone', 'deploy again', 'noDevice'),
);
const { incoming } = await lines.request({ kind: 'hello', protocol: protocolVersion });
const connection: RobotConnection = {
  request: lines.request.bind(lines) as RobotConnection['request'],
  async send({ sha256, content }, from, onSent) {
    const part = join(incoming, `${sha256}.part`);
    if (from === 0) writeFileSync(part, new Uint8Array());
    for (let at = from; at < content.length; at += blockBytes) {
      appendFileSync(part, content.subarray(at, at + blockBytes));
      onSent(at);
    }
  },
  close: async () => {},
};
writeSync(1, `${agent.pid}\n`);
try {
  for (;;) {
    for (const bundle of bundles) await deployBundle(connection, bundle, { by });
    await connection.request({ kind: 'rollback', reason: 'as it happens', by });
  }
} catch (error) {
  if (!(error instanceof KitError) || error.code !== 'E_TARGET_LOST') throw error;
  process.exitCode = exitCodes.noDevice;
}
