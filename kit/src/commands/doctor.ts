/** `kit doctor`: what this machine can do, and how to get the rest. Each check is small, runs alone, and says what to type. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, totalmem } from 'node:os';
import { adapters, latencyFix, latencyWarning } from '@sim2servo/firmware-bridge/port-latency';
import { permissionFix } from '@sim2servo/firmware-bridge/port-owner';
import { KitError, messageOf } from '@sim2servo/models/error';
import { DeviceCopy } from '@sim2servo/train/engine/device-session';
import { nativeProvider, type Provider } from '@sim2servo/train/engine/provider';
import type { AddCommand, CommandContext } from '../command-context.js';
import { ProgressLine } from '../progress-line.js';
import { wakeUpReport, wakeUpWords } from '../wake-up-report.js';

type Status = 'ok' | 'warn' | 'fail';

interface Finding {
  readonly status: Status;
  readonly detail: string;
  /** What to type where it is not ok. */
  readonly fix?: string;
}

interface Check {
  readonly name: string;
  readonly run: () => Finding | Promise<Finding>;
}

const require = createRequire(import.meta.url);

/** A package that must load, or a way to do without it. */
function loads(name: string, packageName: string, missing: Status, fix: string): Check {
  return {
    name,
    run: async () => {
      try {
        await import(packageName);
        return { status: 'ok', detail: `${packageName} loads` };
      } catch (error) {
        return { status: missing, detail: `${packageName} does not load: ${messageOf(error).split('\n')[0]}`, fix };
      }
    },
  };
}

/** A provider of the fused engine: nothing is said of its speed. */
function starts(provider: Provider): Check {
  return {
    name: `engine fused-${provider}`,
    run: () => {
      try {
        new DeviceCopy(provider, { x: [1] }, 'cpu').dispose();
        return { status: 'ok', detail: 'starts' };
      } catch (error) {
        if (!(error instanceof KitError)) throw error;
        return { status: 'warn', detail: error.message, fix: error.hint };
      }
    },
  };
}

const checks: readonly Check[] = [
  {
    name: 'node',
    run: () => ({ status: 'ok', detail: `${process.version} on ${process.platform} ${process.arch}` }),
  },
  {
    name: 'machine',
    run: () => {
      const cores = availableParallelism();
      const gigabytes = totalmem() / 2 ** 30;
      return {
        status: cores >= 2 ? 'ok' : 'warn',
        detail: `${cores} cores, ${gigabytes.toFixed(1)} GiB`,
        ...(cores >= 2 ? {} : { fix: 'training and the rigs want two cores; on one they take turns' }),
      };
    },
  },
  loads('engine split', 'onnxruntime-node', 'fail', 'npm ci   (no prebuilt binary exists for musl or 32-bit ARM)'),
  loads('engine eager-cpu', '@tensorflow/tfjs-backend-cpu', 'fail', 'npm ci'),
  loads('engine eager-wasm', '@tensorflow/tfjs-backend-wasm', 'fail', 'npm ci'),
  starts('webgpu'),
  starts(nativeProvider),
  {
    name: 'engine eager-tfjs-node-gpu',
    run: () => {
      try {
        require('@tensorflow/tfjs-node-gpu');
        return { status: 'ok', detail: '@tensorflow/tfjs-node-gpu loads' };
      } catch (error) {
        return {
          status: 'warn',
          detail: `not available: ${messageOf(error).split('\n')[0]}`,
          fix: 'kit engine install tfjs-node-gpu   (only with an NVIDIA card)',
        };
      }
    },
  },
  loads('simulator', '@mujoco/mujoco', 'fail', 'npm ci'),
  loads('serial ports', 'serialport', 'fail', 'npm ci'),
  {
    name: 'serial permission',
    run: () => {
      if (process.platform !== 'linux') return { status: 'ok', detail: 'nothing to check on this system' };
      const ports = readdirSync('/dev').filter(name => /^tty(USB|ACM)/.test(name));
      const groups = spawnSync('id', ['-Gn'], { encoding: 'utf8' }).stdout ?? '';
      const may = process.getuid?.() === 0 || /\b(dialout|uucp)\b/.test(groups);
      return {
        status: may ? 'ok' : 'warn',
        detail: `${ports.length === 0 ? 'no USB adapter is plugged in' : ports.map(name => `/dev/${name}`).join(', ')}; ${may ? 'you may open them' : 'you are not in the group dialout'}`,
        ...(may ? {} : { fix: permissionFix }),
      };
    },
  },
  {
    name: 'serial latency',
    run: () => {
      const slow = adapters().flatMap(adapter => latencyWarning(adapter) ?? []);
      if (slow.length === 0) return { status: 'ok', detail: 'no USB adapter here keeps bytes back' };
      return {
        status: 'warn',
        detail: `${slow.join('; ')}; kit changes that for as long as it has the port, where it may`,
        fix: latencyFix,
      };
    },
  },
  {
    name: 'rig avr',
    run: () => {
      if (process.platform !== 'linux')
        return {
          status: 'warn',
          detail: `its pseudo-terminal needs Linux; this is ${process.platform}`,
          fix: 'kit hil --rig ideal',
        };
      return existsSync('/dev/ptmx')
        ? { status: 'ok', detail: 'pseudo-terminals are there' }
        : { status: 'fail', detail: '/dev/ptmx is absent', fix: 'mount -t devpts devpts /dev/pts' };
    },
  },
];

async function wakeUps(context: CommandContext): Promise<void> {
  const line = new ProgressLine(context.io);
  const report = await wakeUpReport(what => line.show(() => what)).finally(() => line.done());
  context.result(report, () => wakeUpWords(report));
}

export const addDoctor: AddCommand = (program, context) => {
  program
    .command('doctor')
    .description('say what this machine can do, and how to get the rest')
    .option('--rt', 'measure instead how late this machine wakes a loop, and which rates are realistic')
    .action(async ({ rt }: { rt?: boolean }) => {
      if (rt === true) return wakeUps(context);
      const findings: ({ name: string } & Finding)[] = [];
      for (const check of checks) findings.push({ name: check.name, ...(await check.run()) });
      context.result(findings, () =>
        findings
          .map(
            f =>
              `${f.status.padEnd(4)}  ${f.name.padEnd(26)} ${f.detail}${f.fix === undefined ? '' : `\n${' '.repeat(33)}→ ${f.fix}`}`,
          )
          .join('\n'),
      );
      if (findings.some(f => f.status === 'fail')) context.exit('failed');
    });
};
