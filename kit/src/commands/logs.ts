/** `kit logs`: look at a log, mend it, turn it into something else. */
import { logInfo, recoverLog } from '@sim2servo/runtime/logs';
import type { AddCommand } from '../command-context.js';
import { addLogsConvert } from './logs-convert.js';

export const addLogs: AddCommand = (program, context) => {
  const logs = program.command('logs').description('the transitions that a robot recorded (MCAP)');
  logs
    .command('info')
    .description('say what a log holds')
    .argument('<log>', '.mcap file')
    .action((path: string) => {
      const info = logInfo(path);
      const limited = Object.entries(info.limiterTicks).filter(([, ticks]) => ticks > 0);
      context.result(info, () =>
        [
          `${info.path}: ${info.records} transitions in ${info.episodes} episodes, ${info.seconds.toFixed(1)} s from ${info.startedAt ?? 'never'}`,
          ...Object.entries(info.header).map(([key, value]) => `  ${key.padEnd(14)} ${value}`),
          ...info.policies.slice(1).map(digest => `  then took over ${digest}`),
          `late ticks ${info.late}, stale samples ${info.stale}, ticks missing ${info.missing}`,
          `limiters: ${limited.length === 0 ? 'none acted' : limited.map(([name, ticks]) => `${name} ${ticks}`).join(', ')}`,
          info.complete ? 'whole, with its index' : `cut off: mend it with kit logs recover ${path}`,
        ].join('\n'),
      );
    });
  logs
    .command('recover')
    .description('write the index that a killed run could not')
    .argument('<log>', '.mcap file')
    .option('--out <file>', 'write a new file instead of replacing the log')
    .action((path: string, options: { out?: string }) => {
      const scan = recoverLog(path, options.out);
      context.result(
        { path: options.out ?? path, ...scan },
        () => `${scan.records} transitions are whole in ${options.out ?? path}`,
      );
    });
  addLogsConvert(logs, context);
};
